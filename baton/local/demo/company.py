"""The visitors of the simulated company: a script of event lines, made from a seed. Pure; all names
are made up.

Some lines come twice, some late, some with an anonymous visitor who later reports an address, and
some cannot be taken at all: as in life.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from random import Random
from typing import Any

_COUNTRIES = ("DE", "GB", "NO", "US", "FR", "BR")
_ROLES = ("C-level", "VP Operations", "Head of IT", "Manager", "Specialist", "Student")
_INDUSTRIES = ("manufacturing", "logistics", "retail", "media")
_QUIET = ("page_view", "page_view", "download", "email_click", "pricing_view", "webinar", "form")
_LOUD = ("demo_request", "trial_started")
_CAMPAIGNS = ("autumn-fair", "newsletter", "search", None)
_LOUD_SHARE, _TWICE_SHARE, _POISON_SHARE, _COMPETITOR_SHARE = 0.25, 0.06, 0.02, 0.03
_FIRMS = 97


class Way(StrEnum):
    """How a line comes in."""

    HTTP = "http"
    KAFKA = "kafka"


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """One line, when it is to be sent (ms after the start) and how. ``poison``: it is meant to be a
    dead letter."""

    after_ms: int
    way: Way
    line: bytes
    poison: bool = False


def visitors(
    *,
    leads: int,
    span_ms: int,
    seed: int,
    begins_ms: int,
    first: int = 0,
    firms: int = _FIRMS,
    poison_share: float = _POISON_SHARE,
) -> list[Arrival]:
    """The whole script in the order of sending, over ``span_ms``, for so many leads; event times
    count from ``begins_ms``.

    ``first``: the number of the first lead, so that one script can go on where another ended.
    ``firms``: how many companies they are from.
    """
    random = Random(seed)
    numbers = range(first, first + leads)
    script = [
        visit for number in numbers for visit in _visits(random, number, firms, span_ms, begins_ms)
    ]
    script += [number for number in script if random.random() < _TWICE_SHARE]
    script += [
        _poison(random, number, span_ms)
        for number in range(max(1, int(len(script) * poison_share)))
    ]
    return sorted(script, key=lambda number: number.after_ms)


def _visits(
    random: Random, number: int, firms: int, span_ms: int, begins_ms: int
) -> Iterator[Arrival]:
    start = random.randrange(int(span_ms * 0.7))
    identifiers: dict[str, Any] = {"anonymous": f"visitor-{number:05d}"}
    known = {"email": f"lead{number:05d}@firm{number % firms:02d}.example"}
    acts = random.choices(_QUIET, k=random.randint(1, 6))
    if random.random() < _LOUD_SHARE:
        acts.append(random.choice(_LOUD))
    reports = random.randrange(len(acts))
    for place, act in enumerate(acts):
        at = min(span_ms, start + place * random.randint(200, 3_000))
        if place == reports:
            identifiers |= known
            yield _sent(random, at, _profile(random, number, identifiers, begins_ms + at))
        yield _sent(
            random, at, _engagement(random, f"{number}-{place}", act, identifiers, begins_ms + at)
        )


def _profile(
    random: Random, number: int, identifiers: dict[str, Any], at_ms: int
) -> dict[str, Any]:
    profile = {
        "country": random.choice(_COUNTRIES),
        "role": random.choice(_ROLES),
        "industry": random.choice(_INDUSTRIES),
        "employees": str(random.choice((20, 80, 150, 400, 2000))),
    }
    if random.random() < _COMPETITOR_SHARE:
        profile["relation"] = "competitor"
    return _line("profile", f"p-{number}", identifiers, at_ms) | {
        "profile": profile,
        "person": {"first_name": f"Lead {number}"},
    }


def _engagement(
    random: Random, own_id: str, act: str, identifiers: dict[str, Any], at_ms: int
) -> dict[str, Any]:
    engagement: dict[str, Any] = {"act": act, "content_title": f"About {act.replace('_', ' ')}"}
    if (campaign := random.choice(_CAMPAIGNS)) is not None:
        engagement["campaign"] = campaign
    return _line("engagement", f"e-{own_id}", identifiers, at_ms) | {"engagement": engagement}


def _line(kind: str, own_id: str, identifiers: dict[str, Any], at_ms: int) -> dict[str, Any]:
    return {
        "kind": kind,
        "id": own_id,
        "source": "demo",
        "occurred_at": iso(at_ms),
        "identifiers": dict(identifiers),
    }


def _sent(random: Random, at: int, line: dict[str, Any]) -> Arrival:
    return Arrival(after_ms=at, way=random.choice(tuple(Way)), line=json.dumps(line).encode())


def _poison(random: Random, number: int, span_ms: int) -> Arrival:
    line = random.choice(
        (
            b'{"kind": "engagement"',
            b'{"kind": "gossip", "id": "x%d"}' % number,
            b"\xff\xfe%d" % number,
        )
    )
    return Arrival(after_ms=random.randrange(span_ms), way=Way.KAFKA, line=line, poison=True)


def iso(at_ms: int) -> str:
    """A moment as the event line wants it."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds")
