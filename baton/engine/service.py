"""What one service is, to whoever runs it: its reducers and what they refer to.

A service package exposes it as ``services.<name>.app: SERVICE``. It says what there is and starts nothing; a worker
(:mod:`baton.engine.kafka.worker`) or the in-memory log runs it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from baton.engine.reducer import Reducer, ReferenceBook


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One service. ``book`` makes the (empty) reference book that all its tasks share."""

    name: str
    reducers: tuple[Reducer[Any, Any], ...] = ()
    book: Callable[[], ReferenceBook[Any]]
