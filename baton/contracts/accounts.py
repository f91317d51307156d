"""What leads contribute to their account, and what the account is as a buying group.

Points are integers of a millionth (``..._micro``). Times are ``..._ms``: milliseconds since the
epoch, UTC.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from baton.evolve import quick

SMALL_ACCOUNT: Final = 32
"""Accounts of so many people are small."""
GATHER_MS: Final = 60_000
GATHER_SMALL_MS: Final = 10_000
"""For how long after it was counted an account is not counted again, one that is small."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountPart:
    """``scorer.accounts.v1``: what one lead contributes to its account. A move is a ``remove`` and
    an ``add``; ``score``: only what it is worth has changed, the role has not. ``sums``: what it is
    worth at any later moment, packed as the scorer keeps it, until ``until_ms`` (0: for good): then
    the lead publishes it anew."""

    account_id: str
    lead_id: str
    kind: str
    engagement_micro: int
    role: str | None
    at_ms: int
    cause_id: str
    sums: bytes = b""
    until_ms: int = 0


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class AccountScored:
    """``accounts.scored.v1``: the account as a buying group."""

    account_id: str
    people: int
    engaged_people: int
    engagement_micro: int
    most_senior_role: str | None
    at_ms: int
    cause_id: str
    agreement: str


class Because(StrEnum):
    """What changed an account: an ``act`` of one of its people, ``time`` alone, or another
    ``agreement``."""

    ACT = "act"
    TIME = "time"
    AGREEMENT = "agreement"


@dataclass(frozen=True, slots=True, kw_only=True)
class BuyingGroup:
    """``scorer.buying.v1``: what one lead's account is, as ``accounts.scored.v1`` said it last;
    only where the agreement's gates ask."""

    lead_id: str
    account_id: str
    people: int
    engaged_people: int
    engagement_micro: int
    most_senior_role: str | None
    because: str
    at_ms: int
    cause_id: str
    agreement: str
