"""Digests: what a manager is to look at in a pool, in one record a period in place of one a lead.

Times are ``..._ms``: milliseconds since the epoch, UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

MOST_LEADS: Final = 20
"""How many leads a digest names; the others are in its counts alone."""


def digest_of(pool: str, to: str) -> str:
    """The name of what one person reads about one pool."""
    return f"{pool}/{to}"


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestLead:
    """A lead that a digest names: which clock ran out, and when."""

    lead_id: str
    clock: str
    deadline_ms: int
    action_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Escalation:
    """``sla.escalations.v1``, keyed by ``digest``: an action that ``to`` reads of in a digest."""

    digest: str
    to: str
    pool: str
    lead: DigestLead
    at_ms: int
    cause_id: str
    agreement: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SlaDigest:
    """``leads.sla-digests.v1``: what ``to`` is to look at in ``pool``. The first escalation comes
    at once, those after it together when the period is over.

    ``count``: actions between ``from_ms`` and ``until_ms``, by clock in ``clocks``; ``leads`` are
    those with the earliest deadlines. The single actions are on ``leads.sla-actions.v1``, marked
    with ``digest``.
    """

    digest_id: str
    digest: str
    to: str
    pool: str
    from_ms: int
    until_ms: int
    count: int
    at_ms: int
    cause_id: str
    agreement: str
    clocks: Mapping[str, int] = field(default_factory=dict)
    leads: tuple[DigestLead, ...] = ()
