"""Compiles the sections that stand alone: calendars, people, pools, promises, recycling,
consent."""

from collections.abc import Mapping
from fractions import Fraction
from zoneinfo import ZoneInfo

from baton.agreement.compiled.calendars import Calendar
from baton.agreement.compiled.consent import ConsentRule, ConsentRules
from baton.agreement.compiled.pools import Limits, Member, PersonRule, Pool, Ramp
from baton.agreement.compiled.recycling import RecycleReason, Recycling, Track
from baton.agreement.compiled.sla_targets import target_of
from baton.agreement.compiled.slas import AWAITING, LadderStep, SlaRule, SlaRules, WaitRule
from baton.agreement.holiday_days import holidays_of
from baton.agreement.model.calendar import DAYS, CalendarModel
from baton.agreement.model.consent import Basis, ConsentModel, ConsentsModel
from baton.agreement.model.people import PersonModel
from baton.agreement.model.pools import (
    Matches,
    MemberModel,
    OverflowModel,
    PoolModel,
    WatchModel,
)
from baton.agreement.model.recycling import ReasonModel, RecyclingModel
from baton.agreement.model.slas import GoOnModel, PromiseModel, SlasModel, StepModel, WaitModel
from baton.agreement.quantities import DIGEST_MS
from baton.agreement.wall_time import zone_named
from baton.contracts.clock_kinds import kind_of


def compile_calendar(name: str, model: CalendarModel, house_zone: ZoneInfo) -> Calendar:
    """A calendar in its own zone, or the agreement's."""
    return Calendar(
        name=name,
        zone=zone_named(model.timezone) if model.timezone else house_zone,
        weekly=tuple(model.hours.get(day, ()) for day in DAYS),
        holidays=holidays_of(model.holidays),
        closed=frozenset(model.closed),
        extra=dict(model.open),
        by_calendar_day=model.shifts_over_midnight == "calendar day",
    )


def compile_people(
    models: Mapping[str, PersonModel], pools: Mapping[str, PoolModel]
) -> dict[str, PersonRule]:
    """People by id, with the pools that they are in."""
    return {
        person: PersonRule(
            id=person,
            name=model.name,
            calendar=model.calendar,
            active=model.active,
            skills=frozenset(model.skills),
            manager=model.manager,
            deputy=model.deputy,
            limits=Limits(
                capacity=model.capacity,
                offers=model.offers,
                per_day=model.per_day,
                per_week=model.per_week,
            ),
            pools=tuple(sorted(name for name, pool in pools.items() if person in pool.members)),
        )
        for person, model in sorted(models.items())
    }


def compile_pool(
    name: str, model: PoolModel, people: Mapping[str, PersonRule], house_calendar: str
) -> Pool:
    """A pool with its members by person id."""
    members = tuple(
        _member(person, member, people[person]) for person, member in sorted(model.members.items())
    )
    nobody, overflow_to, watcher = "hold", None, None
    if isinstance(model.nobody, OverflowModel):
        nobody, overflow_to = "overflow", model.nobody.overflow
    elif isinstance(model.nobody, WatchModel):
        nobody, watcher = "watch", model.nobody.watch
    return Pool(
        name=name,
        kind=model.kind.value,
        members=members,
        nobody=nobody,
        overflow_to=overflow_to,
        watcher=watcher,
        calendar=model.calendar or house_calendar,
        ignore_hours=model.ignore_hours,
        period=model.period.value,
        changing=model.changing.value,
        owner_uses_turn=model.owner_uses_turn,
        keeps_limits=model.matches is Matches.KEEP,
        relax=tuple(step.value for step in model.relax),
        open_work=model.absences.open_work.value,
        away_longer_ms=model.absences.longer_than or 0,
        manager=model.manager,
    )


def _member(person: str, model: MemberModel, known: PersonRule) -> Member:
    ramp = model.ramp
    return Member(
        person=person,
        weight=Fraction(str(model.weight)),
        capacity=model.capacity,
        offers=model.offers,
        skills=known.skills,
        per_day=model.per_day,
        per_week=model.per_week,
        ramp=None if ramp is None else Ramp(starts=ramp.starts, weeks=ramp.weeks),
    )


def compile_slas(model: SlasModel, calendars: Mapping[str, Calendar], house: Calendar) -> SlaRules:
    """Promises in the agreement's order."""
    longest = max(model.evidence_grace.values(), default=0)
    return SlaRules(
        rules=tuple(
            _promise(promise, model, calendars, house, longest) for promise in model.promises
        ),
        evidence_grace_ms=dict(model.evidence_grace),
        digest_ms=DIGEST_MS if model.digest is None else model.digest,
    )


def promise_name(model: PromiseModel) -> str:
    """What a promise is called: its name, or what it is for."""
    what = [model.queue, *model.level, *model.segment, *model.source, *model.campaign, model.stage]
    return model.name or " ".join([model.clock.value, *(level for level in what if level)])


def _promise(
    model: PromiseModel,
    slas: SlasModel,
    calendars: Mapping[str, Calendar],
    house: Calendar,
    longest_grace: int,
) -> SlaRule:
    calendar = calendars[model.calendar] if model.calendar else house
    ladder = slas.ladders[model.ladder_name] if model.ladder_name else model.ladder
    return SlaRule(
        name=promise_name(model),
        clock=model.clock.value,
        target=target_of(model.within, calendar),
        own_calendar=model.calendar is not None,
        warnings=model.warn,
        ladder=tuple(_step(step, calendar) for step in ladder),
        evidence_grace_ms=longest_grace if model.evidence_grace is None else model.evidence_grace,
        side=(model.side or kind_of(model.clock).side).value,
        attempts=model.attempts,
        queue=model.queue,
        levels=model.level,
        segments=model.segment,
        sources=model.source,
        campaigns=model.campaign,
        stage=model.stage,
        apart_ms=model.apart or 0,
        wait=_wait(model),
        absence_counts=model.absence == "counts",
    )


def _wait(model: PromiseModel) -> WaitRule | None:
    pause, resume = model.pause_when, model.resume_when or GoOnModel()
    if pause is None and not kind_of(model.clock).paused_by:
        return None
    pause = pause or WaitModel()
    return WaitRule(
        acts=frozenset(pause.act),
        outcomes=frozenset(pause.outcome) or AWAITING,
        longest_ms=pause.at_most,
        resume_acts=frozenset(resume.act),
        resume_outcomes=frozenset(resume.outcome),
    )


def _step(model: StepModel, calendar: Calendar) -> LadderStep:
    return LadderStep(
        kind=model.do.value,
        to=model.to,
        after=target_of(model.after, calendar) if model.after else None,
        at_most=model.at_most,
        reason=model.reason,
        levels=model.level,
        segments=model.segment,
        hand_raised=model.hand_raised,
    )


def compile_recycling(model: RecyclingModel, house: Calendar) -> Recycling:
    """Reasons and tracks; return dates are on the house calendar."""
    return Recycling(
        reasons={name: _reason(name, reason) for name, reason in sorted(model.reasons.items())},
        tracks={
            name: Track(
                name=name, topics=track.topics, stage=track.stage, may_last_ms=track.may_last
            )
            for name, track in sorted(model.tracks.items())
        },
        max_recycles=model.limit,
        long_term_track=model.long_term.track,
        long_term_after_ms=model.long_term.comes_back,
        fallback=model.fallback,
        calendar=house,
    )


def _reason(name: str, model: ReasonModel) -> RecycleReason:
    when = model.comes_back
    return RecycleReason(
        name=name,
        outcome=model.outcome,
        track=model.track,
        cool_off_ms=model.cool_off,
        after_ms=(when.after_ms if when else None) or model.if_unknown or 0,
        before_contract_end_ms=when.before_end_ms if when else None,
        turn_back=model.turn_back,
        label=model.label or name.replace("_", " "),
    )


def compile_consent(model: ConsentsModel) -> ConsentRules:
    """What contact by a person, and what nurture needs."""
    return ConsentRules(hand_off=_consent(model.hand_off), nurture=_consent(model.nurture))


def _consent(model: ConsentModel) -> ConsentRule:
    return ConsentRule(
        purpose=model.purpose,
        channels=model.channels,
        opt_in=model.basis is Basis.OPT_IN,
        hand_raise_allows=model.hand_raise_allows,
    )
