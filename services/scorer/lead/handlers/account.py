"""What an account publishes to its people, for conditions that ask ``account.*``: the last record
is kept, and considered where an act caused it.

A colleague's act can open a gate for a lead that is warm; time alone qualifies nobody, and what a
new agreement makes ready waits its turn. News that opens nothing leaves no trace but what is known
from then on, so the two reducers never answer each other for ever.
"""

from __future__ import annotations

from baton.contracts.accounts import Because, BuyingGroup
from baton.contracts.leads import Level
from services.scorer.lead.level import Raising, rate_lead
from services.scorer.lead.qualification import consider_qualification
from services.scorer.lead.state import GROUP, ONLY, KnownGroup
from services.scorer.lead.step import LeadStep
from services.scorer.lead.transitions import REST
from services.scorer.lead.withdrawal import COOLED, reconsider_qualification

_REST = frozenset(stage.value for stage in REST)


def on_group(step: LeadStep, group: BuyingGroup) -> None:
    """Keep the record of the lead's account; one of an account that it has left changes nothing."""
    head = step.head
    if group.account_id != head.account_id:
        return
    known = KnownGroup(
        account_id=group.account_id,
        people=group.people,
        engaged_people=group.engaged_people,
        engagement_micro=group.engagement_micro,
        most_senior_role=group.most_senior_role,
    )
    step.put(GROUP, ONLY, known)
    if group.because == Because.TIME or head.stage not in _REST or head.level == Level.COLD.value:
        return
    rating = rate_lead(step, raising=Raising.NOT)
    reconsider_qualification(step, cause=step.cause, reason=COOLED)
    consider_qualification(
        step,
        rating,
        cause=step.cause,
        occurred_at_ms=group.at_ms,
        adopting=group.because == Because.AGREEMENT,
    )
