"""matching, per account (or per lead that has none): which pool a request goes to.

It keeps what belongs to the account: its open hand-offs, so that a buying group stays with one
person, and whose customer it is. What follows a request goes to the pool the request went to, in
the same order. Each suppression is answered with its reason.

It knows no turns and no hours: who in the pool gets the lead is assignment's.
"""

from baton.agreement.reference import AgreementReference
from baton.contracts.accounts import AccountScored
from baton.contracts.leads import LeadQualified
from baton.contracts.routing import HandoffRequest, LeadUnrouted, QueueItem, RequestKind
from baton.contracts.streams import answer
from baton.contracts.topic_names import (
    ACCOUNTS_SCORED,
    ROUTER_ACCOUNTS,
    ROUTER_ANSWERS,
    ROUTER_QUEUE,
)
from baton.engine.reducer import Drop, Event, Fact, Put, Reducer, Step, View
from baton.evolve import evolve
from services.router.matching.pool_selection import Chosen, Suppressed, choose_pool
from services.router.matching.state import OPEN, AccountState, OpenHandoff

COLLEAGUES = 200
"""How many open hand-offs of an account are looked at."""


class Matching(Reducer[AccountState, AgreementReference]):
    """The reducer; see the module."""

    name = "matching"
    service = "router"
    inputs = (ROUTER_ACCOUNTS, ACCOUNTS_SCORED)
    outputs = (ROUTER_QUEUE, ROUTER_ANSWERS)
    head_type = AccountState
    entry_kinds = (OPEN,)

    def step(
        self, view: View[AccountState], event: Event, *, now: int, reference: AgreementReference
    ) -> Step[AccountState]:
        """Take one input record."""
        match event.value:
            case AccountScored() as scored:
                return Step(head=evolve(_account(view), scored=scored))
            case HandoffRequest() as request:
                return _on_request(view, request, now, reference)
            case other:
                raise TypeError(f"matching does not read {type(other).__name__}")


def _on_request(
    view: View[AccountState], request: HandoffRequest, now: int, reference: AgreementReference
) -> Step[AccountState]:
    match request.kind:
        case RequestKind.REQUEST if request.qualified is not None:
            return _ask(view, request, request.qualified, now, reference)
        case RequestKind.AMENDED:
            return _amend(view, request, now)
        case RequestKind.OFFERED | RequestKind.ACCEPTED:
            return _note(view, request, now, reference)
        case RequestKind.RELEASE:
            return _release(view, request, now)
        case other:
            raise ValueError(f"matching does not know the request kind {other}")


def _ask(
    view: View[AccountState],
    request: HandoffRequest,
    qualified: LeadQualified,
    now: int,
    reference: AgreementReference,
) -> Step[AccountState]:
    if view.get(OPEN, request.handoff_id) is not None:
        return Step(head=view.head)
    colleagues = () if request.account_id is None else view.scan(OPEN, limit=COLLEAGUES)
    others = [colleague for colleague in colleagues if colleague[1].lead_id != request.lead_id]
    agreement = reference.agreement
    match choose_pool(request, qualified, _account(view), others, agreement, now=now):
        case Suppressed() as suppressed:
            unrouted = _suppressed(request, qualified, suppressed, now, reference.version)
            fact = Fact(ROUTER_ANSWERS, request.lead_id, answer(unrouted))
            return Step(head=view.head, facts=(fact,))
        case Chosen() as chosen:
            kind = agreement.pools[chosen.pool].kind
            open_ = OpenHandoff(lead_id=request.lead_id, pool=chosen.pool, kind=kind, since_ms=now)
            item = evolve(
                _item(request, chosen.pool, now),
                qualified=qualified,
                path=chosen.path,
                exclude=request.exclude,
                rejecters=request.rejecters,
                person=chosen.person,
                rule=chosen.rule,
                forced=chosen.forced,
                beside=chosen.beside,
                skills=chosen.skills,
                watcher=request.watcher,
            )
            return Step(
                head=_kept(_account(view)),
                put=(Put(OPEN, request.handoff_id, open_),),
                facts=(Fact(ROUTER_QUEUE, chosen.pool, item),),
            )


def _note(
    view: View[AccountState], request: HandoffRequest, now: int, reference: AgreementReference
) -> Step[AccountState]:
    """An offer became open work, or stands again after its release: then it is written down
    anew."""
    known = view.get(OPEN, request.handoff_id)
    pool = known.pool if known else request.pool
    if pool is None:
        return Step(head=view.head)
    found = reference.agreement.pools.get(pool)
    fresh = OpenHandoff(
        lead_id=request.lead_id, pool=pool, kind=found.kind if found else "sales", since_ms=now
    )
    noted = evolve(known or fresh, accepted=request.kind == RequestKind.ACCEPTED)
    item = evolve(_item(request, pool, now), person=request.person)
    return Step(
        head=_kept(_account(view)),
        put=(Put(OPEN, request.handoff_id, noted),),
        facts=(Fact(ROUTER_QUEUE, pool, item),),
    )


def _amend(view: View[AccountState], request: HandoffRequest, now: int) -> Step[AccountState]:
    """Something about the lead has changed: the pool that has it is notified."""
    known = view.get(OPEN, request.handoff_id)
    if known is None:
        return Step(head=view.head)
    item = evolve(_item(request, known.pool, now), qualified=request.qualified)
    return Step(head=view.head, facts=(Fact(ROUTER_QUEUE, known.pool, item),))


def _release(view: View[AccountState], request: HandoffRequest, now: int) -> Step[AccountState]:
    account = _account(view)
    if request.reason == "won" and request.person is not None:
        account = evolve(account, customer_of=request.person)
    known = view.get(OPEN, request.handoff_id)
    if known is None:
        return Step(head=_kept(account))
    item = evolve(_item(request, known.pool, now), person=request.person)
    return Step(
        head=_kept(account),
        drop=(Drop(OPEN, request.handoff_id),),
        facts=(Fact(ROUTER_QUEUE, known.pool, item),),
    )


def _account(view: View[AccountState]) -> AccountState:
    return view.head or AccountState(key=view.key)


def _kept(account: AccountState) -> AccountState | None:
    """A head that says nothing is not kept: most leads without an account would leave one
    behind."""
    return None if account == AccountState(key=account.key) else account


def _item(request: HandoffRequest, pool: str, now: int) -> QueueItem:
    return QueueItem(
        kind=request.kind,
        handoff_id=request.handoff_id,
        qualification_id=request.qualification_id,
        attempt=request.attempt,
        lead_id=request.lead_id,
        pool=pool,
        cause_id=request.cause_id,
        at_ms=now,
        reason=request.reason,
        fault=request.fault,
    )


def _suppressed(
    request: HandoffRequest,
    qualified: LeadQualified,
    suppressed: Suppressed,
    now: int,
    agreement: str,
) -> LeadUnrouted:
    return LeadUnrouted(
        handoff_id=request.handoff_id,
        qualification_id=request.qualification_id,
        attempt=request.attempt,
        lead_id=request.lead_id,
        cycle=qualified.cycle,
        outcome="suppressed",
        reason=suppressed.reason,
        pool=None,
        at_ms=now,
        path=suppressed.path,
        candidates=(),
        agreement=agreement,
        leg=qualified.leg,
        level=qualified.level,
    )
