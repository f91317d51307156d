"""The agreement in the router's words: who may do what, the pool as assignment sees it, the
deadline to act.

The only file of the router that knows how the agreement is compiled, but for the choice of the
pool.
"""

from baton.agreement.model.recycling import Outcome
from baton.agreement.reference import AgreementReference
from services.router.dispatch.command_authorization import Authority
from services.router.turn_credit import ABSENCE


def authority_of(reference: AgreementReference) -> Authority:
    """Who manages whom, and which reasons are nobody's fault."""
    agreement = reference.agreement
    reasons = agreement.recycling.reasons.items()
    turn_back = (name for name, reason in reasons if reason.turn_back)
    return Authority(
        people=agreement.people,
        pools=agreement.pools,
        blameless=frozenset((ABSENCE, *turn_back)),
        reassigning=frozenset(
            name for name, reason in reasons if reason.outcome == Outcome.REASSIGN
        ),
    )
