"""The compiled section ``recycling``: what a reason means, and when a recycled lead comes back.

Return dates are days in the agreement's time zone at the opening of the house calendar, moved to
the next working day. A duration that is no whole number of days is elapsed time to the millisecond.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from baton.agreement.compiled.calendars import Calendar
from baton.agreement.model.recycling import Outcome
from baton.agreement.quantities import DAY_MS
from baton.agreement.wall_time import day_in, local_date

NEEDS_CONTRACT_END = "contract_end"
_FIRST_DAY, _LAST_DAY = date(1990, 1, 1), date(2100, 1, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """A nurture track: its topics and stage of content, and how long it may last before a
    verdict."""

    name: str
    topics: tuple[str, ...]
    stage: str | None
    may_last_ms: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecycleReason:
    """One reason.

    ``after_ms`` counts from now; ``before_contract_end_ms`` from the end of the contract instead,
    with ``after_ms`` as the default where that end is not known. ``turn_back``: a rejection for
    this reason gives the turn back (no fault).
    """

    name: str
    outcome: Outcome
    track: str | None
    cool_off_ms: int
    after_ms: int
    before_contract_end_ms: int | None
    turn_back: bool
    label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnPlan:
    """How a recycled lead comes back. ``needs`` names what somebody must find out
    (``contract_end``), else None."""

    track: str
    cool_off_until_ms: int
    return_at_ms: int
    needs: str | None
    long_term: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Recycling:
    """``max_recycles``: after so many, a lead goes to ``long_term_track`` for
    ``long_term_after_ms``, never into silence."""

    reasons: Mapping[str, RecycleReason]
    tracks: Mapping[str, Track]
    max_recycles: int
    long_term_track: str
    long_term_after_ms: int
    fallback: str
    calendar: Calendar

    def reason(self, name: str | None) -> RecycleReason:
        """The reason by name; one the agreement does not know (or none) is taken as its fallback
        reason."""
        return self.reasons.get(name or self.fallback) or self.reasons[self.fallback]

    def return_at(
        self, reason: RecycleReason | str, now_ms: int, contract_end: str | None = None
    ) -> int:
        """When a lead recycled at ``now_ms`` comes back, never before the end of its cool-off."""
        rule = self.reason(reason) if isinstance(reason, str) else reason
        cool_off_until = self.cool_off_until(rule, now_ms)
        end = _contract_day(contract_end, self.calendar.zone)
        if rule.before_contract_end_ms is None or end is None:
            return self._later(now_ms, rule.after_ms, not_before_ms=cool_off_until)
        back = end - timedelta(days=rule.before_contract_end_ms // DAY_MS)
        return self._on_working_day(back, not_before_ms=cool_off_until)

    def cool_off_until(self, reason: RecycleReason, now_ms: int) -> int:
        """Before this moment only a raised hand brings the lead back."""
        return now_ms + reason.cool_off_ms

    def plan(
        self,
        reason: RecycleReason | str,
        now_ms: int,
        *,
        contract_end: str | None = None,
        recycles: int = 0,
    ) -> ReturnPlan:
        """Everything about the way back of a lead that was recycled ``recycles`` times before."""
        rule = self.reason(reason) if isinstance(reason, str) else reason
        unknown = (
            rule.before_contract_end_ms is not None
            and _contract_day(contract_end, self.calendar.zone) is None
        )
        long_term = recycles >= self.max_recycles
        back = self.return_at(rule, now_ms, contract_end)
        if long_term:
            back = max(back, self._later(now_ms, self.long_term_after_ms, not_before_ms=now_ms))
        return ReturnPlan(
            track=self.long_term_track if long_term or rule.track is None else rule.track,
            cool_off_until_ms=self.cool_off_until(rule, now_ms),
            return_at_ms=back,
            needs=NEEDS_CONTRACT_END if unknown else None,
            long_term=long_term,
        )

    def _later(self, now_ms: int, after_ms: int, *, not_before_ms: int) -> int:
        if after_ms % DAY_MS:
            return max(now_ms + after_ms, not_before_ms)
        day = local_date(now_ms, self.calendar.zone) + timedelta(days=after_ms // DAY_MS)
        return self._on_working_day(day, not_before_ms=not_before_ms)

    def _on_working_day(self, day: date, *, not_before_ms: int) -> int:
        """The opening of the first working day from ``day`` on that ends after ``not_before_ms``;
        on the day on which the cool-off ends, not before its end."""
        day = self.calendar.working_day_from(
            max(day, local_date(not_before_ms, self.calendar.zone))
        )
        return max(self.calendar.opening_of(day), not_before_ms)


def has_date(contract_end: str, zone: ZoneInfo) -> bool:
    """Whether the text is the day on which a contract can end."""
    return _contract_day(contract_end, zone) is not None


def _contract_day(text: str | None, zone: ZoneInfo) -> date | None:
    """The day in ``zone``, or None where the text is no ISO date, or one that no contract has."""
    day = day_in(text, zone) if text else None
    return day if day is not None and _FIRST_DAY <= day <= _LAST_DAY else None
