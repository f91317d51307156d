"""What the agreement says about one clock, with its owner's calendar."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from baton.agreement.compiled.calendars import AnyCalendar
from baton.agreement.compiled.sla_targets import target_of
from baton.agreement.compiled.slas import SlaRule
from baton.agreement.quantities import TargetKind, TargetWords
from baton.agreement.reference import AgreementReference
from baton.contracts.clock_kinds import kind_of
from baton.evolve import evolve, quick
from services.sla_watcher.clocks.intervals import CountedTime, PlainTime, moment
from services.sla_watcher.clocks.state import OpenClock

_PLAIN: Final = PlainTime()


@quick
@dataclass(frozen=True, slots=True)
class Terms:
    """A clock's promise, and the calendar it is counted in: the agreed one less the owner's
    absences."""

    rule: SlaRule
    calendar: AnyCalendar
    former: Terms | None = None
    """What was promised before the hand was raised."""

    @property
    def time(self) -> CountedTime:
        """What counts between start and deadline."""
        return _PLAIN if self.rule.target.kind is TargetKind.ELAPSED else self.calendar

    def deadline(self, clock: OpenClock) -> int:
        """The last moment to be in time. While the clock stands still: if it does so for as long as
        it can."""
        if clock.promised_ms:
            return moment(self.time, clock.promised_at_ms, clock.promised_ms, clock.pauses)
        return self.own_deadline(clock)

    def own_deadline(self, clock: OpenClock) -> int:
        """The same by these terms alone."""
        since_ms = _since(clock)
        unpaused = self.rule.target.deadline(since_ms, self.calendar)
        own = moment(self.time, since_ms, unpaused, clock.pauses)
        if self.former is None:
            return own
        return min(own, self.former.own_deadline(evolve(clock, raised_at_ms=0)))

    def warning(self, clock: OpenClock) -> int | None:
        """When the next warning is due; None if all are given. No warning falls into closed hours,
        when nobody would read it, unless nobody works before the deadline at all."""
        if clock.warned >= len(self.rule.warnings):
            return None
        since_ms = _since(clock)
        unpaused = self.rule.target.at_percent(
            since_ms, self.rule.warnings[clock.warned], self.calendar
        )
        return self.calendar.next_open(moment(self.time, since_ms, unpaused, clock.pauses))

    def rung_due(self, number: int, breached_at_ms: int) -> int | None:
        """When step ``number`` of the ladder is due: never before the evidence grace is over. None
        past the last one."""
        if number >= len(self.rule.ladder):
            return None
        step = self.rule.ladder[number]
        return max(
            step.due_ms(breached_at_ms, self.calendar), breached_at_ms + self.rule.evidence_grace_ms
        )


def _since(clock: OpenClock) -> int:
    """From when on the promise for the clock's level is counted."""
    return clock.raised_at_ms or clock.started_at_ms


def terms_of(clock: OpenClock, reference: AgreementReference) -> Terms | None:
    """The terms in force for ``clock``; None if nothing is promised (any more)."""
    terms = _terms_of_level(clock, reference)
    if not clock.raised_at_ms:
        return terms
    former = _terms_of_level(evolve(clock, level=clock.former_level), reference)
    return former if terms is None else evolve(terms, former=former)


def _terms_of_level(clock: OpenClock, reference: AgreementReference) -> Terms | None:
    agreement = reference.agreement
    rule = agreement.slas.target(
        clock.clock,
        queue=clock.queue,
        level=clock.level,
        segment=clock.segment,
        stage=clock.stage,
        source=clock.source,
        campaign=clock.campaign,
    )
    own_ms = _track_limit(clock, reference)
    if rule is None and own_ms is None:
        return None
    if rule is None or own_ms is not None:
        rule = _with_limit(rule, clock, own_ms or 0, reference)
    return Terms(rule, reference.hours_of(rule, person=clock.owner, pool=clock.pool))


def _track_limit(clock: OpenClock, reference: AgreementReference) -> int | None:
    """How long the clock's track says it may last; nearer to the lead than what is promised for all
    tracks."""
    track = (
        reference.agreement.recycling.tracks.get(clock.track or "")
        if kind_of(clock.clock).by_track
        else None
    )
    return track.may_last_ms if track else None


def _with_limit(
    rule: SlaRule | None, clock: OpenClock, limit_ms: int, reference: AgreementReference
) -> SlaRule:
    written = TargetWords(kind=TargetKind.ELAPSED, amount=limit_ms)
    target = target_of(written, reference.agreement.calendar)
    if rule is not None:
        return evolve(rule, target=target)
    return SlaRule(
        name=f"track {clock.track}",
        clock=clock.clock,
        target=target,
        own_calendar=False,
        warnings=(),
        ladder=(),
        evidence_grace_ms=0,
        side=kind_of(clock.clock).side.value,
    )
