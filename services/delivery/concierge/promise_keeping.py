"""Makes promises true: when a lead is routed whose buyer was promised to somebody.

To somebody else: a command in the name of the pool's manager assigns it. To the person promised: a
meeting that was booked is recorded. Both under derived ids, so that nothing happens twice.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import apsw

from baton.derived_ids import derived_id
from services.delivery.answers.inbox import Inbox, NotTaken
from services.delivery.concierge.buyer import SOURCE
from services.delivery.handoffs import HandoffNow, Phase
from services.delivery.store.lead_view import References, handoff_of, lead_of
from services.delivery.store.outbox import Delivery
from services.delivery.store.outbox_store import FILE, reader, rows
from services.delivery.webhooks.schedule import Outcome

_NOT_TAKEN: Final = Outcome(ok=False, words="the brokers did not take it")


class PromiseCarrier:
    """Carries routed leads to their promises; its target is the inbox. Many at once: whoever claims
    waits while outcomes are written, and a call's are one transaction."""

    batch = 50
    parallel = 1
    notes_begin = False

    def __init__(self, folder: Path, inbox: Inbox, clock: Callable[[], float] = time.time) -> None:
        self._folder, self._inbox, self._clock = folder, inbox, clock
        self._references = References()

    async def check(self) -> tuple[bool, str]:
        """There is nothing to ask."""
        return True, "answers open forms"

    async def close(self) -> None:
        """Nothing is kept open."""

    async def carry(self, deliveries: Sequence[Delivery]) -> list[Outcome]:
        """Routed leads."""
        return await asyncio.to_thread(self._keep_all, deliveries)

    def _keep_all(self, deliveries: Sequence[Delivery]) -> list[Outcome]:
        outcomes: list[Outcome] = []
        db = reader(self._folder / FILE)
        try:
            for delivery in deliveries:
                outcomes.append(Outcome(ok=True, words=self._keep(db, delivery)))
        except NotTaken:  # the others would wait as long, for the same brokers
            outcomes += [_NOT_TAKEN] * (len(deliveries) - len(outcomes))
        finally:
            db.close()
        return outcomes

    def _keep(self, db: apsw.Connection, delivery: Delivery) -> str:
        now_ms = int(self._clock() * 1000)
        handoff_id = json.loads(delivery.payload).get("handoff_id", "")
        handoff = handoff_of(db, handoff_id)
        lead = lead_of(db, delivery.lead_id or "")
        promise = _promise(db, lead, now_ms)
        found = self._references.at(db, now_ms)
        if handoff is None or promise is None or found is None:
            return "nobody was promised"
        if handoff.phase is not Phase.OFFERED:
            return "it has moved on since"
        if handoff.holder == promise["person"]:
            if promise["slot"] is None:
                return "as promised"
            self._inbox.send(booked_line(handoff, promise["person"], promise["slot"], now_ms))
            return "as promised, and booked"
        manager = found.agreement.manager_of(person=handoff.holder, pool=handoff.pool)
        if manager is None:
            return "promised to somebody else, and nobody is there to assign it"
        self._inbox.send(_assigned(handoff, promise, manager, now_ms))
        return "assigned as promised"


def _promise(db: Any, lead: Any, now_ms: int) -> dict[str, Any] | None:
    if lead is None or lead["email_digest"] is None:
        return None
    query = "SELECT * FROM promise WHERE buyer = ? AND until_ms > ? AND person != ''"
    found = rows(db, query, (lead["email_digest"], now_ms))
    return found[0] if found else None


def _line(handoff: HandoffNow, what: str, now_ms: int) -> dict[str, Any]:
    return {
        "id": derived_id(SOURCE, what, handoff.handoff_id),
        "source": SOURCE,
        "occurred_at": datetime.fromtimestamp(now_ms / 1000, UTC).isoformat(
            timespec="milliseconds"
        ),
        "identifiers": {"lead": handoff.lead_id},
    }


def _assigned(
    handoff: HandoffNow, promise: dict[str, Any], manager: str, now_ms: int
) -> dict[str, Any]:
    command = {
        "kind": "assign",
        "by": manager,
        "handoff_id": handoff.handoff_id,
        "to_person": promise["person"],
    }
    return _line(handoff, "assign", now_ms) | {"kind": "command", "command": command}


def booked_line(handoff: HandoffNow, person: str, slot: str, now_ms: int) -> dict[str, Any]:
    """The meeting as an act; the same hand-off has one, however it came to be known."""
    act = {
        "kind": "meeting_booked",
        "by": person,
        "handoff_id": handoff.handoff_id,
        "actor": handoff.leg or "sales",
        "meeting_at": slot,
    }
    return _line(handoff, "booked", now_ms) | {"kind": "act", "act": act}
