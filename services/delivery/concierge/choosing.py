"""Who would take a lead now, as far as public facts and the agreement say. Pure.

This is no decision of the router's, and moves nothing: the pool is the one that the agreement's
rules give, the person is the one who has the lead or a colleague of it already, else who of the
pool is there and has the least open work for their weight. What was promised is made true
afterwards by a command.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from baton.agreement.compiled.agreement import CompiledAgreement
from baton.agreement.compiled.pools import Member, Pool
from baton.agreement.condition_context import ConditionContext
from baton.agreement.reference import AgreementReference
from baton.ids import derived_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Buyer:
    """Who fills in the form: ``digest`` of the address, the account, and the profile as intake
    writes it."""

    digest: str
    account_id: str | None
    profile: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """``holder``: of the buyer's open hand-off; ``colleague``: who has another open one of the
    account; ``open_work``: open hand-offs by person."""

    holder: str | None = None
    colleague: str | None = None
    open_work: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """``person`` None: nobody is there now, or the lead goes to nobody: the normal route. ``now``:
    whether somebody of the pool is there; it depends on the form and the hour alone, so that it
    shows nothing of who is known or suppressed."""

    pool: str = ""
    person: str | None = None
    now: bool = False


def choose(reference: AgreementReference, buyer: Buyer, known: Known, now_ms: int) -> Choice:
    """Whom the buyer would come to, if they asked for a conversation now."""
    agreement = reference.agreement
    context = _context(agreement, buyer, now_ms)
    pool_name, named = agreement.routing.expected(context)
    pool = agreement.pools[pool_name]
    there = [member for member in pool.members if _is_there(reference, pool, member, known, now_ms)]
    if agreement.routing.suppressed(context).reason is not None:
        return Choice(pool=pool_name, now=bool(there))
    for person in filter(None, (known.holder, named, _colleague(agreement, known))):
        if _works(agreement, person) and not reference.absent(person, now_ms):
            mine = agreement.routing.pool_of(person, context.leg, hint=pool_name)
            return Choice(pool=mine or pool_name, person=person, now=bool(there))
    if not there:
        return Choice(pool=pool_name)
    best = min(there, key=lambda member: _order(member, known, buyer, reference, now_ms))
    return Choice(pool=pool_name, person=best.person, now=True)


def _context(agreement: CompiledAgreement, buyer: Buyer, now_ms: int) -> ConditionContext:
    fit = agreement.fit.evaluate(buyer.profile).points_micro
    leg = agreement.levels.queue_for("hot", agreement.levels.fit_band(fit), True)
    return ConditionContext(
        now_ms=now_ms,
        profile=buyer.profile,
        account_id=buyer.account_id,
        fit_micro=fit,
        level="hot",
        segment=agreement.segment_of(buyer.profile),
        hand_raised=True,
        leg=leg,
        stage="mql",
        reachable=True,
    )


def _colleague(agreement: CompiledAgreement, known: Known) -> str | None:
    return known.colleague if agreement.routing.keep_colleagues_together else None


def _works(agreement: CompiledAgreement, person: str) -> bool:
    found = agreement.people.get(person)
    return found is not None and found.active


def _is_there(
    reference: AgreementReference, pool: Pool, member: Member, known: Known, now_ms: int
) -> bool:
    agreement, person = reference.agreement, member.person
    if not _works(agreement, person) or reference.absent(person, now_ms):
        return False
    if member.capacity is not None and known.open_work.get(person, 0) >= member.capacity:
        return False
    calendar = agreement.calendar_for(person=person, pool=pool.name)
    return pool.ignore_hours or calendar.is_open(now_ms)


def _order(
    member: Member, known: Known, buyer: Buyer, reference: AgreementReference, now_ms: int
) -> tuple[Fraction, str]:
    day = reference.agreement.calendar.shift_day(now_ms)
    weight = member.weight_on(day)
    work = Fraction(known.open_work.get(member.person, 0) + 1)
    load = work / weight if weight else Fraction(10**9) + work
    return load, derived_id("concierge", buyer.digest, member.person)
