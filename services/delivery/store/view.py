"""The view of leads and hand-offs, folded from public facts inside the store's transaction.

No order between topics is assumed: each column has the moment of the fact it came from, and the
phase of a hand-off is computed from all of them (:mod:`services.delivery.handoffs`).
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any, Final

import apsw

from baton.contracts.codec import codec_for
from baton.contracts.intake import LeadMerge, LeadPerson, Person
from baton.contracts.leads import LeadAmended, LeadQualified, LeadScored, LeadStaged, StageEvent
from baton.contracts.public_record import PublicRecord
from baton.contracts.reference_records import AgreementRecord, PeopleRecord
from baton.contracts.routing import REINSTATED, HandoffNoted, LeadRouted
from baton.contracts.slas import LeadReactivated, LeadRecycled, SlaClock
from baton.derived_ids import derived_id

_ENDS: Final = frozenset(
    {
        StageEvent.REJECTED,
        StageEvent.WITHDRAWN,
        StageEvent.RECYCLED,
        StageEvent.DISQUALIFIED,
        StageEvent.LOST,
        StageEvent.WON,
    }
)
_NO_STAGE: Final = frozenset(
    {
        StageEvent.CONSENT_CHANGED,
        StageEvent.CONTRACT_END_LEARNT,
        StageEvent.MERGED,
        StageEvent.ERASED,
    }
)


VIEWED: Final[tuple[type, ...]] = (
    AgreementRecord,
    HandoffNoted,
    LeadAmended,
    LeadMerge,
    LeadPerson,
    LeadQualified,
    LeadReactivated,
    LeadRecycled,
    LeadRouted,
    LeadScored,
    LeadStaged,
    PeopleRecord,
    SlaClock,
)
"""What :func:`fold` takes; of any other record it takes nothing."""


def email_digest(address: str) -> str:
    """Under which an address is found; the address itself is not an index."""
    return derived_id("buyer", address.strip().casefold())


def fold(db: apsw.Connection, fact: PublicRecord) -> None:
    """Take one more fact."""
    match fact.value:
        case LeadRouted() as routed:
            _routed(db, routed)
        case LeadStaged() as staged:
            _staged(db, staged)
        case HandoffNoted() as noted:
            _noted(db, noted)
        case LeadScored() as scored:
            _scored(db, scored)
        case LeadPerson() as person:
            _person(db, person)
        case LeadAmended() as amended:
            _amended(db, amended)
        case LeadRecycled() | LeadReactivated():
            _next_date(db, fact.value)
        case LeadMerge(loser=loser, survivor=survivor):
            _lead(db, loser)
            db.execute("UPDATE lead SET survivor = ? WHERE lead_id = ?", (survivor, loser))
        case AgreementRecord() | PeopleRecord():
            _reference(db, fact)
        case LeadQualified() | SlaClock():
            _lead(db, fact.value.lead_id)


def _lead(db: apsw.Connection, lead_id: str) -> None:
    db.execute("INSERT INTO lead (lead_id) VALUES (?) ON CONFLICT DO NOTHING", (lead_id,))


def _routed(db: apsw.Connection, routed: LeadRouted) -> None:
    _lead(db, routed.lead_id)
    _person_of(db, routed.lead_id, routed.qualified.story.person)
    account = routed.qualified.story.account_id
    db.execute(
        "UPDATE lead SET account_id = coalesce(?, account_id) WHERE lead_id = ?",
        (account, routed.lead_id),
    )
    _handoff(db, routed.handoff_id, routed.lead_id, routed.qualification_id, routed.attempt)
    db.execute(
        """UPDATE handoff SET leg = ?, pool = ?, owner = ?, routed_ms = ?, accept_by_ms = ?,
           brief = CASE WHEN (SELECT forgotten FROM lead WHERE lead_id = ?) THEN NULL ELSE ? END
           WHERE handoff_id = ?""",
        (
            routed.leg,
            routed.pool,
            routed.owner,
            routed.routed_at_ms,
            routed.accept_by_ms,
            routed.lead_id,
            json.dumps(_brief(routed.qualified), ensure_ascii=False),
            routed.handoff_id,
        ),
    )


def _brief(qualified: LeadQualified | LeadAmended) -> dict[str, Any]:
    story = qualified.brief if isinstance(qualified, LeadAmended) else qualified.story
    return {
        "level": qualified.level,
        "grade": qualified.grade,
        "hand_raised": qualified.hand_raised,
        "profile": dict(story.profile),
        "why_now": [
            {"name": line.name, "title": line.content_title, "points": line.points_micro}
            for line in story.why_now[:5]
        ],
        "content": [
            {"title": touch.title, "at_ms": touch.occurred_at_ms} for touch in story.content[:5]
        ],
        "interests": list(story.interests[:8]),
        "first_campaign": story.first_campaign,
        "latest_campaign": story.latest_campaign,
    }


def _handoff(
    db: apsw.Connection, handoff_id: str, lead_id: str, qualification_id: str, attempt: int
) -> None:
    db.execute(
        "INSERT INTO handoff (handoff_id, lead_id, qualification_id, attempt) VALUES (?, ?, ?, ?) "
        "ON CONFLICT (handoff_id) DO UPDATE SET qualification_id = excluded.qualification_id, "
        "attempt = max(attempt, excluded.attempt)",
        (handoff_id, lead_id, qualification_id, attempt),
    )


def _staged(db: apsw.Connection, staged: LeadStaged) -> None:
    _lead(db, staged.lead_id)
    if staged.event not in _NO_STAGE:
        db.execute(
            "UPDATE lead SET stage = ?, stage_at = ? WHERE lead_id = ? "
            "AND coalesce(stage_at, -1) <= ?",
            (staged.to_stage, staged.at_ms, staged.lead_id, staged.at_ms),
        )
    if staged.handoff_id is None:
        return
    if staged.event == StageEvent.ACCEPTED:
        _handoff(db, staged.handoff_id, staged.lead_id, staged.qualification_id or "", 0)
        db.execute(
            "UPDATE handoff SET accepted_ms = ?, accepted_by = ? WHERE handoff_id = ?",
            (staged.at_ms, staged.by, staged.handoff_id),
        )
    elif staged.event in _ENDS:
        _handoff(db, staged.handoff_id, staged.lead_id, staged.qualification_id or "", 0)
        _end(db, staged.handoff_id, staged.at_ms, staged.event, staged.by, staged.reason)


def _noted(db: apsw.Connection, noted: HandoffNoted) -> None:
    _lead(db, noted.lead_id)
    if noted.kind == "refused":
        return
    _handoff(db, noted.handoff_id, noted.lead_id, noted.qualification_id, noted.attempt)
    if noted.kind == "withdrawn":
        _end(db, noted.handoff_id, noted.at_ms, "withdrawn", noted.by, noted.reason)
    elif noted.reason == REINSTATED:
        db.execute(
            "UPDATE handoff SET reinstated_ms = ?, owner = coalesce(?, owner) WHERE handoff_id = ?",
            (noted.at_ms, noted.owner, noted.handoff_id),
        )


def _end(
    db: apsw.Connection,
    handoff_id: str,
    at_ms: int,
    event: str,
    by: str | None,
    reason: str | None,
) -> None:
    db.execute(
        "UPDATE handoff SET ended_ms = ?, end_event = ?, ended_by = ?, end_reason = ? "
        "WHERE handoff_id = ? AND coalesce(ended_ms, -1) < ?",
        (at_ms, event, by, reason, handoff_id, at_ms),
    )


def _scored(db: apsw.Connection, scored: LeadScored) -> None:
    _lead(db, scored.lead_id)
    db.execute(
        "UPDATE lead SET level = ?, fit_micro = ?, engagement_micro = ?, grade = ?, scored_at = ? "
        "WHERE lead_id = ? AND coalesce(scored_at, -1) <= ?",
        (
            scored.level,
            scored.fit_micro,
            scored.engagement_micro,
            scored.grade,
            scored.scored_at_ms,
            scored.lead_id,
            scored.scored_at_ms,
        ),
    )


def _next_date(db: apsw.Connection, value: LeadRecycled | LeadReactivated) -> None:
    """When a lead comes back, and by which track until then; a track that ended is empty."""
    _lead(db, value.lead_id)
    enrolled = isinstance(value, LeadRecycled) and value.nurture_allowed
    track = (value.track or "") if enrolled else ""
    db.execute(
        "UPDATE lead SET next_date_ms = ?, track = ?, next_at = ? WHERE lead_id = ? "
        "AND coalesce(next_at, -1) <= ?",
        (value.return_at_ms, track, value.at_ms, value.lead_id, value.at_ms),
    )


def _amended(db: apsw.Connection, amended: LeadAmended) -> None:
    _lead(db, amended.lead_id)
    _person_of(db, amended.lead_id, amended.brief.person)
    if amended.handoff_id:
        db.execute(
            "UPDATE handoff SET brief = ? WHERE handoff_id = ? AND brief IS NOT NULL",
            (json.dumps(_brief(amended), ensure_ascii=False), amended.handoff_id),
        )


def _person(db: apsw.Connection, record: LeadPerson) -> None:
    _lead(db, record.lead_id)
    if record.erased and record.survivor is None:
        _forget(db, record.lead_id)
    elif not record.erased:
        _person_of(db, record.lead_id, record.person)


def _person_of(db: apsw.Connection, lead_id: str, person: Person | None) -> None:
    if person is None:
        return
    known = {name: value for name, value in asdict(person).items() if value}
    digest = email_digest(person.email) if person.email else None
    db.execute(
        "UPDATE lead SET person = ?, email_digest = coalesce(?, email_digest) WHERE lead_id = ? "
        "AND NOT forgotten",
        (json.dumps(known, ensure_ascii=False), digest, lead_id),
    )


def _forget(db: apsw.Connection, lead_id: str) -> None:
    """Every name goes, and a late record brings none back; what waits with a name in it is
    cancelled. A time that they were given stays taken, by nobody."""
    digest = "(SELECT email_digest FROM lead WHERE lead_id = ?)"
    db.execute(f"DELETE FROM promise WHERE buyer = {digest}", (lead_id,))
    db.execute(f"UPDATE booking SET buyer = '' WHERE buyer = {digest}", (lead_id,))
    db.execute(
        "UPDATE lead SET person = NULL, email_digest = NULL, account_id = NULL, forgotten = 1 "
        "WHERE lead_id = ?",
        (lead_id,),
    )
    db.execute("UPDATE handoff SET brief = NULL WHERE lead_id = ?", (lead_id,))
    db.execute(
        "UPDATE delivery SET payload = NULL, outcome = 'the person was forgotten', "
        "state = CASE state WHEN 'waiting' THEN 'cancelled' ELSE state END "
        "WHERE lead_id = ? AND personal",
        (lead_id,),
    )


def _reference(db: apsw.Connection, fact: PublicRecord) -> None:
    record_type: Any = type(fact.value)
    db.execute(
        "INSERT INTO reference VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (fact.topic, fact.offset, fact.at_ms, codec_for(record_type).encode(fact.value)),
    )
