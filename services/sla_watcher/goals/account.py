"""One call of the goals reducer under construction: what counts, how the goal stands, and whether
it is going to be missed."""

from __future__ import annotations

from datetime import date
from typing import Any, Final
from zoneinfo import ZoneInfo

from baton.agreement.compiled.calendars import Calendar
from baton.agreement.compiled.goals import Goal
from baton.agreement.reference import AgreementReference
from baton.agreement.wall_time import instant_ms, local_date, zone_named
from baton.contracts.goals import GoalProgress, GoalTally
from baton.contracts.slas import SlaViolation
from baton.contracts.topic_names import GOALS_PROGRESS, LEADS_SLA_VIOLATIONS
from baton.derived_ids import derived_id
from baton.engine.reducer import Drop, EntryKind, Fact, Put, Step, View
from baton.evolve import evolve
from services.sla_watcher.goals.counting import Counting
from services.sla_watcher.goals.periods import Period, next_working_morning, period_named, period_of
from services.sla_watcher.goals.progress import (
    COVERAGE,
    OwedDays,
    Standing,
    in_units,
    open_deals,
    standing,
    will_be_missed,
)
from services.sla_watcher.goals.state import COUNTED, JOINED, GoalBook

_DROPPED_AT_ONCE: Final = 500
_MINUTE_MS: Final = 60_000


def _opened(book: GoalBook | None, current: str, day: str) -> GoalBook:
    """The book of a goal that is in force; a goal that is new, is back, or now runs by quarters
    begins with this period, and is owed from ``day`` on."""
    if book is None:
        return GoalBook(period=current, owed_from={current: day})
    if book.gone or ("Q" in book.period) != ("Q" in current):
        owed_from = {**book.owed_from, current: day}
        return evolve(book, period=current, alarmed=False, gone=False, owed_from=owed_from)
    return book


class Account:
    """A goal's book, what is published of it, and what is stored."""

    def __init__(
        self, view: View[GoalBook], goal: Goal, reference: AgreementReference, now: int
    ) -> None:
        self.view, self.goal, self.now = view, goal, now
        self.version = reference.version
        self.zone: ZoneInfo = zone_named(reference.agreement.timezone)
        self.calendar: Calendar = reference.agreement.calendars[goal.calendar]
        self.begins = period_of(reference.began_ms, goal.per, self.zone)
        opens = max(self.begins, period_of(now, goal.per, self.zone), key=lambda one: one.first)
        day = local_date(max(now, reference.began_ms), self.zone).isoformat()
        self.book = _opened(view.head, opens.name, day)
        if period_named(self.book.period).first < self.begins.first:
            begun = {opens.name: day}
            self.book = evolve(self.book, period=opens.name, alarmed=False, owed_from=begun)
        self.facts: list[Fact] = []
        self.put: list[Put[Any]] = []
        self.drop: list[Drop] = []

    def take(self, tally: GoalTally) -> bool:
        """Take one tally; whether there is anything to store or to publish."""
        counting = Counting(self.view, self.book, self.goal, self.zone)
        changed = counting.count(tally)
        self.book = counting.book
        self.put += counting.put
        self.drop += counting.drop
        for period in self._to_publish(changed):
            self.publish_progress(period, closing=period.name < self.book.period)
        return bool(changed or counting.put)

    def _to_publish(self, changed: set[str]) -> list[Period]:
        """The periods that ``changed``. One from before the first agreement owed nothing: what
        counts in it is published among the ``last_periods`` of the open one."""
        periods = {name: period_named(name) for name in changed}
        owed = {name for name, period in periods.items() if period.first >= self.begins.first}
        if owed != changed:
            owed.add(self.book.period)
        return [period_named(name) for name in sorted(owed)]

    def look(self, *, proven: bool) -> None:
        """Close what is over; else see whether it is going to be missed."""
        while period_named(self.book.period).ends_ms(self.zone) <= self.now:
            self._close(period_named(self.book.period), proven=proven)
        period = period_named(self.book.period)
        now = self.publish_progress(period)
        if not self.book.alarmed and will_be_missed(self.goal, now, self._owed(period)):
            self._alarm(period, "breach", "forecast", proven=proven)

    def _close(self, period: Period, *, proven: bool) -> None:
        final = self.publish_progress(period, closing=True)
        if not final.reached and not self.book.alarmed:
            self._alarm(period, "breach", "missed", proven=proven)
        elif final.reached and self.book.alarmed:
            self._alarm(period, "withdrawn", "reached", proven=proven)
        following = period_of(period.ends_ms(self.zone), self.goal.per, self.zone)
        self.book = evolve(self.book, period=following.name, alarmed=False)

    def publish_progress(self, period: Period, *, closing: bool = False) -> Standing:
        """``goals.progress.v1``."""
        owed = self._owed(period)
        achieved = self.book.sums.get(period.name, 0)
        deals = open_deals(self.book.open_by_day, period, local_date(self.now, self.zone))
        now = standing(self.goal, total=achieved, open_minor=deals.due, owed=owed)
        state = ("met" if now.reached else "missed") if closing else "running"
        earlier = {
            name: in_units(self.goal, total)
            for name, total in self.book.sums.items()
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
            working_days_gone=owed.gone,
            working_days=owed.days,
            at_ms=self.now,
            cause_id=self.view.cause,
            agreement=self.version,
            state=state,
            last_periods=earlier,
            open_overdue=in_units(self.goal, deals.overdue),
            open_later=in_units(self.goal, deals.later),
            open_undated=in_units(self.goal, deals.undated),
            owed_from=self.book.owed_from[period.name] if owed.days < owed.whole else None,
        )
        if not closing:
            self.book = evolve(self.book, published=progress)
        self._publish(GOALS_PROGRESS, progress)
        return now

    def _owed(self, period: Period) -> OwedDays:
        day = self.book.owed_from.get(period.name) if self.goal.metric != COVERAGE else None
        since = date.fromisoformat(day) if day is not None else None
        return OwedDays(
            gone=period.working_days_gone(self.calendar, self.now, self.zone, since=since),
            days=period.working_days(self.calendar, since=since),
            whole=period.working_days(self.calendar),
        )

    def _alarm(self, period: Period, kind: str, reason: str, *, proven: bool) -> None:
        self.book = evolve(self.book, alarmed=True)
        self._publish(
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

    def _publish(self, topic: str, value: GoalProgress | SlaViolation) -> None:
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
