"""Who would take a lead now, as far as public facts and the agreement say. Pure.

This is no decision of the router's, and moves nothing: the pool is the one that the agreement's
rules give, the person is the one who has the lead or a colleague of it already, else who of the
pool is there and has the least open work for their weight. What was promised is made true
afterwards by a command.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction

from baton.agreement.compiled.agreement import CompiledAgreement
from baton.agreement.compiled.pools import Member, Pool
from baton.agreement.condition_context import ConditionContext
from baton.agreement.reference import AgreementReference
from baton.derived_ids import derived_id
from services.delivery.concierge.buyer import Buyer


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """``holder``: of the buyer's open hand-off; ``colleague``: who has another open one of the
    account; ``open_work``: open hand-offs by person."""

    holder: str | None = None
    colleague: str | None = None
    open_work: Mapping[str, int] = field(default_factory=dict)


class Binding(StrEnum):
    """Who may take the buyer: ``person``: only whoever has them, or a colleague of theirs, already;
    ``pool``: anybody of the pool; ``nobody``: the agreement suppresses them."""

    PERSON = "person"
    POOL = "pool"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """``person`` None: nobody is there now, or the lead goes to nobody: the normal route.

    ``now``: whether somebody of ``shown_pool`` is there. Both depend on the form and the hour
    alone: they are those of a stranger with the same form, so that they show nothing of who is
    known, named or suppressed.
    """

    pool: str = ""
    person: str | None = None
    binding: Binding = Binding.NOBODY
    now: bool = False
    shown_pool: str = ""


def choose(reference: AgreementReference, buyer: Buyer, known: Known, now_ms: int) -> Choice:
    """Whom the buyer would come to, if they asked for a conversation now."""
    agreement = reference.agreement
    shown_pool = agreement.routing.choose(_context(agreement, _stranger(buyer), now_ms)).pool
    now = bool(_those_there(reference, shown_pool, known, now_ms))
    context = _context(agreement, buyer, now_ms)
    pool, named = agreement.routing.expected(context)
    if agreement.routing.suppressed(context).reason is not None:
        return Choice(pool=pool, now=now, shown_pool=shown_pool)
    for person in filter(None, (known.holder, named, _colleague(agreement, known))):
        if is_staff(agreement, person) and not reference.absent(person, now_ms):
            mine = agreement.routing.pool_of(person, context.leg, hint=pool) or pool
            bound = Binding.PERSON
            return Choice(pool=mine, person=person, binding=bound, now=now, shown_pool=shown_pool)
    there = _those_there(reference, pool, known, now_ms)
    best = best_of(reference, there, known, buyer.digest, now_ms) if there else None
    return Choice(pool=pool, person=best, binding=Binding.POOL, now=now, shown_pool=shown_pool)


def best_of(
    reference: AgreementReference,
    members: Sequence[Member],
    known: Known,
    digest: str,
    now_ms: int,
) -> str:
    """Of some members of a pool whoever has the least open work for their weight."""
    return min(members, key=lambda one: _order(one, known, digest, reference, now_ms)).person


def has_room(agreement: CompiledAgreement, member: Member, open_work: Mapping[str, int]) -> bool:
    """Whether the person is active and below their capacity."""
    work = open_work.get(member.person, 0)
    return is_staff(agreement, member.person) and (
        member.capacity is None or work < member.capacity
    )


def is_staff(agreement: CompiledAgreement, person: str) -> bool:
    """Whether the person is active in the agreement."""
    found = agreement.people.get(person)
    return found is not None and found.active


def _stranger(buyer: Buyer) -> Buyer:
    """The same form of somebody whose address says nothing."""
    profile = {name: text for name, text in buyer.profile.items() if name != "domain"}
    return Buyer(digest="", account_id=None, profile=profile)


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


def _those_there(
    reference: AgreementReference, pool_name: str, known: Known, now_ms: int
) -> list[Member]:
    pool = reference.agreement.pools[pool_name]
    return [
        member
        for member in pool.members
        if has_room(reference.agreement, member, known.open_work)
        and not reference.absent(member.person, now_ms)
        and _works_now(reference.agreement, pool, member.person, now_ms)
    ]


def _works_now(agreement: CompiledAgreement, pool: Pool, person: str, now_ms: int) -> bool:
    calendar = agreement.calendar_for(person=person, pool=pool.name)
    return pool.ignore_hours or calendar.is_open(now_ms)


def _order(
    member: Member, known: Known, digest: str, reference: AgreementReference, now_ms: int
) -> tuple[Fraction, str]:
    day = reference.agreement.calendar.shift_day(now_ms)
    weight = member.weight_on(day)
    work = Fraction(known.open_work.get(member.person, 0) + 1)
    load = work / weight if weight else Fraction(10**9) + work
    return load, derived_id("concierge", digest, member.person)
