"""One partition of a topic, to the direct host: where its end is and who reads it."""

from __future__ import annotations

from typing import Any


class Place:
    """One partition of a topic. ``end``: its next offset; ``readers``: the tasks that read it,
    with their numbers; ``shown``: whether its records are in the history."""

    __slots__ = ("end", "readers", "shown")

    def __init__(self, *, shown: bool) -> None:
        self.end = 0
        self.readers: list[tuple[int, Any]] = []
        self.shown = shown
