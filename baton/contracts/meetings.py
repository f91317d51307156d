"""What the two teams note for all to see: decisions of their meeting, and what is known of
campaigns. Nothing is decided by them; the board shows them. Times are ``..._ms``, UTC."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class MeetingDecision:
    """``board.decisions.v1``: a decision of the weekly meeting as it stands, keyed by
    ``decision_id``; the latest record counts.

    ``owner`` is a person of the agreement, ``due`` an ISO 8601 day. ``by``: who wrote this record;
    ``decided_at_ms``: when the decision was written first.
    """

    decision_id: str
    text: str
    owner: str
    due: str
    by: str
    decided_at_ms: int
    done: bool = False
    at_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignRecord:
    """``baton.campaigns.v1``: what a campaign cost in a month, and whose it is, keyed by
    ``record_id``; the latest record of a campaign and month counts.

    ``campaign`` is the name that engagements carry; ``month`` is ``2026-11``. ``amount_minor`` is
    in minor units of ``currency`` (ISO 4217).
    """

    record_id: str
    campaign: str
    month: str
    amount_minor: int
    currency: str
    channel: str | None = None
    owner: str | None = None
