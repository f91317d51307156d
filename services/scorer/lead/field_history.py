"""The values that a field was reported with: the one that holds, and some that it outranks.

A retracted event never happened, so the value before it must be back. Each field therefore keeps
its best reports, one an event, best first; the first one holds. The list is a function of the set
of reports alone, in whatever order they come. It is bounded: only where more than ``KEPT`` newer
reports of one field are retracted is the value before them unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, Final, Protocol, TypeVar

from services.scorer.score.ledger import id_bytes

KEPT: Final = 5


class Report(Protocol):
    """Something that an event reported."""

    @property
    def event_id(self) -> str:
        """The event that did."""


R = TypeVar("R", bound=Report)


def with_report(reports: tuple[R, ...], new: R, rank: Callable[[R], Any]) -> tuple[R, ...]:
    """``reports`` with one more; the same object where it changes nothing. Of one event the report
    of the higher rank stays."""
    if not reports:
        return (new,)
    if len(reports) >= KEPT and rank(new) <= rank(reports[-1]):
        return reports
    by_event = {report.event_id: report for report in reports}
    known = by_event.get(new.event_id)
    if known is not None and rank(new) <= rank(known):
        return reports
    by_event[new.event_id] = new
    return tuple(sorted(by_event.values(), key=rank, reverse=True)[:KEPT])


def without_events(reports: tuple[R, ...], gone: Collection[bytes]) -> tuple[R, ...]:
    """``reports`` without those of retracted events; the same object where there are none."""
    left = tuple(report for report in reports if id_bytes(report.event_id) not in gone)
    return left if len(left) < len(reports) else reports
