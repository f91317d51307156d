"""goals, per goal: what both sides owe in a period, with pace, a forecast in mid-period, and the verdict at its end.

Each tally counts once, in the period it occurred in. A period is closed only when everything appended before its end is known.
One violation a period at most: the forecast, or the miss; a forecast that turns out wrong is withdrawn.
"""

from dataclasses import replace
from typing import Final
from zoneinfo import ZoneInfo

from baton.agreement.compiled.calendars import Calendar
from baton.agreement.compiled.goals import Goal
from baton.agreement.reference import AgreementReference
from baton.agreement.wall_time import instant_ms, zone_named
from baton.contracts.goals import OPENED, GoalProgress, GoalTally
from baton.contracts.slas import SlaViolation
from baton.contracts.topic_names import GOALS_PROGRESS, LEADS_SLA_VIOLATIONS, SLA_TALLIES
from baton.engine.reducer import Drop, Event, Fact, Put, Reducer, Step, View
from baton.ids import derived_id
from services.sla_watcher.goals.periods import Period, next_working_morning, period_named, period_of
from services.sla_watcher.goals.progress import COVERAGE, Standing, in_units, standing, will_be_missed
from services.sla_watcher.goals.state import COUNTED, CountedTally, GoalBook

PERIODS_KEPT: Final = 13
_DROPPED_AT_ONCE: Final = 500
_MINUTE_MS: Final = 60_000


class Goals(Reducer[GoalBook, AgreementReference]):
    """The reducer; see the module."""

    name = "goals"
    service = "sla_watcher"
    inputs = (SLA_TALLIES,)
    outputs = (GOALS_PROGRESS, LEADS_SLA_VIOLATIONS)
    head_type = GoalBook
    entry_kinds = (COUNTED,)
    upstream = ("admit", "identify", "lead", "dispatch", "matching", "assignment", "clocks")
    adopts = True

    def step(self, view: View[GoalBook], event: Event, *, now: int, reference: AgreementReference) -> Step[GoalBook]:
        """Count one tally."""
        tally: GoalTally = event.value
        goal = reference.agreement.goals.get(view.key)
        if goal is None:
            return Step(head=view.head, wake_at=view.wake_at)
        account = _Account(view, goal, reference, now)
        period = period_of(tally.occurred_at_ms, goal.per, account.zone)
        item = f"{period.name}/{tally.tally_id}"
        if view.get(COUNTED, item) is not None or (view.head is not None and tally.metric == OPENED):
            return Step(head=view.head, wake_at=view.wake_at)
        account.count(tally, period)
        account.tell_progress(period, closing=period.name < account.book.period)
        return account.step(put=(Put(COUNTED, item, CountedTally(amount=tally.amount)),))

    def wake(self, view: View[GoalBook], *, now: int, reference: AgreementReference) -> Step[GoalBook]:
        """A working day begins, or a period is over."""
        goal = reference.agreement.goals.get(view.key)
        if goal is None or view.head is None:
            return Step(head=view.head)
        account = _Account(view, goal, reference, now)
        account.look(proven=view.proven)
        return account.step()

    def adopt(self, view: View[GoalBook], *, old: str, new: AgreementReference, now: int) -> Step[GoalBook]:
        """The goal as it is now agreed; what was counted stays."""
        goal = new.agreement.goals.get(view.key)
        if view.head is None or goal is None:
            return Step(head=view.head and replace(view.head, gone=True))
        account = _Account(view, goal, new, now)
        account.tell_progress(period_named(account.book.period))
        return account.step()


def _opened(book: GoalBook | None, current: str) -> GoalBook:
    """The book of a goal that is in force; a goal that is new, is back, or now runs by quarters begins with this period."""
    if book is None:
        return GoalBook(period=current)
    if book.gone or ("Q" in book.period) != ("Q" in current):
        return replace(book, period=current, alarmed=False, gone=False)
    return book


class _Account:
    """One call in the making."""

    def __init__(self, view: View[GoalBook], goal: Goal, reference: AgreementReference, now: int) -> None:
        self.view, self.goal, self.now = view, goal, now
        self.version = reference.version
        self.zone: ZoneInfo = zone_named(reference.agreement.timezone)
        self.calendar: Calendar = reference.agreement.calendars[goal.calendar]
        self.book = _opened(view.head, period_of(now, goal.per, self.zone).name)
        self.facts: list[Fact] = []

    def count(self, tally: GoalTally, period: Period) -> None:
        """Add the tally to its sum."""
        if tally.metric == COVERAGE:
            self.book = replace(self.book, open_minor=self.book.open_minor + tally.amount)
            return
        sums = {**self.book.sums, period.name: self.book.sums.get(period.name, 0) + tally.amount}
        self.book = replace(self.book, sums=dict(sorted(sums.items())[-PERIODS_KEPT:]))

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
        now = standing(self.goal, total=total, open_minor=self.book.open_minor, days_gone=gone, days=days)
        state = ("met" if now.reached else "missed") if closing else "running"
        earlier = {name: in_units(self.goal, each) for name, each in self.book.sums.items() if name < period.name}
        self._tell(GOALS_PROGRESS, GoalProgress(
            goal=self.goal.name, metric=self.goal.metric, side=self.goal.side, period=period.name, segment=self.goal.segment,
            target=now.target, achieved=now.achieved, pace_ppm=now.pace_ppm, working_days_gone=gone, working_days=days,
            at_ms=self.now, cause_id=self.view.cause, agreement=self.version, state=state, last_periods=earlier,
        ))  # fmt: skip
        return now

    def _days(self, period: Period) -> tuple[int, int]:
        return period.working_days_gone(self.calendar, self.now, self.zone), period.working_days(self.calendar)

    def _alarm(self, period: Period, kind: str, reason: str, *, proven: bool) -> None:
        self.book = replace(self.book, alarmed=True)
        self._tell(LEADS_SLA_VIOLATIONS, SlaViolation(
            violation_id=derived_id("goal", self.goal.name, period.name), kind=kind, clock="goal", side=self.goal.side,
            deadline_ms=period.ends_ms(self.zone), at_ms=self.now, cause_id=self.view.cause, agreement=self.version,
            segment=self.goal.segment, goal=self.goal.name, unproven=not proven, reason=reason,
        ))  # fmt: skip

    def _tell(self, topic: str, value: GoalProgress | SlaViolation) -> None:
        self.facts.append(Fact(topic, self.goal.name, value))

    def step(self, *, put: tuple[Put[CountedTally], ...] = ()) -> Step[GoalBook]:
        """The outcome; what was counted in periods long over is forgotten, a bounded piece at a time."""
        end = period_named(self.book.period).ends_ms(self.zone)
        wake_at = min(end, next_working_morning(self.now, self.calendar, self.zone))
        before = instant_ms(period_named(self.book.period).first, 0, self.zone) - 1
        kept_from = period_of(before, self.goal.per, self.zone).name
        old = self.view.scan(COUNTED, below=kept_from, limit=_DROPPED_AT_ONCE)
        if len(old) == _DROPPED_AT_ONCE:
            wake_at = min(wake_at, self.now + _MINUTE_MS)
        drop = tuple(Drop(COUNTED, item) for item, _ in old)
        return Step(head=self.book, wake_at=wake_at, put=put, drop=drop, facts=tuple(self.facts))
