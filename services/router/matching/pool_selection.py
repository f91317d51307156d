"""Which pool a qualified lead belongs to: the first that fits of a fixed order, with the path
there.

Suppressed (a rule, or no consent for being called) - the deputy of whoever is away - the owner of
the open cycle - a customer's account owner - the holder of a colleague's open hand-off - the named
account - territory - segment - default. What a person decided (claim, pass on, assign) comes before
all but suppression. Pure: account, request and agreement in, pool or reason out.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from baton.agreement.compiled.agreement import CompiledAgreement, context_of_qualified
from baton.agreement.condition_context import ConditionContext
from baton.contracts.leads import LeadQualified
from baton.contracts.routing import MANUAL, HandoffRequest, RoutingStep
from services.router.matching.state import AccountState, OpenHandoff
from services.router.suppression import suppression_of

MANAGER_QUEUE = "manager_queue"
DEPUTY = "deputy"
OWNER_OF_CYCLE = "owner_of_cycle"
CUSTOMER_OWNER = "customer_owner"
COLLEAGUE = "colleague"
NAMED_ACCOUNT = "named_account"
CHOSEN, NO = "chosen", "no"
WON = frozenset({"won", "customer"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppressed:
    """The lead goes to nobody, and why."""

    reason: str
    path: tuple[RoutingStep, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """The pool, by ``rule``. ``person`` is to have it (for certain if ``forced``), or whoever holds
    the hand-off ``beside``."""

    pool: str
    rule: str
    path: tuple[RoutingStep, ...]
    person: str | None = None
    forced: bool = False
    beside: str | None = None
    skills: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One rule that fits: where to, and what is recorded."""

    pool: str
    person: str | None = None
    beside: str | None = None


def choose_pool(
    request: HandoffRequest,
    qualified: LeadQualified,
    account: AccountState,
    colleagues: Sequence[tuple[str, OpenHandoff]],
    agreement: CompiledAgreement,
    *,
    now: int,
) -> Chosen | Suppressed:
    """The decision for one request. ``colleagues``: the open hand-offs of other leads at the
    account, by id."""
    context = context_of_qualified(qualified, now_ms=now, account=account.scored)
    verdict = suppression_of(context, agreement)
    if verdict.reason is not None:
        return Suppressed(reason=verdict.reason, path=verdict.path)
    path = list(verdict.path)
    if request.person is not None or request.pool is not None or request.watcher is not None:
        return _as_requested(request, context, agreement, path)
    for rule, found in _certain_ones(request, qualified, account, colleagues, context, agreement):
        path.append(RoutingStep(rule=rule, outcome=found if isinstance(found, str) else CHOSEN))
        if isinstance(found, Found):
            return Chosen(
                pool=found.pool,
                rule=rule,
                path=tuple(path),
                person=found.person,
                beside=found.beside,
            )
    choice = agreement.routing.choose(context)
    skills = agreement.routing.skills_for(context, choice.rule, agreement.pools[choice.pool].skills)
    path += [*choice.path[:-1], *skills.path, choice.path[-1]]
    return Chosen(
        pool=choice.pool,
        rule=choice.path[-1].rule,
        path=tuple(path),
        skills=tuple(sorted(skills.needed)),
    )


def _certain_ones(
    request: HandoffRequest,
    qualified: LeadQualified,
    account: AccountState,
    colleagues: Sequence[tuple[str, OpenHandoff]],
    context: ConditionContext,
    agreement: CompiledAgreement,
) -> Iterator[tuple[str, Found | str]]:
    """The rules that name a person, or a pool for one account, in order: what each found, or why it
    found nothing."""
    if request.deputy is not None:
        yield DEPUTY, _with_person(request.deputy, context, agreement)
    owner = _cycle_owner(request, qualified)
    yield OWNER_OF_CYCLE, _with_person(owner, context, agreement)
    owner = _customer_owner(account, qualified, agreement)
    yield CUSTOMER_OWNER, _with_person(owner, context, agreement)
    yield COLLEAGUE, _colleague(colleagues, context, agreement)
    yield NAMED_ACCOUNT, _named(context, agreement)


def _as_requested(
    request: HandoffRequest,
    context: ConditionContext,
    agreement: CompiledAgreement,
    path: list[RoutingStep],
) -> Chosen:
    rule = MANUAL if request.watcher is None else MANAGER_QUEUE
    path.append(RoutingStep(rule=rule, outcome=request.reason or CHOSEN))
    pool = request.pool if request.pool in agreement.pools else None
    if request.person is not None:
        # In the pool that was named only if they belong to it or to none.
        own = agreement.routing.pool_of(request.person, context.leg, hint=pool)
        return Chosen(
            pool=own or pool or agreement.routing.choose(context).pool,
            rule=rule,
            path=tuple(path),
            person=request.person,
            forced=True,
        )
    return Chosen(pool=pool or agreement.routing.choose(context).pool, rule=rule, path=tuple(path))


def _with_person(
    person: str | None, context: ConditionContext, agreement: CompiledAgreement
) -> Found | str:
    """The pool in which ``person`` takes such leads, or why not."""
    if person is None:
        return NO
    known = agreement.people.get(person)
    if known is None or not known.active:
        return "left"
    pool = agreement.routing.pool_of(person, context.leg)
    return Found(pool=pool, person=person) if pool is not None else "in no pool of this kind"


def _cycle_owner(request: HandoffRequest, qualified: LeadQualified) -> str | None:
    """Who holds the open cycle; who won an earlier one holds it no longer, and comes next."""
    won_it = request.owner in _winners(qualified) and request.owner == qualified.owner
    return None if won_it else request.owner


def _customer_owner(
    account: AccountState, qualified: LeadQualified, agreement: CompiledAgreement
) -> str | None:
    winners = _winners(qualified)
    if account.customer_of is None and not winners:
        return None
    named = agreement.routing.named_account(qualified.story.account_id)
    return (named.owner if named else None) or account.customer_of or winners[-1]


def _winners(qualified: LeadQualified) -> list[str]:
    return [
        cycle.holder
        for cycle in qualified.story.earlier_cycles
        if cycle.outcome in WON and cycle.holder
    ]


def _colleague(
    colleagues: Sequence[tuple[str, OpenHandoff]],
    context: ConditionContext,
    agreement: CompiledAgreement,
) -> Found | str:
    """A buying group stays with one person. Sales keeps what it has begun, whichever leg the
    colleague is on; the bridge team keeps its own leg only."""
    if not agreement.routing.keep_colleagues_together:
        return "not kept together"
    fitting = [
        (handoff_id, handoff)
        for handoff_id, handoff in colleagues
        if handoff.kind in ("sales", context.leg) and handoff.pool in agreement.pools
    ]
    if not fitting:
        return NO
    handoff_id, found = min(
        fitting,
        key=lambda known: (
            known[1].kind != "sales",
            not known[1].accepted,
            known[1].since_ms,
            known[0],
        ),
    )
    return Found(pool=found.pool, beside=handoff_id)


def _named(context: ConditionContext, agreement: CompiledAgreement) -> Found | str:
    named = agreement.routing.named_account(context.account_id)
    if named is None:
        return NO
    if named.owner is not None:
        return _with_person(named.owner, context, agreement)
    pool = named.pools.get(context.leg or "sales")
    return Found(pool=pool) if pool is not None else "no pool of this kind"
