"""Tables of what the two teams note: decisions of the meeting, and what campaigns cost. Pure."""

from services.insights.facts.table import LOG, Table, columns

DECISION = Table(
    name="decision",
    says="decisions of the weekly meeting, as they stand",
    key=("decision_id",),
    latest=True,
    exported=False,
    columns=columns(
        """
        decision_id t id of the decision
        text t what was decided
        owner t who sees to it, a person of the agreement
        due t until which day
        done i 1: it is done
        by_person t who wrote it last
        decided_at_ms m when it was decided, ms
        at_ms m when it was written last, ms
        """
        + LOG
    ),
)
CAMPAIGN_COST = Table(
    name="campaign_cost",
    says="what campaigns cost by month, and whose they are",
    key=("campaign", "month"),
    latest=True,
    columns=columns(
        """
        campaign t campaign, as engagements name it
        month t month, such as 2026-11
        amount_minor i cost in minor units
        currency t currency
        channel t? channel
        owner t? whose it is
        """
        + LOG
    ),
)
