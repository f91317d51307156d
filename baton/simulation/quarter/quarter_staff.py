"""What the twelve people do with a lead that they are given. Pure: chance comes from the hand-off's
id, times from their own working hours.

Most answer in time, some late, some never; deals slip, are won or lost, corrected, and now and
then a win is taken back.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from random import Random
from typing import Any, Final

from baton.agreement.compiled.agreement import CompiledAgreement
from baton.agreement.quantities import DAY_MS, HOUR_MS, MINUTE_MS
from baton.contracts.routing import LeadRouted
from baton.contracts.slas import LeadRecycled
from baton.simulation.input_lines import Arrival
from baton.simulation.quarter.staff_acts import StaffActs
from baton.simulation.quarter.visitors import arrival

_IDLE, _LATE, _REJECTS, _RECYCLES = 0.06, 0.08, 0.10, 0.35
_REJECTIONS: Final = ("not_icp", "bad_data", "no_need_now", "misrouted")
_NOT_NOW: Final = ("not_ready", "no_budget", "no_response", "in_contract")


class Deeds:
    """The acts of one holder about one hand-off, in order."""

    def __init__(self, routed: LeadRouted, at_ms: int, agreement: CompiledAgreement) -> None:
        self._routed, self._at_ms = routed, at_ms
        self._random = Random(routed.handoff_id)
        self._hours = agreement.calendar_for(person=routed.owner, pool=routed.pool)
        self._acts = StaffActs(routed)

    def all(self) -> Iterator[Arrival]:
        """Nothing at all, a rejection, or a call and what comes of it."""
        fate = self._random.random()
        if fate < _IDLE:
            return
        if fate < _IDLE + _LATE:
            self._work(8 * HOUR_MS, 20 * HOUR_MS)
        else:
            self._work(2 * MINUTE_MS, 50 * MINUTE_MS)
        if self._random.random() < _REJECTS:
            yield self._act("rejected", reason=self._random.choice(_REJECTIONS))
            return
        yield self._act("accepted")
        for _ in range(self._random.randrange(1, 4)):
            self._work(5 * MINUTE_MS, 50 * MINUTE_MS)
            yield self._act("call", outcome=self._random.choice(("reached", "voicemail")))
        self._work(HOUR_MS, 24 * HOUR_MS)
        if self._random.random() < _RECYCLES:
            yield self._act("recycled", reason=self._random.choice(_NOT_NOW))
            return
        yield self._act("qualified")
        if self._routed.leg == "sales" and self._random.random() < 0.6:
            yield from self._deal()

    def _deal(self) -> Iterator[Arrival]:
        name = f"deal-{self._routed.handoff_id[:10]}"
        amount = self._random.randrange(8, 90) * 100_000
        deal: dict[str, Any] = {"opportunity_id": name}
        self._work(4 * HOUR_MS, 40 * HOUR_MS)
        closes = self._random.randrange(20, 60)
        worth = {"amount_minor": amount, "currency": "EUR", "deal_stage": "discovery"}
        yield self._act("opportunity", **deal, **worth, expected_close=self._day(closes))
        if self._random.random() < 0.4:
            self._work(8 * HOUR_MS, 60 * HOUR_MS)
            yield self._act("deal", **deal, expected_close=self._day(closes), next_step="offer")
        self._work(24 * HOUR_MS, 160 * HOUR_MS)
        if self._random.random() > 0.4:
            yield self._act("lost", **deal, reason="lost_other")
            return
        yield self._act("won", **deal)
        fate = self._random.random()
        if fate < 0.1:
            self._work(HOUR_MS, 20 * HOUR_MS)
            yield self._act("deal", **deal, amount_minor=amount * 9 // 10)
        elif fate < 0.15:
            self._work(HOUR_MS, 20 * HOUR_MS)
            yield self._act("reopened", **deal)

    def _work(self, least_ms: int, most_ms: int) -> None:
        spent_ms = self._random.randrange(least_ms, most_ms)
        self._at_ms = self._hours.add_business(self._at_ms, spent_ms)

    def _day(self, days: int) -> str:
        from_ms = self._at_ms + days * DAY_MS
        return datetime.fromtimestamp(from_ms / 1000, UTC).date().isoformat()

    def _act(self, kind: str, **more: Any) -> Arrival:
        return self._acts.act(self._at_ms, kind, **more)


def nurtures(recycled: LeadRecycled, at_ms: int) -> Arrival | None:
    """Marketing writes to a recycled lead, most often in time."""
    draw = Random(recycled.recycle_id).random()
    if not recycled.nurture_allowed or recycled.return_at_ms is None or draw < 0.1:
        return None
    act = {"kind": "nurture_touch", "by": "marketing"}
    line = {
        "id": f"{recycled.recycle_id}-nurture",
        "source": "mailer",
        "kind": "act",
        "identifiers": {"lead": recycled.lead_id},
        "act": act,
    }
    return arrival(at_ms + int(draw * 2 * DAY_MS), line)
