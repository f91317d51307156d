"""A document of plain data in which every path knows its line and column: what errors point at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from baton.agreement.problems import Path, Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Line and column, from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """Plain data with the place of every path. ``problems`` is what was wrong; ``data`` is then as
    far as it could be read."""

    data: Any
    places: Mapping[Path, Place]
    problems: tuple[Problem, ...] = ()

    def place(self, path: Path) -> Place | None:
        """The place of ``path``, or of the nearest thing around it."""
        while path and path not in self.places:
            path = path[:-1]
        return self.places.get(path)
