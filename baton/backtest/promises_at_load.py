"""Whether the people there are would keep the promise to accept, with the leads each agreement
gives them. Pure.

A model and no replay: in each pool its active people open one lead at a time, the most urgent
first, in their own hours, and work on it for an assumed time; a lead is answered when it is opened.
Turns, limits, absences and reassignments are left out. Beside it stands what history's own clocks
say, by which the assumed time can be judged.
"""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from baton.agreement.compiled.agreement import AnyCalendar, CompiledAgreement
from baton.backtest.history import History
from baton.backtest.replay import SUPPRESSED, FirstQualification
from baton.contracts.clock_kinds import Clock

_HOT: Final = "hot"
_PROMISES: Final = ("timezone", "calendar", "calendars", "people", "pools", "slas")
"""Sections of an agreement that say who opens a pool's leads when, and by when."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Missed:
    """Of ``leads`` that have a promise to be accepted, how many were opened after their deadline;
    ``longest_queue``: leads that waited at one time."""

    leads: int
    missed: int
    longest_queue: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolPromises:
    """One pool under both agreements. ``history``: the accept clocks of it that were due, and those
    that were broken; None without history."""

    pool: str
    people_old: int
    people_new: int
    old: Missed
    new: Missed
    history: tuple[int, int] | None


def promises_at_load(
    old: tuple[CompiledAgreement, Iterable[FirstQualification]],
    new: tuple[CompiledAgreement, Iterable[FirstQualification]],
    *,
    works_for_ms: int,
    history: History | None,
) -> tuple[PoolPromises, ...]:
    """By pool, both agreements with the leads they hand over."""
    under = [(agreement, _by_pool(leads)) for agreement, leads in (old, new)]
    promise_alike = all(
        getattr(old[0].raw, section) == getattr(new[0].raw, section) for section in _PROMISES
    )
    found = []
    for pool in sorted({name for _, pools in under for name in pools}):
        leads = [pools.get(pool, []) for _, pools in under]
        before = _missed(old[0], pool, leads[0], works_for_ms)
        same = promise_alike and leads[0] == leads[1]
        missed = [before, before if same else _missed(new[0], pool, leads[1], works_for_ms)]
        people = [len(_people(agreement, pool)) for agreement, _ in under]
        found.append(
            PoolPromises(
                pool=pool,
                people_old=people[0],
                people_new=people[1],
                old=missed[0],
                new=missed[1],
                history=None if history is None else _of_history(history, pool),
            )
        )
    return tuple(found)


def _by_pool(leads: Iterable[FirstQualification]) -> Mapping[str, list[FirstQualification]]:
    found: dict[str, list[FirstQualification]] = defaultdict(list)
    for lead in leads:
        if lead.pool != SUPPRESSED:
            found[lead.pool].append(lead)
    return found


def _people(agreement: CompiledAgreement, pool: str) -> list[str]:
    if pool not in agreement.pools:
        return []
    return [
        member.person
        for member in agreement.pools[pool].members
        if agreement.people[member.person].active and member.weight > 0
    ]


def _missed(
    agreement: CompiledAgreement, pool: str, leads: list[FirstQualification], works_for_ms: int
) -> Missed:
    """Play the pool's queue."""
    deadlines = {lead.key: _deadline_ms(agreement, pool, lead) for lead in leads}
    people = _people(agreement, pool)
    if not leads:
        return Missed(leads=0, missed=0, longest_queue=0)
    if not people:
        promised = sum(at_ms is not None for at_ms in deadlines.values())
        return Missed(leads=promised, missed=promised, longest_queue=len(leads))
    opened, longest = _opened(
        sorted(leads, key=lambda lead: (lead.at_ms, lead.key)),
        {name: agreement.calendar_for(person=name, pool=pool) for name in people},
        works_for_ms,
    )
    judged = Counter(
        opened[key] > deadline_ms
        for key, deadline_ms in deadlines.items()
        if deadline_ms is not None
    )
    return Missed(leads=judged.total(), missed=judged[True], longest_queue=longest)


def _opened(
    leads: list[FirstQualification], hours: Mapping[str, AnyCalendar], works_for_ms: int
) -> tuple[dict[str, int], int]:
    """By lead and cycle, when it is opened; and the longest queue. Whoever can open the next lead
    first does so, and takes the most urgent of those that are there by then."""
    free = dict.fromkeys(hours, leads[0].at_ms)
    waiting: list[tuple[bool, int, str]] = []
    found: dict[str, int] = {}
    place = longest = at_ms = 0
    while place < len(leads) or waiting:
        # nobody was free before the last one was opened, and who waits was there by then
        earliest_ms = at_ms if waiting else leads[place].at_ms
        at_ms, person = min(
            (calendar.next_open(max(free[name], earliest_ms)), name)
            for name, calendar in hours.items()
        )
        while place < len(leads) and leads[place].at_ms <= at_ms:
            lead = leads[place]
            urgent = lead.hand_raised or lead.level == _HOT
            heapq.heappush(waiting, (not urgent, lead.at_ms, lead.key))
            place += 1
        longest = max(longest, len(waiting))
        _, _, key = heapq.heappop(waiting)
        found[key] = at_ms
        free[person] = hours[person].add_business(at_ms, works_for_ms)
    return found, longest


def _deadline_ms(agreement: CompiledAgreement, pool: str, lead: FirstQualification) -> int | None:
    """By when the agreement wants it accepted; None: no promise."""
    rule = agreement.slas.target(
        Clock.ACCEPT.value,
        queue=lead.leg,
        level=lead.level,
        segment=lead.segment,
        source=lead.source,
    )
    if rule is None:
        return None
    return rule.target.deadline(lead.at_ms, agreement.calendar_for(pool=pool, rule=rule))


def _of_history(history: History, pool: str) -> tuple[int, int]:
    return history.accepts_due[pool], history.accepts_broken[pool]
