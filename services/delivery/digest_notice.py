"""The notice of a digest: what a manager is to look at in one pool, in one message. Pure.

The payload names leads by id; their names are read from the view when the message is sent, so that
who was forgotten by then is not named.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from baton.contracts.digests import SlaDigest
from services.delivery.wording import clean, moment

DIGEST: Final = "digest"
"""The kind of the notice."""
_NAMED: Final = 5


def digest_notes(digest: SlaDigest) -> dict[str, Any]:
    """The payload: counts, and the leads with the earliest deadlines."""
    return {
        "kind": DIGEST,
        "to": digest.to,
        "pool": digest.pool,
        "from_ms": digest.from_ms,
        "until_ms": digest.until_ms,
        "count": digest.count,
        "clocks": dict(digest.clocks),
        "leads": [
            {"lead_id": lead.lead_id, "clock": lead.clock, "deadline_ms": lead.deadline_ms}
            for lead in digest.leads[:_NAMED]
        ],
    }


def leads_named(notes: Mapping[str, Any]) -> list[str]:
    """The leads whose titles the message shows."""
    return [lead["lead_id"] for lead in notes["leads"]]


def digest_title(notes: Mapping[str, Any]) -> str:
    """How many, and in which pool."""
    return f"{notes['count']} overdue in {clean(notes['pool'], 60)}"


def _period(notes: Mapping[str, Any], zone: str) -> str:
    """The first digest is published at once: it is of a moment, not of a period."""
    until = moment(notes["until_ms"], zone)
    if notes["from_ms"] == notes["until_ms"]:
        return until
    return f"{moment(notes['from_ms'], zone)} to {until}"


def digest_lines(notes: Mapping[str, Any], titles: Mapping[str, str], zone: str) -> list[str]:
    """Period, counts by clock, a line for each lead that is named, and how many are not. ``titles``
    by lead."""
    clocks = sorted(notes["clocks"].items(), key=lambda counted: (-counted[1], counted[0]))
    lines = [
        _period(notes, zone),
        ", ".join(f"{clean(clock, 40)}: {count}" for clock, count in clocks),
    ]
    lines += [
        f"- {titles[lead['lead_id']]}, clock {clean(lead['clock'], 40)}, "
        f"due {moment(lead['deadline_ms'], zone)}"
        for lead in notes["leads"]
    ]
    more = notes["count"] - len(notes["leads"])
    return [*filter(None, lines), *([f"and {more} more"] if more > 0 else [])]
