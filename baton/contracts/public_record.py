"""A record of a public topic as those read it who keep what they read: the board and delivery.
Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from baton.evolve import quick


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class PublicRecord:
    """``id`` is the fact's own (``ce_id``), the same however often it is read; ``value``: decoded,
    None of a tombstone; ``at_ms``: when it was appended; ``raw``: its bytes, where who read it has
    them."""

    topic: str
    partition: int
    offset: int
    id: str
    key: str
    value: Any
    at_ms: int
    raw: bytes | None = None

    @property
    def lead_id(self) -> str | None:
        """The lead that it is about, if it is about one."""
        found = getattr(self.value, "lead_id", None)
        return found if isinstance(found, str) else None
