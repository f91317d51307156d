"""What a hand-off is now, from what the view has of it in any order of arrival. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Phase(StrEnum):
    """``offered``: its holder may answer. ``moved``: somebody else has the lead since."""

    OFFERED = "offered"
    ACCEPTED = "accepted"
    MOVED = "moved"
    ENDED = "ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoffNow:
    """``by`` and ``at_ms``: who brought it into the phase, and when; ``reason``: the stable word of
    an end; ``holder``: who has it, or had it."""

    handoff_id: str
    lead_id: str
    leg: str | None
    pool: str | None
    holder: str | None
    phase: Phase
    at_ms: int
    by: str | None = None
    reason: str | None = None
    accept_by_ms: int | None = None
    brief: str | None = None


def handoff_now(row: Mapping[str, Any], siblings: Iterable[Mapping[str, Any]]) -> HandoffNow:
    """``row``: one of the table ``handoff``; ``siblings``: all of the same lead."""
    ended_ms = row["ended_ms"]
    if ended_ms is not None and (row["reinstated_ms"] or -1) >= ended_ms:
        ended_ms = None
    later = [
        sibling
        for sibling in siblings
        if sibling["qualification_id"] == row["qualification_id"]
        and sibling["attempt"] > row["attempt"]
        and sibling["routed_ms"] is not None
        and (row["reinstated_ms"] or -1) < sibling["routed_ms"]
    ]
    if later:
        last = max(later, key=lambda sibling: sibling["attempt"])
        return _made(
            row, Phase.MOVED, last["routed_ms"], by=last["owner"], reason=row["end_reason"]
        )
    if ended_ms is not None:
        reason = row["end_reason"] or row["end_event"]
        return _made(row, Phase.ENDED, ended_ms, by=row["ended_by"], reason=reason)
    if row["accepted_ms"] is not None:
        return _made(row, Phase.ACCEPTED, row["accepted_ms"], by=row["accepted_by"])
    return _made(row, Phase.OFFERED, row["routed_ms"] or 0)


def _made(
    row: Mapping[str, Any],
    phase: Phase,
    at_ms: int,
    *,
    by: str | None = None,
    reason: str | None = None,
) -> HandoffNow:
    return HandoffNow(
        handoff_id=row["handoff_id"],
        lead_id=row["lead_id"],
        leg=row["leg"],
        pool=row["pool"],
        holder=row["owner"],
        phase=phase,
        at_ms=at_ms,
        by=by,
        reason=reason,
        accept_by_ms=row["accept_by_ms"],
        brief=row["brief"],
    )
