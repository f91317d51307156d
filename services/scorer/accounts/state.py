"""What the accounts reducer remembers: sums in the head, one entry for each person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from baton.engine.reducer import EntryKind
from baton.evolve import quick


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class AccountHead:
    """``people`` and ``roles``, how many have each role, are kept with each part.
    ``engaged_people`` and ``engagement_micro``, the sum over all, are as of ``counted_at_ms``.
    ``shown_...``: what was published last, under the agreement ``version``. ``count_at_ms``: when
    it is counted next; ``uncounted``: a part came since it was counted. ``outdated``: so many
    people are still to be updated, the ones after ``updated_to`` first, and ``because`` of what
    (:mod:`.member_updates`).
    """

    people: int = 0
    engaged_people: int = 0
    engagement_micro: int = 0
    roles: Mapping[str, int] = field(default_factory=dict)
    shown_micro: int = 0
    version: str = ""
    counted_at_ms: int = 0
    shown_people: int = 0
    shown_engaged: int = 0
    shown_role: str | None = None
    count_at_ms: int | None = None
    uncounted: bool = False
    outdated: int = 0
    updated_to: str = ""
    because: str = ""


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class AccountPerson:
    """What one lead contributes: ``engagement_micro`` at ``at_ms``, and by ``sums`` at any later
    moment (:mod:`services.scorer.score.account_contribution`) before ``until_ms``, when the lead
    publishes it anew; 0: for good."""

    engagement_micro: int
    role: str | None
    at_ms: int
    sums: bytes = b""
    until_ms: int = 0


PERSON_OF: Final = EntryKind("person", AccountPerson)
ENTRY_KINDS: Final = (PERSON_OF,)
