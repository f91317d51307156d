"""custody, per lead: watches that no lead is without a holder and a next date, and names the leads
that are.

It decides nothing and owns nothing: it reads what the others have said, and who holds the lead
follows from that (:mod:`baton.contracts.custody`). Between two services a lead is nobody's for the
time its record takes to travel: that is no orphan. One that travels for longer than
``IN_FLIGHT_MS`` of log time is, whatever the reason: a service that is down or behind, or one that
dropped it. So is one whose return date has been past for as long. That an orphan is held again is
published too.
"""

from baton.agreement.reference import AgreementReference
from baton.contracts.amounts import Amount
from baton.contracts.custody import IN_FLIGHT_MS, Holding, holder_of, missing_at, updated
from baton.contracts.metric_catalogue import Business
from baton.contracts.slas import LeadOrphan, OrphanKind
from baton.contracts.topic_names import LEADS_ORPHANS, ROUTER_HANDOFFS, SCORER_LEADS, SLA_LEADS
from baton.engine.reducer import Event, Fact, Reducer, Step, View
from services.sla_watcher.custody.state import LeadCustody

_NEW = Holding()


class Custody(Reducer[LeadCustody, AgreementReference]):
    """The reducer; see the module."""

    name = "custody"
    service = "sla_watcher"
    inputs = (SCORER_LEADS, ROUTER_HANDOFFS, SLA_LEADS)
    outputs = (LEADS_ORPHANS,)
    head_type = LeadCustody
    has_gauge = True

    def step(
        self, view: View[LeadCustody], event: Event, *, now: int, reference: AgreementReference
    ) -> Step[LeadCustody]:
        """Take one fact."""
        former = view.head or LeadCustody(holding=_NEW)
        holding = updated(former.holding, event.value)
        if holding is former.holding or (view.head is None and holding.ended):
            return Step(head=view.head, wake_at=view.wake_at)
        return _looked(view, former, holding, now, reference.version)

    def wake(
        self, view: View[LeadCustody], *, now: int, reference: AgreementReference
    ) -> Step[LeadCustody]:
        """It has been on its way, or overdue, for too long."""
        assert view.head is not None
        return _looked(view, view.head, view.head.holding, now, reference.version)

    def gauge(self, view: View[LeadCustody]) -> Amount | None:
        """An orphan counts as one."""
        return Amount(Business.ORPHANS) if view.head is not None and view.head.orphan else None


def _looked(
    view: View[LeadCustody], former: LeadCustody, holding: Holding, now: int, version: str
) -> Step[LeadCustody]:
    holder = holder_of(holding)
    missing = missing_at(holder, now)
    begun_at_ms = holder.next_at_ms or now
    since_ms = (former.since_ms or begun_at_ms) if missing else 0
    due_ms = (
        since_ms + IN_FLIGHT_MS
        if missing
        else None
        if holder.next_at_ms is None
        else holder.next_at_ms + IN_FLIGHT_MS
    )
    orphan = (
        missing if missing and (former.orphan or (due_ms is not None and due_ms <= now)) else ""
    )
    head = LeadCustody(holding=holding, since_ms=since_ms, orphan=orphan)
    facts: tuple[Fact, ...] = ()
    if orphan != former.orphan:
        kind = OrphanKind.FOUND if orphan else OrphanKind.HELD
        said = LeadOrphan(
            lead_id=view.key,
            kind=kind.value,
            cause=orphan or former.orphan,
            since_ms=since_ms or former.since_ms,
            at_ms=now,
            cause_id=view.cause,
            agreement=version,
            stage=holding.ended or holding.stage,
            cycle=holding.cycle,
            qualification_id=holding.qualification_id,
            handoff_id=None if holding.standing is None else holding.standing.handoff_id,
            holder=f"{holder.kind.value} {holder.who}".strip() if not missing else None,
        )
        facts = (Fact(LEADS_ORPHANS, view.key, said),)
    return Step(head=head, wake_at=None if orphan else due_ms, facts=facts)
