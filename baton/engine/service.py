"""The declaration of a service: its reducers and their reference book.

A service package exposes it as ``services.<name>.app: SERVICE``. It declares and starts nothing; a
worker (:mod:`baton.engine.kafka.worker`) or the in-memory log runs it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from baton.contracts.amounts import Measures
from baton.engine.reducer import Reducer, ReferenceBook


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One service. ``book`` makes the (empty) reference book that all its tasks share.

    ``measures``: by topic, what a published fact adds to a metric
    (:mod:`baton.contracts.fact_metrics`).
    """

    name: str
    reducers: tuple[Reducer[Any, Any], ...] = ()
    book: Callable[[], ReferenceBook[Any]]
    measures: Measures = field(default_factory=dict)
