"""What the digests reducer remembers of one person's digest of one pool: the period that runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from baton.contracts.digests import DigestLead


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestPeriod:
    """The head of the digests reducer. What came since ``from_ms`` and has not been published;
    ``leads`` are those with the earliest deadlines."""

    to: str
    pool: str
    from_ms: int
    count: int = 0
    clocks: Mapping[str, int] = field(default_factory=dict)
    leads: tuple[DigestLead, ...] = ()
