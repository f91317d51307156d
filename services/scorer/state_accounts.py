"""What the accounts reducer remembers: sums in the head, one entry for each person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from baton.engine.reducer import EntryKind


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountHead:
    """``engagement_micro`` is the sum over all people; ``roles`` how many have each role. ``version`` is the agreement of the result
    that was published last, ``shown_micro`` the engagement in it."""

    people: int = 0
    engaged_people: int = 0
    engagement_micro: int = 0
    roles: Mapping[str, int] = field(default_factory=dict)
    shown_micro: int = 0
    version: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountPerson:
    """What one lead contributes."""

    engagement_micro: int
    role: str | None
    at_ms: int


PERSON_OF: Final = EntryKind("person", AccountPerson)
ENTRY_KINDS: Final = (PERSON_OF,)
