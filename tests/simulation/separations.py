"""Merges that are taken back: in some seeds a person separates two who had become one, or are about
to, and now and then joins them again.

The draws are of their own, so all other seeds play as they did without it.
"""

import json
from random import Random
from typing import Any

from baton.local.demo.company import iso

_PROBABILITY = 0.2
_MOST_VISITORS = 3
_LASTS_MS = 24_000


def is_separated(seed: int) -> bool:
    """Whether a merge is taken back in that seed."""
    return Random(f"separation {seed}").random() < _PROBABILITY


def separations(seed: int, begins_ms: int) -> list[tuple[int, bytes]]:
    """When, and the line: separations, what both sides do afterwards, and further merges."""
    random = Random(f"separation {seed}")
    if random.random() >= _PROBABILITY:
        return []
    lines: list[tuple[int, bytes]] = []
    for number in range(_MOST_VISITORS):
        for name, address in (("visitor", "lead"), ("tablet", "joined")):
            if random.random() < 0.6:
                pair = (
                    {"email": f"{address}{number}@firm{number % 2}.example"},
                    {"anonymous": f"{name}-{number}"},
                )
                lines += _of_pair(random, f"{name}-{number}", pair, begins_ms)
    return lines


def _of_pair(
    random: Random, name: str, pair: tuple[dict[str, str], dict[str, str]], begins_ms: int
) -> list[tuple[int, bytes]]:
    at_ms = begins_ms + random.randrange(_LASTS_MS)
    both = pair[0] | pair[1]
    reported = [] if random.random() < 0.5 else [(-1_000, both, {"kind": "link"})]
    reported.append((0, both, _decided("unmerge")))
    for side in pair:
        if random.random() < 0.3:
            reported.append((random.randrange(-4_000, 4_000), side, _said(random)))
        if random.random() < 0.5:
            reported.append((random.randrange(-2_000, 6_000), side, _asked(random)))
    if random.random() < 0.2:
        reported.append((random.randrange(1_000, 5_000), both, {"kind": "link"}))
    if random.random() < 0.3:
        reported.append((random.randrange(1_000, 8_000), both, _decided("merge")))
    if random.random() < 0.1:
        reported.append((9_000, both, _decided("unmerge")))
    if random.random() < 0.1:
        reported.append((random.randrange(-1_000, 9_000), random.choice(pair), {"kind": "erasure"}))
    lines = []
    for place, (gap_ms, identifiers, more) in enumerate(reported):
        moment = at_ms + gap_ms
        line = {
            "id": f"s-{name}-{place}",
            "source": "seed",
            "occurred_at": iso(moment),
            "identifiers": identifiers,
        }
        lines.append((moment + random.randrange(500), json.dumps(line | more).encode()))
    return lines


def _decided(kind: str) -> dict[str, Any]:
    return {"kind": "command", "command": {"kind": kind, "by": "mgr-ines", "reason": "checked"}}


def _said(random: Random) -> dict[str, Any]:
    return {"kind": "consent", "consent": {"purpose": "sales", "granted": random.random() < 0.3}}


def _asked(random: Random) -> dict[str, Any]:
    return {
        "kind": "engagement",
        "engagement": {"act": random.choice(("demo_request", "webinar", "pricing_view"))},
        "profile": {"country": "DE", "role": "VP Operations", "employees": "400"},
    }
