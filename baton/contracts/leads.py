"""What the scorer decides of leads and accounts: scores, qualifications, stages, refusals.

Points are integers of a millionth (``..._micro``); times are ``..._ms`` since the epoch, UTC.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from baton.contracts.avro_binary import written_once
from baton.contracts.deals import LeadDeal
from baton.contracts.intake import Person

CLOCK_SKEW_MS: Final = 5 * 60_000
"""A few minutes before a hand-off still count as after it: clocks of tools differ."""

BY_TOUCH: Final = "by_touch"
"""The reason of an acceptance that nobody said: the holder called, wrote or met the buyer."""

LEARNT: Final = ("objections", "pain_points", "current_supplier", "competitor")
"""Fields of the profile in which sales say what they learnt of a buyer; with the reason and the end
of the contract they go along where a cycle ends."""


class Level(StrEnum):
    """How warm a lead is, by the agreement's matrix."""

    COLD = "cold"
    WARM = "warm"
    HOT = "hot"


class Stage(StrEnum):
    """Stages of a cycle; the last two are the detours."""

    INQUIRY = "inquiry"
    MQL = "mql"
    TAL = "tal"
    TQL = "tql"
    SAL = "sal"
    SQL = "sql"
    OPPORTUNITY = "opportunity"
    CUSTOMER = "customer"
    RECYCLED = "recycled"
    DISQUALIFIED = "disqualified"


class Actor(StrEnum):
    """Who causes a move in the cycle."""

    SYSTEM = "system"
    MARKETING = "marketing"
    SDR = "sdr"
    SALES = "sales"
    MANAGER = "manager"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contribution:
    """One line of an explanation; the lines of a result add up to its number exactly.

    ``kind``: ``act`` (an entry, decayed), ``cap``, ``clamp``, ``rest`` (entries beyond the top
    ones, summed), ``limit`` (acts beyond a daily limit: no points) or ``fit``.
    """

    kind: str
    name: str
    points_micro: int
    group: str | None = None
    event_id: str | None = None
    occurred_at_ms: int | None = None
    base_micro: int | None = None
    content_title: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Criterion:
    """A fit criterion and how it stands: ``met``, ``not_met`` or ``unknown``; ``clamp`` is what the
    bounds of 0 and 100 took, so that the points add up to the fit."""

    name: str
    outcome: str
    points_micro: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadScored:
    """``leads.scored.v1``: a visible change of a lead's score."""

    lead_id: str
    cycle: int
    scored_at_ms: int
    fit_micro: int
    engagement_micro: int
    grade: str
    level: str
    level_reason: str
    contributions: tuple[Contribution, ...]
    criteria: tuple[Criterion, ...]
    next_change_at_ms: int | None
    cause_id: str
    agreement: str
    trace_cut: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentTouch:
    """A piece of content the lead engaged with."""

    event_id: str
    act: str
    title: str
    occurred_at_ms: int
    topics: tuple[str, ...] = ()
    campaign: str | None = None
    stage: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierCycle:
    """How a former cycle of the lead ended."""

    cycle: int
    ended_at_ms: int
    outcome: str
    reason: str | None = None
    holder: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """What a person reads before the call."""

    person: Person | None = None
    account_id: str | None = None
    profile: Mapping[str, str] = field(default_factory=dict)
    why_now: tuple[Contribution, ...] = ()
    criteria: tuple[Criterion, ...] = ()
    content: tuple[ContentTouch, ...] = ()
    interests: tuple[str, ...] = ()
    first_campaign: str | None = None
    latest_campaign: str | None = None
    source: str | None = None
    consents: Mapping[str, str] = field(default_factory=dict)
    earlier_cycles: tuple[EarlierCycle, ...] = ()


@written_once
@dataclass(frozen=True, slots=True, kw_only=True)
class LeadQualified:
    """``leads.qualified.v1``: the lead became an MQL. Routed once per ``qualification_id``.

    ``leg`` is ``sdr`` or ``sales``: which kind of queue is meant to take it. A TQL that the bridge
    team passes on to sales is a qualification of its own with ``leg`` sales and the same cycle.
    ``hand_raised``: a fast-track act was the cause. ``segment`` is what targets and goals are
    counted by. ``rejecters``: people who rejected the lead before. ``level`` is the urgency: a
    raised hand is hot (warm with poor fit) whatever the sum. ``owner``: who has the customer, or
    had the lead that ended in this one. ``qualified_by``: who of the bridge team passed it on to
    sales.
    """

    qualification_id: str
    lead_id: str
    cycle: int
    leg: str
    level: str
    grade: str
    fit_micro: int
    engagement_micro: int
    hand_raised: bool
    cause_id: str
    qualified_at_ms: int
    received_at_ms: int
    segment: str | None
    story: Story
    agreement: str
    rejecters: tuple[str, ...] = ()
    owner: str | None = None
    stage: str = "mql"
    qualified_by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadAmended:
    """``leads.amendments.v1``: what became known of a qualification after it was handed off, and
    matters to who works on the lead.

    ``brief`` is the whole story as it is now; ``changed`` names what differs (``person.phone``,
    ``profile.country``, ``account_id``, ``consents.sales/phone``, ``hand_raised``, ``level``,
    ``segment``). ``leg`` is the one that the lead is on; ``level`` its urgency now: a hand raised
    since makes it hot. ``handoff_id``: the hand-off that stands, None where nobody holds the lead
    yet.
    """

    amendment_id: str
    lead_id: str
    cycle: int
    qualification_id: str
    handoff_id: str | None
    changed: tuple[str, ...]
    brief: Story
    leg: str
    level: str
    grade: str
    fit_micro: int
    hand_raised: bool
    segment: str | None
    at_ms: int
    cause_id: str
    agreement: str


@written_once
@dataclass(frozen=True, slots=True, kw_only=True)
class LeadStaged:
    """``leads.stages.v1``: a lead moved in its cycle.

    ``event`` is the word of the transition table that caused it (``qualified``, ``accepted``,
    ``withdrawn``, ``recycled`` ...). ``evidence_at_ms`` is when the evidence first reached Baton:
    deadlines are judged by it. A merge closes the loser with event ``merged``; an erasure with
    ``erased``. ``source`` reported the act that caused it: some sources report late. ``consents``:
    those of now, for who nurtures the lead; where one changes in a cycle with sales, or after it,
    event ``consent_changed`` says so. Event ``contract_end_learnt``: the profile of a lead that
    rests says when its contract with another supplier ends (``contract_end``). ``survivor``: the
    lead that a merged one ended in. ``deal``: the deal that the act was about, as it is known now.
    ``learnt``: what the profile says of :data:`LEARNT`. Event ``became_hot``: in a cool-off.
    """

    lead_id: str
    cycle: int
    from_stage: str
    to_stage: str
    event: str
    actor: str
    cause_id: str
    at_ms: int
    occurred_at_ms: int
    evidence_at_ms: int
    agreement: str
    by: str | None = None
    reason: str | None = None
    handoff_id: str | None = None
    qualification_id: str | None = None
    inferred: tuple[str, ...] = ()
    segment: str | None = None
    level: str | None = None
    opportunity_id: str | None = None
    amount_minor: int | None = None
    currency: str | None = None
    expected_close: str | None = None
    contract_end: str | None = None
    hand_raised: bool = False
    source: str | None = None
    consents: Mapping[str, str] | None = None
    survivor: str | None = None
    deal: LeadDeal | None = None
    learnt: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadRefused:
    """``leads.refusals.v1``: an act or command that was not carried out, and why. ``reason`` is a
    stable word; ``detail`` says what would have been right, for people."""

    lead_id: str
    cause_id: str
    event: str
    stage: str
    actor: str
    reason: str
    at_ms: int
    by: str | None = None
    handoff_id: str | None = None
    agreement: str | None = None
    detail: str | None = None


class StageEvent(StrEnum):
    """What can happen to a lead in its cycle; the word stands in ``LeadStaged.event``."""

    QUALIFIED = "qualified"
    HAND_RAISED = "hand_raised"
    WITHDRAWN = "withdrawn"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    OPPORTUNITY = "opportunity"
    WON = "won"
    LOST = "lost"
    REOPENED = "reopened"
    DEAL_CHANGED = "deal_changed"
    RECYCLED = "recycled"
    DISQUALIFIED = "disqualified"
    REACTIVATED = "reactivated"
    TAKEN_OVER = "taken_over"
    CONSENT_CHANGED = "consent_changed"
    CONTRACT_END_LEARNT = "contract_end_learnt"
    BECAME_HOT = "became_hot"
    MERGED = "merged"
    ERASED = "erased"
