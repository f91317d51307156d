"""What one service is, to whoever runs it: its reducers, what they refer to, and what else runs in its process.

A service package exposes it as ``services.<name>.app: SERVICE``. It says what there is and starts nothing; a worker
(:mod:`baton.engine.kafka.worker`) or the in-memory log runs it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from baton.engine.reducer import Reducer, ReferenceBook
from baton.settings import Settings

Up = Callable[[], None]
Extra = Callable[[Settings, Up], Awaitable[None]]
"""Something that runs beside the reducers, such as the HTTP gateway: ``async def serve(settings, up)``.

It calls ``up()`` once it can be used (the worker is not ready before), runs until it is cancelled, and cleans up then. When it
returns or raises by itself, the worker ends.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One service. ``book`` makes the (empty) reference book that all its tasks share; ``extras`` by name, for the log."""

    name: str
    reducers: tuple[Reducer[Any, Any], ...] = ()
    book: Callable[[], ReferenceBook[Any]]
    extras: dict[str, Extra] = field(default_factory=dict)
