"""Plays the quarter: visitors by the script, staff by what they are given, an agreement that
changes half-way, absences and holidays. The same seed gives the same facts.

What staff do follows from facts, so it is made while the facts come; an act that somebody planned
for a hand-off that was taken from them is not done.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import Any, Final

from baton.agreement.canonical import canonical_text, compiled_of, version_of
from baton.agreement.compiled.agreement import CompiledAgreement
from baton.agreement.model.agreement import Agreement
from baton.agreement.quantities import DAY_MS
from baton.contracts.reference_records import PeopleRecord
from baton.contracts.routing import LeadRouted
from baton.contracts.slas import LeadRecycled
from baton.simulation.input_lines import Arrival
from baton.simulation.quarter.kept_facts import History
from baton.simulation.quarter.quarter_staff import Deeds, nurtures
from baton.simulation.quarter.visitors import visits
from baton.simulation.simulation import Announcement, Simulation

DAYS: Final = 90
BEGINS_MS: Final = int(datetime(2026, 10, 1, tzinfo=UTC).timestamp() * 1000)
_AWAY: Final = (
    ("ae-hugo", 10, 20),
    ("sdr-anna", 25, 33),
    ("sdr-dag", 40, 47),
    ("ae-kim", 55, 60),
    ("sdr-erin", 70, 84),
)
"""Who is away, from which day on until which."""
_CHANGES: Final = (
    (
        "clock: accept, queue: sdr, within: 4 business hours",
        "clock: accept, queue: sdr, within: 3 business hours",
    ),
    ("metric: won, target: 8,", "metric: won, target: 10,"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarter:
    """What was played: ``first`` and ``then`` are the agreements, ``sent`` the lines."""

    history: History
    first: CompiledAgreement
    then: CompiledAgreement
    sent: int


class _Company:
    """What is still to come, in order, and who has which lead."""

    def __init__(self, leads: int, seed: int, agreement: CompiledAgreement) -> None:
        random = Random(seed)
        self._agreement = agreement
        self._holds: dict[str, str] = {}
        self._standing: set[str] = set()
        self._queue: list[tuple[int, int, str, Arrival]] = []
        self._number = 0
        self.sent = 0
        for lead in range(leads):
            for arrival in visits(random, lead, begins_ms=BEGINS_MS, days=DAYS):
                self._plan(arrival)

    def _plan(self, arrival: Arrival, handoff_id: str = "") -> None:
        self._number += 1
        heapq.heappush(self._queue, (arrival.at_ms, self._number, handoff_id, arrival))

    def arrivals(self, until_ms: int) -> Iterator[Arrival]:
        """Everything before ``until_ms``, what is planned meanwhile included."""
        while self._queue and self._queue[0][0] < until_ms:
            _, _, handoff_id, arrival = heapq.heappop(self._queue)
            if not handoff_id or handoff_id in self._standing:
                self.sent += 1
                yield arrival

    def hear(self, fact: Any, at_ms: int) -> None:
        """Staff plan what they do with a lead that they are given, and marketing too."""
        if isinstance(fact, LeadRouted):
            self._standing.discard(self._holds.get(fact.lead_id, ""))
            self._holds[fact.lead_id] = fact.handoff_id
            self._standing.add(fact.handoff_id)
            for deed in Deeds(fact, at_ms, self._agreement).all():
                self._plan(deed, fact.handoff_id)
        elif isinstance(fact, LeadRecycled):
            touch = nurtures(fact, at_ms)
            if touch is not None:
                self._plan(touch)


def second_half(text: str) -> str:
    """The agreement from the middle of the quarter on: SDRs are to accept sooner, and more is to be
    won. Raises ValueError where the text has no such lines."""
    for before, after in _CHANGES:
        if before not in text:
            raise ValueError(f"the agreement has no {before!r} to change")
        text = text.replace(before, after)
    return text


def play(first: Agreement, then: Agreement, *, leads: int, seed: int = 1) -> Quarter:
    """Ninety days of so many leads, under ``first`` and from the middle on under ``then``."""
    texts = [canonical_text(one) for one in (first, then)]
    agreements = [compiled_of(one) for one in (first, then)]
    simulation = Simulation(
        text=texts[0],
        version=version_of(texts[0]),
        start_ms=BEGINS_MS,
        known=[_absence(*one) for one in _AWAY],
        keep=False,
    )
    middle_ms = BEGINS_MS + DAYS // 2 * DAY_MS
    change = Announcement(
        at_ms=middle_ms,
        text=texts[1],
        version=version_of(texts[1]),
        effective_at_ms=middle_ms + DAY_MS,
    )
    company, history = _Company(leads, seed, agreements[0]), History()
    until_ms = BEGINS_MS + DAYS * DAY_MS
    for stored in simulation.run(company.arrivals(until_ms), until_ms, announcements=[change]):
        fact = history.note(stored)
        if fact is not None:
            company.hear(fact, stored.timestamp)
    return Quarter(history=history, first=agreements[0], then=agreements[1], sent=company.sent)


def _absence(person: str, first: int, until: int) -> PeopleRecord:
    return PeopleRecord(
        record_id=f"{person}-{first}",
        person=person,
        from_ms=BEGINS_MS + first * DAY_MS,
        until_ms=BEGINS_MS + until * DAY_MS,
    )
