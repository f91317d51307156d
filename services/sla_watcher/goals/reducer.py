"""goals, per goal: what both sides owe in a period, with pace, a forecast in mid-period, and the
verdict at its end.

Each tally counts once, in the period it occurred in. A period is closed only when everything
appended before its end is known. One violation a period at most: the forecast, or the miss; a
forecast that turns out wrong is withdrawn.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Final
from zoneinfo import ZoneInfo

from baton.agreement.compiled.calendars import Calendar
from baton.agreement.compiled.goals import Goal
from baton.agreement.model.goals import MONEY_METRICS
from baton.agreement.reference import AgreementReference
from baton.agreement.wall_time import instant_ms, local_date, zone_named
from baton.contracts.goals import GOAL_ENDED, GoalProgress, GoalTally
from baton.contracts.slas import SlaViolation
from baton.contracts.topic_names import GOALS_PROGRESS, LEADS_SLA_VIOLATIONS, SLA_TALLIES
from baton.engine.reducer import Drop, EntryKind, Event, Fact, Put, Reducer, Step, View
from baton.ids import derived_id
from services.sla_watcher.goals.periods import Period, next_working_morning, period_named, period_of
from services.sla_watcher.goals.progress import (
    COVERAGE,
    Standing,
    deal_day,
    in_units,
    open_deals,
    standing,
    will_be_missed,
)
from services.sla_watcher.goals.state import COUNTED, JOINED, CountedTally, GoalBook, JoinedLead

PERIODS_KEPT: Final = 13
_DROPPED_AT_ONCE: Final = 500
_MINUTE_MS: Final = 60_000
_MOST_CYCLES: Final = 100
_MOST_JOINS: Final = 32


class Goals(Reducer[GoalBook, AgreementReference]):
    """The reducer; see the module."""

    name = "goals"
    service = "sla_watcher"
    inputs = (SLA_TALLIES,)
    outputs = (GOALS_PROGRESS, LEADS_SLA_VIOLATIONS)
    head_type = GoalBook
    entry_kinds = (COUNTED, JOINED)
    upstream = ("admit", "identify", "lead", "dispatch", "matching", "assignment", "clocks")
    adopts = True

    def keys_of(self, reference: AgreementReference) -> Iterable[str]:
        """A goal is there from the agreement on, whether or not anything ever counts towards it."""
        return reference.agreement.goals

    def step(
        self, view: View[GoalBook], event: Event, *, now: int, reference: AgreementReference
    ) -> Step[GoalBook]:
        """Count one tally, or join two leads that are one person."""
        tally: GoalTally = event.value
        goal = reference.agreement.goals.get(view.key)
        if goal is None:
            return Step(head=view.head, wake_at=view.wake_at)
        account = _Account(view, goal, reference, now)
        if not account.take(tally):
            return Step(head=view.head, wake_at=view.wake_at)
        return account.step()

    def wake(
        self, view: View[GoalBook], *, now: int, reference: AgreementReference
    ) -> Step[GoalBook]:
        """A working day begins, or a period is over."""
        goal = reference.agreement.goals.get(view.key)
        if goal is None or view.head is None:
            return Step(head=view.head)
        account = _Account(view, goal, reference, now)
        account.look(proven=view.proven)
        return account.step()

    def adopt(
        self, view: View[GoalBook], *, old: str, new: AgreementReference, now: int
    ) -> Step[GoalBook]:
        """The goal as it is now agreed; what was counted stays. One that is agreed no more ends,
        and says so."""
        goal = new.agreement.goals.get(view.key)
        if goal is not None:
            account = _Account(view, goal, new, now)
            account.tell_progress(period_named(account.book.period))
            return account.step()
        if view.head is None or view.head.gone:
            return Step(head=view.head)
        return Step(
            head=replace(view.head, gone=True), facts=_ended(view, view.head, new.version, now)
        )


def _ended(view: View[GoalBook], book: GoalBook, version: str, now: int) -> tuple[Fact, ...]:
    last = book.told
    if last is None:
        return ()
    ended = replace(last, state=GOAL_ENDED, at_ms=now, cause_id=view.cause, agreement=version)
    return (Fact(GOALS_PROGRESS, view.key, ended),)


def _opened(book: GoalBook | None, current: str) -> GoalBook:
    """The book of a goal that is in force; a goal that is new, is back, or now runs by quarters
    begins with this period."""
    if book is None:
        return GoalBook(period=current)
    if book.gone or ("Q" in book.period) != ("Q" in current):
        return replace(book, period=current, alarmed=False, gone=False)
    return book


class _Account:
    """One call in the making."""

    def __init__(
        self, view: View[GoalBook], goal: Goal, reference: AgreementReference, now: int
    ) -> None:
        self.view, self.goal, self.now = view, goal, now
        self.version = reference.version
        self.zone: ZoneInfo = zone_named(reference.agreement.timezone)
        self.calendar: Calendar = reference.agreement.calendars[goal.calendar]
        self.book = _opened(view.head, period_of(now, goal.per, self.zone).name)
        self.facts: list[Fact] = []
        self.put: list[Put[Any]] = []
        self.drop: list[Drop] = []

    def take(self, tally: GoalTally) -> bool:
        """Take one tally; whether it changed anything."""
        if tally.into is not None:
            return self._join(tally.lead_id, tally.into)
        period = period_of(tally.occurred_at_ms, self.goal.per, self.zone)
        if self.goal.metric in MONEY_METRICS:
            return self._count_money(tally, period)
        return self._count_person(
            f"{self._survivor(tally.lead_id)}/{tally.cycle}", tally.amount, period
        )

    def _count_money(self, tally: GoalTally, period: Period) -> bool:
        item = f"{period.name}/{tally.tally_id}"
        if self.view.get(COUNTED, item) is not None:
            return False
        if tally.metric == COVERAGE:
            day = deal_day(tally.due)
            amounts = {
                **self.book.open_by_day,
                day: self.book.open_by_day.get(day, 0) + tally.amount,
            }
            self.book = replace(
                self.book,
                open_by_day={name: each for name, each in sorted(amounts.items()) if each},
            )
            self.put.append(Put(COUNTED, item, CountedTally(amount=tally.amount)))
        else:
            self._add(item, tally.amount)
        self._tell_changed({period.name})
        return True

    def _count_person(self, who: str, amount: int, period: Period) -> bool:
        """Once a lead and cycle, in the earliest period that it was reached in, whatever came
        first."""
        counted = self._counted_in(who)
        if counted is not None and counted <= period.name:
            return False
        if counted is not None:
            self._take_back(f"{counted}/{who}")
        self._add(f"{period.name}/{who}", amount)
        self._tell_changed({period.name} if counted is None else {period.name, counted})
        return True

    def _join(self, lead: str, into: str) -> bool:
        """What the lead counted for counts for the one it ended in; not twice where that one
        counted for the same."""
        survivor = self._survivor(into)
        if survivor == lead:
            return False
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
        self._tell_changed(changed)
        return True

    def _survivor(self, lead: str) -> str:
        """The lead that this one has ended in, or itself."""
        for _ in range(_MOST_JOINS):
            found = (self.view.get(JOINED, f"{period}/{lead}") for period in self._kept())
            joined = next((each for each in found if each is not None), None)
            if joined is None:
                break
            lead = joined.into
        return lead

    def _counted_in(self, who: str) -> str | None:
        kept = self._kept()
        return next(
            (each for each in kept if self.view.get(COUNTED, f"{each}/{who}") is not None), None
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
        self.book = replace(self.book, sums=dict(sorted(sums.items())[-PERIODS_KEPT:]))

    def _tell_changed(self, periods: set[str]) -> None:
        for name in sorted(periods):
            self.tell_progress(period_named(name), closing=name < self.book.period)

    def look(self, *, proven: bool) -> None:
        """Close what is over; else see whether it is going to be missed."""
        while period_named(self.book.period).ends_ms(self.zone) <= self.now:
            self._close(period_named(self.book.period), proven=proven)
        period = period_named(self.book.period)
        now = self.tell_progress(period)
        gone, days = self._days(period)
        if not self.book.alarmed and will_be_missed(self.goal, now, days_gone=gone, days=days):
            self._alarm(period, "breach", "forecast", proven=proven)

    def _close(self, period: Period, *, proven: bool) -> None:
        final = self.tell_progress(period, closing=True)
        if not final.reached and not self.book.alarmed:
            self._alarm(period, "breach", "missed", proven=proven)
        elif final.reached and self.book.alarmed:
            self._alarm(period, "withdrawn", "reached", proven=proven)
        following = period_of(period.ends_ms(self.zone), self.goal.per, self.zone)
        self.book = replace(self.book, period=following.name, alarmed=False)

    def tell_progress(self, period: Period, *, closing: bool = False) -> Standing:
        """``goals.progress.v1``."""
        gone, days = self._days(period)
        total = self.book.sums.get(period.name, 0)
        deals = open_deals(self.book.open_by_day, period, local_date(self.now, self.zone))
        now = standing(self.goal, total=total, open_minor=deals.due, days_gone=gone, days=days)
        state = ("met" if now.reached else "missed") if closing else "running"
        earlier = {
            name: in_units(self.goal, each)
            for name, each in self.book.sums.items()
            if name < period.name
        }
        progress = GoalProgress(
            goal=self.goal.name,
            metric=self.goal.metric,
            side=self.goal.side,
            period=period.name,
            segment=self.goal.segment,
            target=now.target,
            achieved=now.achieved,
            pace_ppm=now.pace_ppm,
            working_days_gone=gone,
            working_days=days,
            at_ms=self.now,
            cause_id=self.view.cause,
            agreement=self.version,
            state=state,
            last_periods=earlier,
            open_overdue=in_units(self.goal, deals.overdue),
            open_later=in_units(self.goal, deals.later),
            open_undated=in_units(self.goal, deals.undated),
        )
        if not closing:
            self.book = replace(self.book, told=progress)
        self._tell(GOALS_PROGRESS, progress)
        return now

    def _days(self, period: Period) -> tuple[int, int]:
        return period.working_days_gone(self.calendar, self.now, self.zone), period.working_days(
            self.calendar
        )

    def _alarm(self, period: Period, kind: str, reason: str, *, proven: bool) -> None:
        self.book = replace(self.book, alarmed=True)
        self._tell(
            LEADS_SLA_VIOLATIONS,
            SlaViolation(
                violation_id=derived_id("goal", self.goal.name, period.name),
                kind=kind,
                clock="goal",
                side=self.goal.side,
                deadline_ms=period.ends_ms(self.zone),
                at_ms=self.now,
                cause_id=self.view.cause,
                agreement=self.version,
                segment=self.goal.segment,
                goal=self.goal.name,
                unproven=not proven,
                reason=reason,
            ),
        )

    def _tell(self, topic: str, value: GoalProgress | SlaViolation) -> None:
        self.facts.append(Fact(topic, self.goal.name, value))

    def step(self) -> Step[GoalBook]:
        """The outcome; what was counted in periods long over is forgotten, a bounded piece at a
        time."""
        end = period_named(self.book.period).ends_ms(self.zone)
        wake_at = min(end, next_working_morning(self.now, self.calendar, self.zone))
        before = instant_ms(period_named(self.book.period).first, 0, self.zone) - 1
        kept_from = period_of(before, self.goal.per, self.zone).name
        kinds: tuple[EntryKind[Any], ...] = (COUNTED, JOINED)
        for kind in kinds:
            old = self.view.scan(kind, below=kept_from, limit=_DROPPED_AT_ONCE)
            if len(old) == _DROPPED_AT_ONCE:
                wake_at = min(wake_at, self.now + _MINUTE_MS)
            self.drop += [Drop(kind, item) for item, _ in old]
        facts = tuple(self.facts)
        return Step(
            head=self.book, wake_at=wake_at, put=tuple(self.put), drop=tuple(self.drop), facts=facts
        )
