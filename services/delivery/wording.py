"""What a card or a mail says of a hand-off, as plain text by parts. Pure.

Text of leads is made harmless where it is put out (:mod:`services.delivery.slack.blocks`,
:mod:`services.delivery.mail`): here it is only shortened and freed of control characters.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from services.delivery.handoffs import HandoffNow, Phase

_LONG: Final = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """``facts``: label and text; ``status``: what became of it, empty while it is offered."""

    title: str
    facts: tuple[tuple[str, str], ...]
    why: tuple[str, ...]
    status: str
    open: bool


def clean(text: object, limit: int = _LONG) -> str:
    """Without characters that are not seen or that turn the direction, and of bounded length."""
    seen = "".join(
        " " if letter in "\r\n\t" else letter
        for letter in str(text)[: limit * 4]
        if letter in "\r\n\t" or unicodedata.category(letter) not in ("Cc", "Cf", "Co", "Cs")
    )
    seen = " ".join(seen.split())
    return seen if len(seen) <= limit else seen[: limit - 1] + "…"


def moment(at_ms: int, zone: str = "UTC") -> str:
    """A moment as people read it, with its zone."""
    return (
        datetime.fromtimestamp(at_ms / 1000, UTC)
        .astimezone(ZoneInfo(zone))
        .strftime("%Y-%m-%d %H:%M %Z")
    )


def card_of(handoff: HandoffNow, lead: Mapping[str, Any], zone: str = "UTC") -> Card:
    """The card of a hand-off as it is now; without names where the person was forgotten."""
    brief: dict[str, Any] = json.loads(handoff.brief) if handoff.brief else {}
    person: dict[str, str] = json.loads(lead["person"]) if lead.get("person") else {}
    facts = [
        ("Holder", handoff.holder or "nobody"),
        ("Pool", handoff.pool or ""),
        ("Level", " ".join(filter(None, (brief.get("level"), brief.get("grade"))))),
        ("Company", person.get("company") or lead.get("account_id") or ""),
        ("Title", str(brief.get("profile", {}).get("title", ""))),
        ("Country", str(brief.get("profile", {}).get("country", ""))),
        ("Phone", person.get("phone", "")),
        ("Mail", person.get("email", "")),
        ("Problem", person.get("stated_problem", "")),
        ("Supplier", person.get("current_supplier", "")),
        ("Interests", ", ".join(brief.get("interests", ()))),
        ("Campaign", brief.get("latest_campaign") or ""),
        ("Answer by", moment(handoff.accept_by_ms, zone) if handoff.accept_by_ms else ""),
    ]
    return Card(
        title=lead_title(handoff.lead_id, lead),
        facts=tuple((label, clean(text)) for label, text in facts if text),
        why=tuple(_reason(line) for line in brief.get("why_now", ())),
        status=status_of(handoff, zone),
        open=handoff.phase is Phase.OFFERED,
    )


def lead_title(lead_id: str, lead: Mapping[str, Any]) -> str:
    """The name that a card shows; the beginning of the id where the person was forgotten."""
    person: dict[str, str] = json.loads(lead["person"]) if lead.get("person") else {}
    name = clean(" ".join(filter(None, (person.get("first_name"), person.get("last_name")))))
    return name or f"Lead {lead_id[:8]}"


def _reason(line: Mapping[str, Any]) -> str:
    what = clean(str(line["name"]).replace("_", " "), 60)
    title = f": {clean(line['title'], 80)}" if line.get("title") else ""
    return f"{what}{title} ({line['points'] / 1_000_000:.1f})"


def status_of(handoff: HandoffNow, zone: str = "UTC") -> str:
    """What became of it: who and when; empty while it is offered."""
    when = moment(handoff.at_ms, zone)
    by = f" by {handoff.by}" if handoff.by else ""
    match handoff.phase:
        case Phase.OFFERED:
            return ""
        case Phase.ACCEPTED:
            return f"Accepted{by}, {when}"
        case Phase.MOVED:
            return f"Passed to {handoff.by or 'somebody else'}, {when}"
        case Phase.ENDED:
            reason = (handoff.reason or "ended").replace("_", " ")
            return f"Ended{by}: {reason}, {when}"
