"""How a lead's time was spent: by the system, in a queue, with a person, waiting for the buyer, at
rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from services.sla_watcher.clocks.state import TimeMark

KINDS: Final = ("system", "queue", "human", "buyer", "rest")


def split_time(marks: Sequence[TimeMark], until_ms: int) -> Mapping[str, int]:
    """How long a lead's time was system, queue, human, waiting for the buyer, or rest between
    cycles, up to ``until_ms``.

    The parts add up to the whole: a mark holds until the next one.
    """
    spent = dict.fromkeys(KINDS, 0)
    ends = [mark.from_ms for mark in marks[1:]] + [until_ms]
    for mark, end in zip(marks, ends, strict=False):
        spent[mark.kind] = spent.get(mark.kind, 0) + max(0, min(end, until_ms) - mark.from_ms)
    return spent


def with_mark(
    marks: tuple[TimeMark, ...], kind: str, from_ms: int, limit: int = 64
) -> tuple[TimeMark, ...]:
    """``marks`` with one more, if it changes the kind. Beyond ``limit`` the oldest pair is folded
    away, so that it stays bounded."""
    if marks and marks[-1].kind == kind:
        return marks
    at_ms = max(from_ms, marks[-1].from_ms) if marks else from_ms
    grown = (*marks, TimeMark(kind=kind, from_ms=at_ms))
    return (
        grown
        if len(grown) <= limit
        else (TimeMark(kind=grown[0].kind, from_ms=grown[0].from_ms), *grown[2:])
    )
