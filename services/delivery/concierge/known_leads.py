"""What the view of leads says of a buyer: who has them, or a colleague of theirs, and who has how
much open work."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import apsw

from services.delivery.concierge.buyer import Buyer
from services.delivery.concierge.choosing import Known
from services.delivery.handoffs import HandoffNow, Phase
from services.delivery.store.lead_view import handoffs_of, leads_by_email

_OPEN_WORK: Final = """SELECT person, count(*) FROM (
    SELECT owner AS person FROM handoff AS mine WHERE ended_ms IS NULL AND owner IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM handoff AS later WHERE later.lead_id = mine.lead_id
        AND later.qualification_id = mine.qualification_id AND later.attempt > mine.attempt
        AND later.routed_ms IS NOT NULL)
    UNION ALL SELECT person FROM promise WHERE claimed_ms > ?) GROUP BY person"""
_ON_ITS_WAY_MS: Final = 120_000
"""A promise counts as work for so long: its lead is routed a moment later."""
_COLLEAGUES: Final = "SELECT lead_id FROM lead WHERE account_id = ? ORDER BY lead_id LIMIT 50"


def open_work(db: apsw.Connection, now_ms: int) -> Mapping[str, int]:
    """Open hand-offs and fresh promises by person; looks at every open hand-off."""
    return dict(db.execute(_OPEN_WORK, (now_ms - _ON_ITS_WAY_MS,)))


def known_of(db: apsw.Connection, buyer: Buyer, work: Mapping[str, int]) -> Known:
    """Who has the buyer, or a colleague of theirs."""
    holder = colleague = None
    for lead in leads_by_email(db, buyer.digest):
        holder = holder or _holder(db, lead["lead_id"])
    if buyer.account_id is not None and holder is None:
        for (lead_id,) in list(db.execute(_COLLEAGUES, (buyer.account_id,))):
            colleague = colleague or _holder(db, lead_id)
    return Known(holder=holder, colleague=colleague, open_work=work)


def _holder(db: apsw.Connection, lead_id: str) -> str | None:
    found = standing_of(db, lead_id)
    return found.holder if found else None


def standing_of(db: apsw.Connection, lead_id: str) -> HandoffNow | None:
    """The hand-off of a lead that is offered or accepted."""
    standing = [
        one for one in handoffs_of(db, lead_id) if one.phase in (Phase.OFFERED, Phase.ACCEPTED)
    ]
    return standing[-1] if standing else None
