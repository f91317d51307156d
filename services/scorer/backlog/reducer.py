"""The backlog reducer: lets the leads that a new agreement made ready go in drips. Keyed by pool.

A lower threshold makes many leads ready at once; nobody can call them all on one morning. They wait
here, hot ones first and then by score, and so many a day go as the agreement says. The first are
let go a minute after the first one came, so that the best of the whole backlog are known; all of
them when the house calendar is open. One writer a pool: the number is kept exactly.
"""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar, Final

from baton.agreement.compiled.levels import RANK
from baton.agreement.reference import AgreementReference
from baton.agreement.wall_time import instant_ms, local_date, zone_named
from baton.contracts.streams import BacklogPart, BacklogRelease
from baton.contracts.topic_names import SCORER_BACKLOG, SCORER_RELEASES
from baton.engine.reducer import Drop, Event, Fact, Put, Reducer, Step, View
from baton.evolve import evolve
from services.scorer.backlog.state import (
    ENTRY_KINDS,
    PLACE,
    WAITING,
    BacklogHead,
    WaitingLead,
    WaitingPlace,
)

GATHER_MS: Final = 60_000
_BEST: Final = 10**15


class Backlog(Reducer[BacklogHead, AgreementReference]):
    """The reducer; see the module."""

    name: ClassVar[str] = "backlog"
    service: ClassVar[str] = "scorer"
    inputs: ClassVar[tuple[str, ...]] = (SCORER_BACKLOG,)
    outputs: ClassVar[tuple[str, ...]] = (SCORER_RELEASES,)
    head_type: ClassVar[type[BacklogHead] | None] = BacklogHead
    entry_kinds = ENTRY_KINDS

    def step(
        self, view: View[BacklogHead], event: Event, *, now: int, reference: AgreementReference
    ) -> Step[BacklogHead]:
        """A lead waits from now on, or does so no more."""
        part: BacklogPart = event.value
        head = view.head or BacklogHead()
        known = view.get(WAITING, part.lead_id)
        drop = (Drop(WAITING, part.lead_id), Drop(PLACE, known.place)) if known else ()
        if part.kind != "add":
            return Step(head=view.head, wake_at=view.wake_at, drop=drop)
        place = place_of(part)
        if known is not None and known.place == place:
            return Step(head=view.head, wake_at=view.wake_at)
        if head.next_at_ms is None:
            head = evolve(head, next_at_ms=_next(head, now, reference))
        put = (
            Put(WAITING, part.lead_id, WaitingLead(place=place, at_ms=part.at_ms)),
            Put(PLACE, place, WaitingPlace(lead_id=part.lead_id)),
        )
        return Step(head=head, wake_at=head.next_at_ms, put=put, drop=drop[1:])

    def wake(
        self, view: View[BacklogHead], *, now: int, reference: AgreementReference
    ) -> Step[BacklogHead]:
        """Let go as many as today allows."""
        head = view.head or BacklogHead()
        today = day_of(now, reference)
        released = head.released if head.day_ms == today else 0
        drip = reference.agreement.lifecycle.drip_per_day
        going = view.scan(PLACE, limit=max(0, drip - released))
        head = BacklogHead(day_ms=today, released=released + len(going))
        if view.count(PLACE) > len(going):
            head = evolve(head, next_at_ms=_next(head, now, reference))
        return Step(
            head=head,
            wake_at=head.next_at_ms,
            drop=tuple(
                drop
                for place, waiting in going
                for drop in (Drop(PLACE, place), Drop(WAITING, waiting.lead_id))
            ),
            facts=tuple(
                Fact(SCORER_RELEASES, waiting.lead_id, _release(view, waiting, now, reference))
                for _, waiting in going
            ),
        )


def place_of(part: BacklogPart) -> str:
    """The hotter first, then the higher score, then by id."""
    return f"{9 - RANK[part.level]}-{_BEST - part.engagement_micro:016d}-{part.lead_id}"


def day_of(now: int, reference: AgreementReference) -> int:
    """When the agreement's local day began."""
    zone = zone_named(reference.agreement.timezone)
    return instant_ms(local_date(now, zone), 0, zone)


def _next(head: BacklogHead, now: int, reference: AgreementReference) -> int:
    """In a minute of open hours if today has room, else when the house calendar opens on the next
    working day."""
    agreement = reference.agreement
    if head.day_ms != day_of(now, reference) or head.released < agreement.lifecycle.drip_per_day:
        return agreement.calendar.next_open(now + GATHER_MS)
    tomorrow = local_date(now, zone_named(agreement.timezone)) + timedelta(days=1)
    return agreement.calendar.opening_of(agreement.calendar.working_day_from(tomorrow))


def _release(
    view: View[BacklogHead], waiting: WaitingPlace, now: int, reference: AgreementReference
) -> BacklogRelease:
    return BacklogRelease(
        lead_id=waiting.lead_id,
        queue=view.key,
        at_ms=now,
        cause_id=view.cause,
        agreement=reference.version,
    )
