"""The beginning of a score: all that a lead's row shows of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from baton.contracts.codec import codec_for
from baton.contracts.leads import LeadScored


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreHead:
    """The first fields of :class:`~baton.contracts.leads.LeadScored`."""

    lead_id: str
    cycle: int
    scored_at_ms: int
    fit_micro: int
    engagement_micro: int
    grade: str
    level: str


@cache
def score_head() -> Callable[[bytes], ScoreHead | LeadScored]:
    """Reads it from the bytes of a score."""
    return codec_for(LeadScored).head(ScoreHead)
