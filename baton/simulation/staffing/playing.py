"""Plays a described quarter in memory under an agreement, by the same reducers as on Kafka."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from baton.agreement.books import book_records
from baton.agreement.canonical import canonical_text
from baton.agreement.compiled.agreement import CompiledAgreement
from baton.agreement.quantities import DAY_MS
from baton.agreement.wall_time import instant_ms, zone_named
from baton.contracts.routing import LeadRouted
from baton.contracts.slas import LeadRecycled
from baton.engine.memory import Stored
from baton.simulation.input_lines import Arrival
from baton.simulation.quarter.kept_facts import History
from baton.simulation.quarter.quarter_staff import nurtures
from baton.simulation.simulation import Simulation
from baton.simulation.staffing.demand import Demand
from baton.simulation.staffing.described_visits import visits_of
from baton.simulation.staffing.desks import Desks, Opening

Heard = Callable[[Stored], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """A quarter that was played, ``[begins_ms, until_ms)``. ``busy_ms``: by person, the open hours
    spent on leads."""

    history: History
    busy_ms: dict[str, int]
    begins_ms: int
    until_ms: int


class _Quarter:
    """What is still to come, in order, and which hand-off of a lead stands."""

    def __init__(
        self, demand: Demand, agreement: CompiledAgreement, seed: int, heard: Heard
    ) -> None:
        self._heard = heard
        self._queue: list[tuple[int, int, str, Arrival | Opening]] = []
        self._number = 0
        self._standing: dict[str, str] = {}
        self._stands: set[str] = set()
        self.desks = Desks(demand, agreement, seed)
        self.history = History()
        for one in visits_of(demand, agreement, seed):
            self._plan(one)

    def _plan(self, what: Arrival | Opening, handoff_id: str = "") -> None:
        self._number += 1
        heapq.heappush(self._queue, (what.at_ms, self._number, handoff_id, what))

    def play(self, simulation: Simulation, until_ms: int) -> None:
        """Everything until then; timers fire in between, and people learn of what they cause."""
        while self._queue and self._queue[0][0] < until_ms:
            at_ms = self._queue[0][0]
            due_ms = simulation.host.next_due
            if due_ms is not None and due_ms < at_ms:
                self._hear(simulation.pass_time(due_ms), simulation)
                continue
            self._hear(simulation.pass_time(at_ms), simulation)
            _, _, handoff_id, what = heapq.heappop(self._queue)
            if isinstance(what, Opening):
                self._open(what)
            elif not handoff_id or handoff_id in self._stands:
                self._hear(simulation.send(what), simulation)
        self._hear(simulation.pass_time(until_ms), simulation)

    def _open(self, opening: Opening) -> None:
        planned, again = self.desks.open_next(opening, self._standing)
        for handoff_id, line in planned:
            self._plan(line, handoff_id)
        if again is not None:
            self._plan(again)

    def _hear(self, news: Any, simulation: Simulation) -> None:
        for stored in news:
            self._heard(stored)
            fact = self.history.note(stored)
            if isinstance(fact, LeadRouted):
                self._stands.discard(self._standing.get(fact.lead_id, ""))
                self._standing[fact.lead_id] = fact.handoff_id
                self._stands.add(fact.handoff_id)
                opening = self.desks.receive(fact, stored.timestamp)
                if opening is not None:
                    self._plan(opening)
            elif isinstance(fact, LeadRecycled):
                self._stands.discard(self._standing.pop(fact.lead_id, ""))
                touch = nurtures(fact, stored.timestamp)
                if touch is not None:
                    self._plan(touch)


def play_quarter(
    demand: Demand,
    agreement: CompiledAgreement,
    seed: int,
    heard: Heard = lambda stored: None,
) -> Played:
    """The quarter with this seed. The same seed gives the same facts. ``heard``: receives every
    public one."""
    begins_ms = instant_ms(demand.begins, 0, zone_named(agreement.timezone))
    until_ms = begins_ms + demand.weeks * 7 * DAY_MS
    simulation = Simulation(
        text=canonical_text(agreement.raw),
        version=agreement.version,
        start_ms=begins_ms,
        known=tuple(book_records(agreement.raw.attached)),
        keep=False,
    )
    quarter = _Quarter(demand, agreement, seed, heard)
    quarter.play(simulation, until_ms)
    return Played(
        history=quarter.history,
        busy_ms={name: desk.busy_ms for name, desk in quarter.desks.desks.items()},
        begins_ms=begins_ms,
        until_ms=until_ms,
    )
