"""What staff do with a lead: the kinds of act, and an act as intake passes it on.

Free text of a person never stands here: acts are kept for long. Who belongs to a deal is named
by an id in a CRM or by a lead's id, never by an address.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ActKind(StrEnum):
    """Dispositions (verdicts), touches (attempts to reach the buyer), and what is said of a deal.

    ``meeting`` is one that was held; ``meeting_booked`` (for ``meeting_at``) answers the buyer as a
    touch does; ``no_show``: it was booked, and the buyer did not come. ``deal``: what has changed
    of a deal that is known (its stage, next step, contacts, amount, date), won ones included: that
    corrects the amount. ``reopened``: a win that was none is taken back."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    QUALIFIED = "qualified"
    RECYCLED = "recycled"
    DISQUALIFIED = "disqualified"
    OPPORTUNITY = "opportunity"
    WON = "won"
    LOST = "lost"
    DEAL = "deal"
    REOPENED = "reopened"
    CALL = "call"
    MAIL = "mail"
    MEETING = "meeting"
    MEETING_BOOKED = "meeting_booked"
    NO_SHOW = "no_show"
    NURTURE_TOUCH = "nurture_touch"
    BUYER_REPLY = "buyer_reply"


@dataclass(frozen=True, slots=True, kw_only=True)
class DealContact:
    """Somebody of the buyer who takes part in a deal: ``who`` by an id in a CRM
    (``salesforce:003...``) or a lead's id, in a ``role`` such as ``decision_maker``."""

    who: str
    role: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """What somebody of staff did. ``by`` is the person's id in the agreement; ``handoff_id`` names
    the hand-off it answers.

    ``actor`` is the role that the event claims; empty: the agreement says it. ``automatic`` marks
    auto-responders and sequences, which stop no touch clock. ``amount_minor`` is in minor units of
    ``currency`` (ISO 4217). Dates without a time are ISO 8601 days. ``meeting_at``: when a booked
    meeting is to be, ISO 8601 in UTC. ``deal_stage`` and ``next_step`` are words of the CRM;
    ``contacts`` are all that are known, None where nothing is said of them.
    """

    kind: str
    by: str
    handoff_id: str | None = None
    actor: str = ""
    reason: str | None = None
    outcome: str | None = None
    automatic: bool = False
    opportunity_id: str | None = None
    amount_minor: int | None = None
    currency: str | None = None
    expected_close: str | None = None
    contract_end: str | None = None
    meeting_at: str | None = None
    deal_stage: str | None = None
    next_step: str | None = None
    next_step_on: str | None = None
    contacts: tuple[DealContact, ...] | None = None
    objections: tuple[str, ...] = ()
    competitor: str | None = None
    content_sent: str | None = None
    content_asked: str | None = None
