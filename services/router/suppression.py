"""Whether a lead may be handed to anybody at all: the agreement's rules and the consent for being
called, as they are now.

Asked when a pool is chosen and again at each hand-out, since a lead that waits may be refused
meanwhile. Pure.
"""

from typing import NamedTuple

from baton.agreement.compiled.agreement import CompiledAgreement
from baton.agreement.condition_context import ConditionContext
from baton.contracts.routing import RoutingStep

CONSENT = "consent"
NO_CONSENT = "no_consent"


class Verdict(NamedTuple):
    """``reason`` None: it may be handed out. ``path``: each rule that was asked, and what it
    said."""

    reason: str | None
    path: tuple[RoutingStep, ...]


def suppression_of(context: ConditionContext, agreement: CompiledAgreement) -> Verdict:
    """The first rule that keeps the lead from everybody, else what the consents say."""
    rules = agreement.routing.suppressed(context)
    if rules.reason is not None:
        return Verdict(rules.reason, rules.path)
    consent = agreement.consent.hand_off.decide(
        context.consents, hand_raised=bool(context.hand_raised)
    )
    path = (*rules.path, RoutingStep(rule=CONSENT, outcome=consent.reason))
    return Verdict(None if consent.allowed else NO_CONSENT, path)
