"""The people of the simulated company: what each does with a lead that is handed over. Pure: chance
comes from the hand-off's id."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

from baton.contracts.routing import LeadRouted
from baton.local.demo.company import iso

_IDLE, _REJECTS = 0.25, 0.1
_REASONS = ("not_icp", "no_budget", "bad_data", "no_need_now")


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """An act of a person and how long after the hand-over (ms) it is done."""

    after_ms: int
    line: dict[str, Any]

    @property
    def encoded(self) -> bytes:
        """The line as it is sent."""
        return json.dumps(self.line).encode()


def deeds(routed: LeadRouted) -> Iterator[Deed]:
    """What the owner of ``routed`` does with it: nothing, a rejection, or an acceptance, a call and
    a verdict."""
    random = Random(routed.handoff_id)
    answered = random.randint(300, 3_000)
    fate = random.random()
    if fate < _IDLE:
        return
    if fate < _IDLE + _REJECTS:
        yield _deed(routed, "rejected", answered, {"reason": random.choice(_REASONS)})
        return
    yield _deed(routed, "accepted", answered, {})
    called = answered + random.randint(300, 3_000)
    yield _deed(routed, "call", called, {"outcome": "reached"})
    verdict = called + random.randint(300, 3_000)
    if random.random() < 0.6:
        yield _deed(routed, "qualified", verdict, {})
        return
    yield _deed(
        routed,
        "recycled",
        verdict,
        {"reason": random.choice(("not_ready", "no_budget", "no_response"))},
    )


def _deed(routed: LeadRouted, kind: str, after_ms: int, more: dict[str, Any]) -> Deed:
    act = {
        "kind": kind,
        "by": routed.owner,
        "actor": routed.leg,
        "handoff_id": routed.handoff_id,
    } | more
    line = {
        "kind": "act",
        "id": f"{routed.handoff_id}-{kind}",
        "source": "demo-crm",
        "occurred_at": iso(routed.routed_at_ms + after_ms),
        "identifiers": {"lead": routed.lead_id},
        "act": act,
    }
    return Deed(after_ms=after_ms, line=line)
