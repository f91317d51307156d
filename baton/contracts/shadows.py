"""The record of an agreement that decides silently."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ShadowEvent(StrEnum):
    """``begun`` and ``stopped``: of the shadow itself; ``decided``: of a lead; ``round``: all that
    came in before ``at_ms`` is decided."""

    BEGUN = "begun"
    DECIDED = "decided"
    ROUND = "round"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShadowRecord:
    """``shadow.decisions.v1``: what an agreement that decides silently would have done, keyed by
    the lead, or by the agreement where it is of the shadow itself. Nothing reads it that acts.

    ``shadow_id``: of the shadow's beginning. ``at_ms``: the moment of what happened. ``lead``: the
    lead and its cycle as a backtest names them; ``leads``: how many were looked at in a round.
    """

    record_id: str
    shadow_id: str
    event: str
    agreement: str
    at_ms: int
    lead: str | None = None
    level: str | None = None
    leg: str | None = None
    pool: str | None = None
    leads: int | None = None
