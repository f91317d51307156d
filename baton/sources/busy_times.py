"""Busy times from a calendar feed (ICS, RFC 5545): events, and free/busy components. Pure.

An event counts as busy unless it says otherwise: cancelled, or marked as free. Nothing of an event
but its time is kept. A feed that cannot be read as a whole gives no busy times, so that nobody is
taken for free because of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta, tzinfo
from typing import Any

from baton.sources.calendar_feed import (
    CalendarWrong,
    Span,
    calendar_of,
    events_between,
    joined,
    moment_ms,
    span_of,
)


def busy_in(feed: bytes, *, from_ms: int, until_ms: int, zone: tzinfo) -> tuple[Span, ...]:
    """When the feed's owner is busy between two moments, in order, spans that touch joined.
    ``zone``: where days and times without a zone are meant. Raises :class:`CalendarWrong`."""
    events = (event for event in events_between(feed, from_ms, until_ms) if _is_busy(event))
    spans = [span_of(event, zone) for event in events]
    for component in calendar_of(feed).walk("VFREEBUSY"):
        spans += [span for span in _periods(component, zone) if span.until_ms > from_ms]
    return tuple(joined(span for span in spans if span.from_ms < until_ms))


def _is_busy(event: Any) -> bool:
    if str(event.get("STATUS", "")).upper() == "CANCELLED":
        return False
    if str(event.get("TRANSP", "")).upper() == "TRANSPARENT":
        return False
    return str(event.get("X-MICROSOFT-CDO-BUSYSTATUS", "")).upper() != "FREE"


def _periods(component: Any, zone: tzinfo) -> Iterator[Span]:
    found = component.get("FREEBUSY") or []
    for period in _flat(found):
        if str(period.params.get("FBTYPE", "BUSY")).upper() == "FREE":
            continue
        try:
            starts, ends = period.dt
        except (TypeError, ValueError):
            raise CalendarWrong("has a period that cannot be read") from None
        if isinstance(ends, timedelta):
            ends = starts + ends
        yield Span(moment_ms(starts, zone), moment_ms(ends, zone))


def _flat(found: Any) -> Iterator[Any]:
    """Lines and the periods of a line, however deep the library nests them."""
    if isinstance(found, list):
        for part in found:
            yield from _flat(part)
    else:
        yield found
