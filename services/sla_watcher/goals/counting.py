"""What has counted towards one goal: sums by period, and which tallies they were made of.

A tally counts once, in the period it occurred in. A person counts once a cycle, in the earliest
period, under the lead that they ended in. A win that was corrected or taken back changes the period
in which it was counted; one that was never counted here, or is forgotten, changes nothing.
"""

from __future__ import annotations

from typing import Any, Final
from zoneinfo import ZoneInfo

from baton.agreement.compiled.goals import Goal
from baton.agreement.model.goals import MONEY_METRICS
from baton.contracts.goals import GoalTally
from baton.engine.reducer import Drop, Put, View
from baton.evolve import evolve
from services.sla_watcher.goals.periods import Period, period_of
from services.sla_watcher.goals.progress import COVERAGE, deal_day
from services.sla_watcher.goals.state import COUNTED, JOINED, CountedTally, GoalBook, JoinedLead

PERIODS_KEPT: Final = 13
_MOST_CYCLES: Final = 100
_MOST_JOINS: Final = 32


class Counting:
    """The book of a goal under one tally, with what is to be stored and forgotten for it."""

    def __init__(self, view: View[GoalBook], book: GoalBook, goal: Goal, zone: ZoneInfo) -> None:
        self.view, self.book, self.goal, self.zone = view, book, goal, zone
        self.put: list[Put[Any]] = []
        self.drop: list[Drop] = []

    def count(self, tally: GoalTally) -> set[str]:
        """Take one tally; the periods whose progress has changed."""
        if tally.into is not None:
            return self._join(tally.lead_id, tally.into)
        period = period_of(tally.occurred_at_ms, self.goal.per, self.zone)
        if tally.replaces is not None:
            return self._replace(tally, tally.replaces)
        if self.goal.metric in MONEY_METRICS:
            return self._count_money(tally, period)
        who = f"{self._survivor(tally.lead_id)}/{tally.cycle}"
        if tally.amount < 0:
            return self._uncount(who)
        return self._count_person(who, tally.amount, period)

    def _replace(self, tally: GoalTally, former: str) -> set[str]:
        period = self._counted_in(former)
        if period is None:
            return set()
        self._take_back(f"{period}/{former}")
        if tally.amount:
            self._add(f"{period}/{tally.tally_id}", tally.amount)
        return {period}

    def _uncount(self, who: str) -> set[str]:
        period = self._counted_in(who)
        if period is None:
            return set()
        self._take_back(f"{period}/{who}")
        return {period}

    def _count_money(self, tally: GoalTally, period: Period) -> set[str]:
        item = f"{period.name}/{tally.tally_id}"
        if self.view.get(COUNTED, item) is not None:
            return set()
        if tally.metric == COVERAGE:
            day = deal_day(tally.due)
            amounts = {
                **self.book.open_by_day,
                day: self.book.open_by_day.get(day, 0) + tally.amount,
            }
            self.book = evolve(
                self.book,
                open_by_day={name: amount for name, amount in sorted(amounts.items()) if amount},
            )
            self.put.append(Put(COUNTED, item, CountedTally(amount=tally.amount)))
        else:
            self._add(item, tally.amount)
        return {period.name}

    def _count_person(self, who: str, amount: int, period: Period) -> set[str]:
        """Once a lead and cycle, in the earliest period that it was reached in, whatever came
        first."""
        counted = self._counted_in(who)
        if counted is not None and counted <= period.name:
            return set()
        if counted is not None:
            self._take_back(f"{counted}/{who}")
        self._add(f"{period.name}/{who}", amount)
        return {period.name} if counted is None else {period.name, counted}

    def _join(self, lead: str, into: str) -> set[str]:
        """What the lead counted for counts for the one it ended in; not twice where that one
        counted for the same."""
        survivor = self._survivor(into)
        if survivor == lead:
            return set()
        self.put.append(Put(JOINED, f"{self.book.period}/{lead}", JoinedLead(into=survivor)))
        changed: set[str] = set()
        for period in self._kept():
            for item, known in self.view.scan(
                COUNTED, first=f"{period}/{lead}/", below=f"{period}/{lead}0", limit=_MOST_CYCLES
            ):
                who = f"{survivor}/{item.rpartition('/')[2]}"
                other = self._counted_in(who)
                self._take_back(item)
                if other is None or other > period:
                    self._add(f"{period}/{who}", known.amount)
                    if other is not None:
                        self._take_back(f"{other}/{who}")
                        changed.add(other)
                if other is not None and other <= period:
                    changed.add(period)
        return changed

    def _survivor(self, lead: str) -> str:
        """The lead that this one has ended in, or itself."""
        for _ in range(_MOST_JOINS):
            found = (self.view.get(JOINED, f"{period}/{lead}") for period in self._kept())
            joined = next((into for into in found if into is not None), None)
            if joined is None:
                break
            lead = joined.into
        return lead

    def _counted_in(self, who: str) -> str | None:
        kept = self._kept()
        return next(
            (name for name in kept if self.view.get(COUNTED, f"{name}/{who}") is not None), None
        )

    def _kept(self) -> list[str]:
        """Periods whose tallies are still known, in order; a clamped or early one included."""
        return sorted({*self.book.sums, self.book.period})

    def _add(self, item: str, amount: int) -> None:
        self.put.append(Put(COUNTED, item, CountedTally(amount=amount)))
        self._change(item.partition("/")[0], amount)

    def _take_back(self, item: str) -> None:
        known = self.view.get(COUNTED, item)
        assert known is not None
        self.drop.append(Drop(COUNTED, item))
        self._change(item.partition("/")[0], -known.amount)

    def _change(self, period: str, amount: int) -> None:
        sums = {**self.book.sums, period: self.book.sums.get(period, 0) + amount}
        self.book = evolve(self.book, sums=dict(sorted(sums.items())[-PERIODS_KEPT:]))
