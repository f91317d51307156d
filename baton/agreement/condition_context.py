"""What a condition may look at: the facts about one lead at one moment.

A reducer fills in what it knows. What it leaves out is unknown, and unknown is not true. Points are
integers of a millionth (``..._micro``), times are ``..._ms`` since the epoch, UTC.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from baton.contracts.accounts import AccountScored
from baton.contracts.intake import Person
from baton.contracts.leads import LeadQualified
from baton.evolve import quick

GRANTED = "granted"
REFUSED = "refused"
ANY_CHANNEL = "any"


class Behaviour(Protocol):
    """Counts a lead's acts. The scorer answers from its ledger."""

    def count(self, kind: str, name: str, since_ms: int | None) -> int:
        """How many acts: ``kind`` is ``act`` (by its word), ``stage`` (of the content) or
        ``topic``; event time ``since_ms`` or later, ``None``: ever in this cycle."""


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionContext:
    """One lead at one moment, as far as it is known.

    ``consents``: ``purpose/channel`` (channel ``any`` covers all) to ``granted`` or ``refused``;
    absent means never stated. ``leg`` is ``sdr`` or ``sales``; ``hand_raised`` says that a
    fast-track act is the cause. ``reachable``: an e-mail address or a phone number is known.
    """

    now_ms: int = 0
    profile: Mapping[str, str] = field(default_factory=dict)
    behaviour: Behaviour | None = None
    account_id: str | None = None
    account_people: int | None = None
    account_engaged_people: int | None = None
    account_engagement_micro: int | None = None
    account_senior_role: str | None = None
    fit_micro: int | None = None
    engagement_micro: int | None = None
    level: str | None = None
    grade: str | None = None
    segment: str | None = None
    source: str | None = None
    campaign: str | None = None
    cycle: int | None = None
    stage: str | None = None
    recycles: int | None = None
    last_reason: str | None = None
    hand_raised: bool | None = None
    leg: str | None = None
    reachable: bool | None = None
    consents: Mapping[str, str] = field(default_factory=dict)


class ProfileContext:
    """Only a profile, everything else unknown: what fit and segments are decided from. A fraction
    of the cost of ``ConditionContext``."""

    __slots__ = ("profile",)

    def __init__(self, profile: Mapping[str, str]) -> None:
        self.profile = profile


def is_reachable(person: Person | None) -> bool:
    """Whether there is a way to reach the person."""
    return person is not None and bool(person.email or person.phone)


def consent_key(purpose: str, channel: str) -> str:
    """The key of a consent in :attr:`ConditionContext.consents` and in a story's ``consents``."""
    return f"{purpose}/{channel}"


def context_of_qualified(
    qualified: LeadQualified, *, now_ms: int, account: AccountScored | None = None
) -> ConditionContext:
    """What routing knows of a qualified lead. Behaviour is not among it: an agreement cannot route
    by it."""
    story = qualified.story
    return ConditionContext(
        now_ms=now_ms,
        profile=story.profile,
        account_id=story.account_id,
        account_people=account.people if account else None,
        account_engaged_people=account.engaged_people if account else None,
        account_engagement_micro=account.engagement_micro if account else None,
        account_senior_role=account.most_senior_role if account else None,
        fit_micro=qualified.fit_micro,
        engagement_micro=qualified.engagement_micro,
        level=qualified.level,
        grade=qualified.grade,
        segment=qualified.segment,
        source=story.source,
        campaign=story.latest_campaign,
        cycle=qualified.cycle,
        stage=qualified.stage,
        recycles=sum(1 for cycle in story.earlier_cycles if cycle.outcome == "recycled"),
        last_reason=story.earlier_cycles[-1].reason if story.earlier_cycles else None,
        hand_raised=qualified.hand_raised,
        leg=qualified.leg,
        reachable=is_reachable(story.person),
        consents=story.consents,
    )
