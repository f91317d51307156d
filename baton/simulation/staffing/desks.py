"""The desk of every person: one lead at a time, in their own hours, the most urgent first. Pure:
chance comes from the seed and the hand-off's id."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from baton.agreement.compiled.agreement import CompiledAgreement
from baton.contracts.routing import LeadRouted
from baton.simulation.input_lines import Arrival
from baton.simulation.quarter.staff_acts import StaffActs
from baton.simulation.staffing.demand import Demand, Habits

_REJECTIONS: Final = ("not_icp", "bad_data", "no_need_now")
_HOT: Final = "hot"
_REJECTED_PART: Final = 5


@dataclass(slots=True)
class Desk:
    """``waiting``: hand-offs that nobody has opened. ``busy_ms``: open hours spent on leads."""

    waiting: list[LeadRouted] = field(default_factory=list)
    opens: bool = False
    busy_ms: int = 0


@dataclass(frozen=True, slots=True)
class Opening:
    """A person will be free to open the next lead."""

    at_ms: int
    person: str


Planned = tuple[str, Arrival]
"""A line to come, and the hand-off that must still stand for it."""


class Desks:
    """Everybody's desk under one agreement."""

    def __init__(self, demand: Demand, agreement: CompiledAgreement, seed: int) -> None:
        self._demand, self._agreement, self._seed = demand, agreement, seed
        self._reasons = _reasons(agreement)
        self.desks: dict[str, Desk] = {}

    def receive(self, routed: LeadRouted, at_ms: int) -> Opening | None:
        """A lead was handed to somebody; gives when they will open it, if they have nothing else
        to do."""
        desk = self.desks.setdefault(routed.owner, Desk())
        desk.waiting.append(routed)
        if desk.opens:
            return None
        desk.opens = True
        return self._opening(routed.owner, routed.pool, at_ms)

    def open_next(
        self, opening: Opening, standing: Mapping[str, str]
    ) -> tuple[list[Planned], Opening | None]:
        """What the person does from now on, and when they are free again; None: they have nothing
        to do. ``standing``: by lead, the hand-off that stands."""
        desk = self.desks[opening.person]
        desk.waiting = [one for one in desk.waiting if standing.get(one.lead_id) == one.handoff_id]
        habits = self._demand.habits_of(opening.person)
        while desk.waiting:
            routed = min(desk.waiting, key=_urgency)
            desk.waiting.remove(routed)
            random = Random(f"{self._seed} {routed.handoff_id}")
            if random.random() >= habits.never:
                planned, free_ms = self._work(routed, opening.at_ms, habits, random)
                return planned, self._opening(opening.person, routed.pool, free_ms)
        desk.opens = False
        return [], None

    def _opening(self, person: str, pool: str, at_ms: int) -> Opening:
        random = Random(f"{self._seed} {person} {at_ms}")
        hours = self._agreement.calendar_for(person=person, pool=pool)
        after_ms = _about(random, self._demand.habits_of(person).answers_after)
        return Opening(hours.add_business(at_ms, after_ms), person)

    def _work(
        self, routed: LeadRouted, at_ms: int, habits: Habits, random: Random
    ) -> tuple[list[Planned], int]:
        hours = self._agreement.calendar_for(person=routed.owner, pool=routed.pool)
        acts = _Acts(routed)
        work_ms = _about(random, habits.works_for)
        if self._reasons.rejections and random.random() < habits.rejects:
            work_ms = max(work_ms // _REJECTED_PART, 1)
            reason = random.choice(self._reasons.rejections)
            planned = [acts.planned(at_ms, "rejected", reason=reason)]
        else:
            called_ms = hours.add_business(at_ms, max(work_ms // 2, 1))
            planned = [
                acts.planned(at_ms, "accepted"),
                acts.planned(called_ms, "call", outcome="reached"),
                *self._verdict(acts, called_ms, habits, random),
            ]
        self.desks[routed.owner].busy_ms += work_ms
        return planned, hours.add_business(at_ms, work_ms)

    def _verdict(
        self, acts: _Acts, called_ms: int, habits: Habits, random: Random
    ) -> Iterator[Planned]:
        """What the call comes to; in sales, the deal too. The person is free meanwhile."""
        routed = acts.routed
        hours = self._agreement.calendar_for(person=routed.owner, pool=routed.pool)
        verdict_ms = hours.add_business(called_ms, _about(random, habits.verdict_after))
        if self._reasons.recycling and random.random() < habits.recycles:
            reason = random.choice(self._reasons.recycling)
            yield acts.planned(verdict_ms, "recycled", reason=reason)
            return
        yield acts.planned(verdict_ms, "qualified")
        if routed.leg != "sales":
            return
        deal = {"opportunity_id": f"deal-{routed.handoff_id[:10]}"}
        ends_ms = hours.add_business(verdict_ms, _about(random, habits.deal_after))
        yield acts.planned(verdict_ms + 1, "opportunity", **deal)
        won = random.random() < habits.wins
        yield acts.planned(
            ends_ms, "won" if won else "lost", **deal, **({} if won else self._reasons.lost)
        )


@dataclass(frozen=True, slots=True)
class _Reasons:
    """Reasons of the agreement with which leads are rejected, recycled and lost."""

    rejections: tuple[str, ...]
    recycling: tuple[str, ...]

    @property
    def lost(self) -> dict[str, str]:
        """Of a lost deal; nothing where the agreement has none."""
        known = [name for name in self.recycling if name.startswith("lost")] or self.recycling
        return {"reason": known[0]} if known else {}


def _reasons(agreement: CompiledAgreement) -> _Reasons:
    known = agreement.recycling.reasons
    rejections = tuple(name for name in _REJECTIONS if name in known)
    recycling = tuple(sorted(name for name, one in known.items() if one.outcome.value == "recycle"))
    return _Reasons(rejections or recycling, recycling)


class _Acts(StaffActs):
    """The acts of one holder, each with the hand-off that it is planned for."""

    def planned(self, at_ms: int, kind: str, **more: Any) -> Planned:
        return self.routed.handoff_id, self.act(at_ms, kind, **more)


def _about(random: Random, mean_ms: int) -> int:
    """Half to one and a half of it."""
    return max(int(mean_ms * (0.5 + random.random())), 1)


def _urgency(routed: LeadRouted) -> tuple[bool, int, str]:
    """Hot ones and raised hands first, then by deadline."""
    urgent = routed.level == _HOT or routed.hand_raised
    return not urgent, routed.accept_by_ms or routed.routed_at_ms, routed.handoff_id
