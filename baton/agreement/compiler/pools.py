"""Compiles the sections ``people`` and ``pools``."""

from collections.abc import Mapping
from fractions import Fraction

from baton.agreement.compiled.pools import Limits, Member, PersonRule, Pool, Ramp
from baton.agreement.model.people import PersonModel
from baton.agreement.model.pools import (
    Matches,
    MemberModel,
    OverflowModel,
    PoolModel,
    WatchModel,
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
