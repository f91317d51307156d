"""Speed to lead, the buyer's view: from the raised hand to the first act of a person, around the
clock, across all owners.

An auto-responder is no act of a person. A buyer who still waits is counted with the time so far,
and not left out. An attempt is not a contact: contact needs that the buyer was reached.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from services.insights.figures.survival import Survival, survival

ATTEMPTS: Final = frozenset({"call", "mail", "meeting"})
REACHED: Final = "reached"
BUYER_REPLY: Final = "buyer_reply"


@dataclass(frozen=True, slots=True, kw_only=True)
class HumanAct:
    """What a person did about a lead."""

    kind: str
    occurred_at_ms: int
    automatic: bool = False
    outcome: str | None = None

    @property
    def is_attempt(self) -> bool:
        """Whether a person tried to reach the buyer."""
        return self.kind in ATTEMPTS and not self.automatic

    @property
    def is_contact(self) -> bool:
        """Whether the buyer was reached, or wrote back."""
        return (self.is_attempt and self.outcome == REACHED) or self.kind == BUYER_REPLY


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A raised hand: ``attempted_ms`` and ``contacted_ms`` are how long it took; None: not yet,
    ``so_far_ms`` and counting."""

    so_far_ms: int
    attempted_ms: int | None
    contacted_ms: int | None


def waiting(raised_at_ms: int, acts: Sequence[HumanAct], now_ms: int) -> Waiting:
    """How long the buyer who raised their hand at ``raised_at_ms`` waited, or waits."""
    after = [act for act in acts if act.occurred_at_ms >= raised_at_ms]

    def first(times: list[int]) -> int | None:
        return min(times) - raised_at_ms if times else None

    return Waiting(
        so_far_ms=max(0, now_ms - raised_at_ms),
        attempted_ms=first([act.occurred_at_ms for act in after if act.is_attempt]),
        contacted_ms=first([act.occurred_at_ms for act in after if act.is_contact]),
    )


def attempts(waits: Iterable[Waiting]) -> Survival:
    """How long until a person tried."""
    known = list(waits)
    return survival(
        [lead.attempted_ms for lead in known if lead.attempted_ms is not None],
        [lead.so_far_ms for lead in known if lead.attempted_ms is None],
    )


def contacts(waits: Iterable[Waiting]) -> Survival:
    """How long until the buyer was reached."""
    known = list(waits)
    return survival(
        [lead.contacted_ms for lead in known if lead.contacted_ms is not None],
        [lead.so_far_ms for lead in known if lead.contacted_ms is None],
    )
