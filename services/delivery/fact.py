"""A record of a public topic as delivery reads it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """``id`` is the record's own (``ce_id``), the same however often it is read; ``value`` None is
    a tombstone. ``at_ms``: when it was appended."""

    topic: str
    partition: int
    offset: int
    id: str
    key: str
    value: Any
    at_ms: int

    @property
    def lead_id(self) -> str | None:
        """The lead that it is about, if it is about one."""
        found = getattr(self.value, "lead_id", None)
        return found if isinstance(found, str) else None


def at_path(value: Any, path: str) -> Any:
    """The part of a record at ``owner`` or ``qualified.story.person.company``; None where there is
    none."""
    for name in path.split("."):
        value = value.get(name) if isinstance(value, Mapping) else getattr(value, name, None)
        if value is None:
            return None
    return value
