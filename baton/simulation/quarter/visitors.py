"""Who comes by in the quarter: event lines made from a seed, in three regions. Pure; all names are
made up.

Most people look once, some read, few ask for something: so a fifth of them is worth a call, and
twelve people have work for the whole quarter, and not more.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from random import Random
from typing import Any, Final

from baton.agreement.quantities import DAY_MS, HOUR_MS, MINUTE_MS
from baton.simulation.input_lines import Arrival

_COUNTRIES: Final = ("DE", "DE", "AT", "CH", "GB", "GB", "NO", "SE", "US", "US", "CA", "FR")
_ROLES: Final = ("C-level", "VP Operations", "Head of IT", "Manager", "Specialist", "Student")
_INDUSTRIES: Final = ("manufacturing", "logistics", "retail", "media")
_CAMPAIGNS: Final = ("autumn-fair", "newsletter", "search", None)
_READS: Final = ("page_view", "download", "email_click")
_BUYS: Final = ("pricing_view", "form", "webinar")
_ASKS: Final = ("demo_request", "trial_started", "pricing_call")
_READER_SHARE, _BUYER_SHARE, _ASKER_SHARE = 0.10, 0.05, 0.025


def visits(random: Random, number: int, *, begins_ms: int, days: int) -> Iterator[Arrival]:
    """What one visitor does, from some day of the quarter on."""
    email = f"visitor{number}@firm{random.randrange(4_000)}.example"
    at_ms = begins_ms + random.randrange(days * DAY_MS - DAY_MS)
    for place, act in enumerate(_acts(random)):
        body: dict[str, Any] = {"act": act, "campaign": random.choice(_CAMPAIGNS)}
        if act in _BUYS or act in _ASKS:
            body["content_stage"] = "decision"
        line: dict[str, Any] = {
            "id": f"v{number}-{place}",
            "source": "website",
            "kind": "engagement",
            "identifiers": {"email": email},
            "engagement": body,
        }
        if place == 0:
            line |= _who(random, number)
        yield arrival(at_ms, line)
        at_ms += random.randrange(10 * MINUTE_MS, 30 * HOUR_MS)


def _acts(random: Random) -> list[str]:
    draw = random.random()
    if draw < _ASKER_SHARE:
        return [random.choice(_READS), random.choice(_ASKS)]
    if draw < _ASKER_SHARE + _BUYER_SHARE:
        return [random.choice(_READS), *random.choices(_BUYS, k=3)]
    if draw < _ASKER_SHARE + _BUYER_SHARE + _READER_SHARE:
        return random.choices(_READS, k=3)
    return [random.choice(_READS)]


def _who(random: Random, number: int) -> dict[str, Any]:
    profile = {
        "country": random.choice(_COUNTRIES),
        "role": random.choice(_ROLES),
        "industry": random.choice(_INDUSTRIES),
        "employees": random.choice((20, 80, 150, 400, 1_500)),
        "languages": ["de", "en"],
    }
    return {"profile": profile, "person": {"first_name": f"Visitor{number}"}}


def arrival(at_ms: int, line: dict[str, Any]) -> Arrival:
    """The line as it comes in at ``at_ms``, when it also happened."""
    return Arrival(at_ms=at_ms, line=json.dumps(line | {"occurred_at": at_ms}).encode())
