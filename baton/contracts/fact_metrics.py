"""What a fact counts as: by topic, the metric that a published record adds to or sets.

The engine knows nothing of leads. It hands each fact of a topic that stands here to the function
beside it, and applies what comes back once the fact's batch is committed; other topics cost
nothing. The functions are pure, and carry no personal data: label values are words of the contracts
and names of the agreement.
"""

import re

from baton.contracts.amounts import Amount, Measures
from baton.contracts.goals import GoalProgress
from baton.contracts.intake import AliasKind, IdentityAlias
from baton.contracts.leads import LeadQualified, LeadRefused
from baton.contracts.metric_catalogue import Business
from baton.contracts.routing import LeadRouted, LeadUnrouted
from baton.contracts.slas import LeadRecycled, SlaViolation
from baton.contracts.topic_names import (
    GOALS_PROGRESS,
    INTAKE_ALIASES,
    LEADS_QUALIFIED,
    LEADS_RECYCLED,
    LEADS_REFUSALS,
    LEADS_ROUTED_SALES,
    LEADS_ROUTED_SDR,
    LEADS_SLA_VIOLATIONS,
    LEADS_UNROUTED,
)

_PPM = 1_000_000
_WORD = re.compile(r"[a-z][a-z0-9_]{0,39}")
_FREE_TEXT = "other"


def _qualified(fact: LeadQualified) -> Amount:
    return Amount(Business.QUALIFIED, (fact.level, fact.leg))


def _routed(fact: LeadRouted) -> Amount:
    return Amount(Business.ROUTED, (fact.pool, fact.leg))


def _unrouted(fact: LeadUnrouted) -> Amount:
    return Amount(Business.UNROUTED, (fact.outcome,))


def _violation(fact: SlaViolation) -> Amount:
    return Amount(Business.VIOLATIONS, (fact.clock, fact.kind))


def _recycled(fact: LeadRecycled) -> Amount | None:
    return None if fact.revised else Amount(Business.RECYCLED, (fact.outcome, _word(fact.reason)))


def _refused(fact: LeadRefused) -> Amount:
    return Amount(Business.REFUSALS, (_word(fact.reason),))


def _word(reason: str) -> str:
    """The reason, where it is a word of the agreement's kind; what somebody typed is nobody's
    label."""
    return reason if _WORD.fullmatch(reason) else _FREE_TEXT


def _alias(fact: IdentityAlias) -> Amount | None:
    match fact.kind:
        case AliasKind.DUPLICATE:
            return Amount(Business.DUPLICATES)
        case AliasKind.CONFLICT:
            return Amount(Business.CONFLICTS)
        case _:
            return None


def _progress(fact: GoalProgress) -> Amount | None:
    """Only of the period that runs: a late tally of a closed one does not change the pace."""
    return (
        Amount(Business.PACE, (fact.goal, fact.side), fact.pace_ppm / _PPM, sets=True)
        if fact.state == "running"
        else None
    )


MEASURES: Measures = {
    LEADS_QUALIFIED: _qualified,
    LEADS_ROUTED_SDR: _routed,
    LEADS_ROUTED_SALES: _routed,
    LEADS_UNROUTED: _unrouted,
    LEADS_SLA_VIOLATIONS: _violation,
    LEADS_RECYCLED: _recycled,
    LEADS_REFUSALS: _refused,
    INTAKE_ALIASES: _alias,
    GOALS_PROGRESS: _progress,
}
