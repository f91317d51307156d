"""Signatures under versions of an agreement, and from when on each version is in force."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """A side's signature under a version; the first one counts."""

    side: str
    by: str | None
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """From when on a version is in force; the first one ever from :data:`SINCE_EVER`."""

    version: str
    from_ms: int


@dataclass(slots=True)
class VersionRecords:
    """What the log says about one version."""

    approvals: dict[str, Approval] = field(default_factory=dict)
    published: list[tuple[int, int]] = field(default_factory=list)
    text: str | None = None


@dataclass(frozen=True, slots=True, order=True)
class InForce:
    from_ms: int
    order: int
    version: str
    text: str = field(compare=False)
