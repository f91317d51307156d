"""digests, per pool and person: a manager gets one record a period, however many leads of a pool
need them.

The first escalation is published at once and begins a period (the agreement's ``digest``); what
comes in it is counted and published when it is over, and the next period begins. A period in which
nothing came is the last. Every escalation is in exactly one digest; a digest names the leads with
the earliest deadlines, up to ``MOST_LEADS``, and counts the others.
"""

from __future__ import annotations

from baton.agreement.reference import AgreementReference
from baton.contracts.digests import MOST_LEADS, DigestLead, Escalation, SlaDigest
from baton.contracts.topic_names import LEADS_SLA_DIGESTS, SLA_ESCALATIONS
from baton.derived_ids import derived_id
from baton.engine.reducer import Event, Fact, Reducer, Step, View
from baton.evolve import evolve
from services.sla_watcher.digests.state import DigestPeriod


class Digests(Reducer[DigestPeriod, AgreementReference]):
    """The reducer; see the module."""

    name = "digests"
    service = "sla_watcher"
    inputs = (SLA_ESCALATIONS,)
    outputs = (LEADS_SLA_DIGESTS,)
    head_type = DigestPeriod

    def step(
        self, view: View[DigestPeriod], event: Event, *, now: int, reference: AgreementReference
    ) -> Step[DigestPeriod]:
        """Take one escalation."""
        said: Escalation = event.value
        if view.head is not None:
            return Step(head=_with(view.head, said.lead), wake_at=view.wake_at)
        first = DigestPeriod(to=said.to, pool=said.pool, from_ms=now)
        return _published(view, _with(first, said.lead), now, reference)

    def wake(
        self, view: View[DigestPeriod], *, now: int, reference: AgreementReference
    ) -> Step[DigestPeriod]:
        """The period is over."""
        if view.head is None or not view.head.count:
            return Step(head=None)
        return _published(view, view.head, now, reference)


def _with(period: DigestPeriod, lead: DigestLead) -> DigestPeriod:
    leads = sorted((*period.leads, lead), key=lambda known: (known.deadline_ms, known.action_id))
    return evolve(
        period,
        count=period.count + 1,
        clocks={**period.clocks, lead.clock: period.clocks.get(lead.clock, 0) + 1},
        leads=tuple(leads[:MOST_LEADS]),
    )


def _published(
    view: View[DigestPeriod], period: DigestPeriod, now: int, reference: AgreementReference
) -> Step[DigestPeriod]:
    digest = SlaDigest(
        digest_id=derived_id("digest", view.key, period.from_ms, now),
        digest=view.key,
        to=period.to,
        pool=period.pool,
        from_ms=period.from_ms,
        until_ms=now,
        count=period.count,
        at_ms=now,
        cause_id=view.cause,
        agreement=reference.version,
        clocks=period.clocks,
        leads=period.leads,
    )
    return Step(
        head=DigestPeriod(to=period.to, pool=period.pool, from_ms=now),
        wake_at=now + reference.agreement.slas.digest_ms,
        facts=(Fact(LEADS_SLA_DIGESTS, view.key, digest),),
    )
