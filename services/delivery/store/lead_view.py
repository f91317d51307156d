"""Questions to the view of leads: over any connection to the store."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import apsw

from baton.agreement.reference import AgreementBook, AgreementReference
from baton.contracts.codec import codec_for
from baton.contracts.topics import TOPICS
from services.delivery.handoffs import HandoffNow, handoff_now
from services.delivery.store.outbox_store import rows
from services.delivery.wording import lead_title


def handoffs_of(db: apsw.Connection, lead_id: str) -> list[HandoffNow]:
    """Every hand-off of a lead that was routed, as it is now, in order."""
    found = rows(
        db, "SELECT * FROM handoff WHERE lead_id = ? ORDER BY routed_ms, attempt", (lead_id,)
    )
    return [handoff_now(row, found) for row in found if row["routed_ms"] is not None]


def handoff_of(db: apsw.Connection, handoff_id: str) -> HandoffNow | None:
    """One hand-off as it is now."""
    found = rows(db, "SELECT lead_id FROM handoff WHERE handoff_id = ?", (handoff_id,))
    if not found:
        return None
    known = handoffs_of(db, found[0]["lead_id"])
    return next((one for one in known if one.handoff_id == handoff_id), None)


def lead_of(db: apsw.Connection, lead_id: str) -> dict[str, Any] | None:
    """The row of a lead."""
    found = rows(db, "SELECT * FROM lead WHERE lead_id = ?", (lead_id,))
    return found[0] if found else None


def titles_of(db: apsw.Connection, lead_ids: Iterable[str]) -> dict[str, str]:
    """What a card of each of the leads would be called."""
    return {lead_id: lead_title(lead_id, lead_of(db, lead_id) or {}) for lead_id in lead_ids}


def leads_by_email(db: apsw.Connection, digest: str) -> list[dict[str, Any]]:
    """Leads with this address that have not ended in another one."""
    query = "SELECT * FROM lead WHERE email_digest = ? AND survivor IS NULL ORDER BY lead_id"
    return rows(db, query, (digest,))


class References:
    """The agreement in force and the absences, folded from the store and kept until they change."""

    def __init__(self) -> None:
        self._book = AgreementBook()
        self._seen: dict[str, int] = {}

    def at(self, db: apsw.Connection, now_ms: int) -> AgreementReference | None:
        """What holds now; None: no agreement is in force."""
        for topic in self._book.topics:
            self._read(db, topic)
        return self._book.at(now_ms)

    def _read(self, db: apsw.Connection, topic: str) -> None:
        query = (
            "SELECT log_offset, log_ms, value FROM reference WHERE topic = ? AND log_offset > ? "
            "ORDER BY log_offset"
        )
        for offset, at_ms, value in db.execute(query, (topic, self._seen.get(topic, -1))):
            self._seen[topic] = offset
            record_type: Any = TOPICS[topic].record
            self._book.take(codec_for(record_type).decode(value), at_ms)
