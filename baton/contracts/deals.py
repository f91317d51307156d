"""Deals: what is known of an opportunity, and what became of it.

A lead may have several, one after the other or at once. Times are ``..._ms``: milliseconds since
the epoch, UTC; amounts are in minor units of their currency; days are ISO 8601.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from baton.contracts.acts import DealContact


class DealState(StrEnum):
    """``open``, or how it ended."""

    OPEN = "open"
    WON = "won"
    LOST = "lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseDate:
    """A day on which a deal was expected to close, and since when that was said."""

    day: str
    since_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadDeal:
    """A deal as it is known now; rides on ``leads.stages.v1``.

    ``close_dates`` are the days on which it was expected to close, in the order in which they were
    set; the last one holds. ``deal_stage`` and ``next_step`` are words of the CRM, ``contacts``
    those of the buyer who take part. ``won_at_ms``: when it was won, 0 where it is not.
    """

    opportunity_id: str
    state: str
    amount_minor: int | None = None
    currency: str | None = None
    expected_close: str | None = None
    close_dates: tuple[CloseDate, ...] = ()
    deal_stage: str | None = None
    next_step: str | None = None
    next_step_on: str | None = None
    contacts: tuple[DealContact, ...] = ()
    won_at_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownDeal:
    """A deal as a lead knows it. ``times``: by field, when what is known of it was said; ``at_ms``
    the latest of them."""

    deal: LeadDeal
    at_ms: int
    times: Mapping[str, int] = field(default_factory=dict)
