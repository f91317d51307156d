"""Makes the derived rows of the leads that a transaction touched, and of the journeys they belong
to. Reads and writes one connection."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from baton.contracts.codec import codec_for
from baton.contracts.topics import TOPICS
from baton.ids import derived_id
from services.insights.derived.cycles import cycle_rows
from services.insights.derived.deal_standing import deal_rows, deals_of, standing_wins
from services.insights.derived.journeys import Journey, Won, journey_rows
from services.insights.derived.leads import Kept, Surroundings, lead_row
from services.insights.derived.work import HELD, work_rows
from services.insights.facts.change import Put, put
from services.insights.facts.derived_tables import JOURNEY
from services.insights.figures.attribution import NO_TOUCH, Touch

Write = Callable[[Put], None]
Crediting = Callable[[list[str]], AbstractContextManager[None]]


def _alone(_: list[str]) -> AbstractContextManager[None]:
    return nullcontext()


_ACCOUNT = """SELECT occurred_at_ms, event_id, account_id FROM membership m WHERE lead_id = ?1
    AND NOT EXISTS (SELECT 1 FROM retraction r WHERE r.event_id = m.event_id) ORDER BY occurred_at_ms DESC, event_id DESC LIMIT 1"""
_SEEN = """SELECT min(at), max(at) FROM (
    SELECT min(occurred_at_ms) at FROM touch WHERE lead_id = ?1 UNION ALL SELECT max(occurred_at_ms) FROM touch WHERE lead_id = ?1
    UNION ALL SELECT min(log_ms) FROM fact WHERE lead_id = ?1 UNION ALL SELECT max(log_ms) FROM fact WHERE lead_id = ?1) seen"""
# CROSS JOIN keeps the journey's few leads first: by event or by time alone the tables are long.
_TOUCHES = """SELECT t.event_id, t.lead_id, t.occurred_at_ms, t.received_at_ms, t.campaign, t.source
    FROM lead l CROSS JOIN touch t ON t.lead_id = l.lead_id WHERE l.journey = ?1 AND t.occurred_at_ms <= ?2 AND t.automatic = 0
    AND NOT (t.backfill = 1 AND t.occurred_at_ms = t.received_at_ms)
    AND NOT EXISTS (SELECT 1 FROM retraction r WHERE r.event_id = t.event_id)"""
_WON = """SELECT d.ended_by, d.lead_id, d.ended_at_ms, d.opportunity_id, d.amount_minor, d.currency
    FROM lead l CROSS JOIN deal d ON d.root = l.lead_id WHERE l.journey = ?1 AND d.state = 'won'"""
_OPENED = """SELECT m.lead_id, m.opportunity_id, m.occurred_at_ms FROM lead l CROSS JOIN stage_move m ON m.lead_id = l.lead_id
    WHERE l.journey = ?1 AND m.occurred_at_ms <= ?2 AND ((+m.to_stage = 'opportunity' AND m.from_stage <> 'opportunity' AND m.event <> 'reopened')
    OR (';' || m.inferred || ';') LIKE '%;opportunity;%')"""
_KNOWN = """SELECT min(COALESCE(t.occurred_at_ms, q.qualified_at_ms)) FROM lead l CROSS JOIN qualification q ON q.lead_id = l.lead_id
    LEFT JOIN touch t ON t.event_id = q.cause_id WHERE l.journey = ?1"""


def derive(
    db: Any,
    touched: Iterable[str],
    write: Write,
    *,
    zone: str,
    crediting: Crediting = _alone,
) -> None:
    """Make anew what the touched leads change, with every lead that ended in the same one: touches
    and accounts follow. ``crediting``: what is around the writing of journeys' credits."""
    journeys: set[str] = set()
    for root in sorted({_root(db, lead_id) for lead_id in touched}):
        family = _family(db, root)
        account = _account(db, family)
        known: dict[str, list[Kept]] = {}
        for lead_id in family:
            journeys |= {
                name
                for (name,) in db.execute("SELECT journey FROM lead WHERE lead_id = ?", (lead_id,))
            }
            facts = _facts(db, lead_id)
            write(
                lead_row(
                    lead_id,
                    facts,
                    _surroundings(
                        db, lead_id, family if lead_id == root else [lead_id], root, account
                    ),
                )
            )
            put_work(db, lead_id, write)
            known[lead_id] = facts
        _put_deals_and_cycles(db, root, known, write)
        journeys.add(account or root)
    _credit(db, sorted(journeys), write, zone, crediting)


def put_work(db: Any, lead_id: str, write: Write) -> None:
    """Make the row of a lead's work anew, and those of its open clocks, from its row and its
    clocks."""
    for table in ("work", "open_clock"):
        db.execute(f"DELETE FROM {table} WHERE lead_id = ?", (lead_id,))
    for row in work_rows(db.execute(HELD, (lead_id,)).fetchall()):
        write(row)


def _put_deals_and_cycles(
    db: Any, root: str, known: Mapping[str, list[Kept]], write: Write
) -> None:
    """``known``: the facts of the lead, and of those that ended in it."""
    deals = deals_of([kept for facts in known.values() for kept in facts])
    for lead_id, facts in known.items():
        db.execute("DELETE FROM deal WHERE root = ?", (lead_id,))
        for cycle in cycle_rows(lead_id, facts, standing_wins(deals)):
            write(cycle)
    for row in deal_rows(root, deals):
        write(row)


def credit_all(db: Any, write: Write, *, zone: str) -> None:
    """Make the credits of every journey anew."""
    for (name,) in list(db.execute("SELECT DISTINCT journey FROM conversion")):
        _credit(db, [name], write, zone)


def _family(db: Any, root: str) -> list[str]:
    """A lead, and those that ended in it, directly or through others."""
    found, waiting = set(), [root]
    while waiting:
        lead_id = waiting.pop()
        if lead_id not in found:
            found.add(lead_id)
            waiting += [
                loser
                for (loser,) in db.execute(
                    "SELECT loser FROM merged WHERE survivor = ?", (lead_id,)
                )
            ]
    return sorted(found)


def _account(db: Any, family: Iterable[str]) -> str | None:
    """The account that a profile of any of them named last."""
    named = [row for lead_id in family for row in db.execute(_ACCOUNT, (lead_id,))]
    return max(named)[2] if named else None


def _facts(db: Any, lead_id: str) -> list[Kept]:
    rows = db.execute(
        "SELECT topic, log_ms, log_offset, value, fact_id FROM fact WHERE lead_id = ?", (lead_id,)
    )
    return [
        Kept(
            topic=topic, log_ms=at, log_offset=offset, value=decoded(topic, value), fact_id=fact_id
        )
        for topic, at, offset, value, fact_id in rows
    ]


@lru_cache(maxsize=16_384)
def decoded(topic: str, value: bytes) -> Any:
    """The record of a kept fact. Remembered: while a lead is in work its facts are read again with
    every batch that has news of it."""
    record_type: Any = TOPICS[topic].record
    return codec_for(record_type).decode(value)


def _surroundings(
    db: Any, lead_id: str, parts: list[str], root: str, account: str | None
) -> Surroundings:
    """``parts``: the leads whose history is the lead's."""
    seen = [
        at for part in parts for row in db.execute(_SEEN, (part,)) for at in row if at is not None
    ]
    acts = [
        _one(db, "SELECT max(occurred_at_ms) FROM act WHERE lead_id = ?1 AND automatic = 0", part)
        for part in parts
    ]
    return Surroundings(
        account_id=account,
        root=root,
        journey=account or root,
        seen=(min(seen, default=0), max(seen, default=0)),
        last_act_ms=max((at for at in acts if at is not None), default=None),
        erased=_one(db, "SELECT 1 FROM meta WHERE name = 'forgotten ' || ?1", lead_id) is not None,
    )


def _root(db: Any, lead_id: str) -> str:
    passed = {lead_id}
    while (
        survivor := _one(db, "SELECT survivor FROM merged WHERE loser = ?1", lead_id)
    ) is not None and survivor not in passed:
        passed.add(survivor)
        lead_id = survivor
    return lead_id


def _one(db: Any, statement: str, *values: Any) -> Any:
    row = next(iter(db.execute(statement, values)), None)
    return None if row is None else row[0]


def family_of(db: Any, lead_id: str) -> list[str]:
    """The lead that a lead ended in, or itself, and all that ended there."""
    return _family(db, _root(db, lead_id))


def _credit(
    db: Any,
    names: Iterable[str],
    write: Write,
    zone: str,
    crediting: Crediting = _alone,
) -> None:
    """Make the credits of journeys anew where they differ. Those of all go before those of any
    come: a deal may have moved from one journey to another, and its rows are keyed by the deal."""
    changed: dict[str, tuple[Journey, str]] = {}
    for name in names:
        journey = _journey(db, name, zone)
        digest = derived_id("journey", repr(journey)) if journey.won else ""
        if digest != (_one(db, "SELECT digest FROM journey WHERE journey = ?1", name) or ""):
            changed[name] = (journey, digest)
    if not changed:
        return
    with crediting(list(changed)):
        for name in changed:
            for table in ("conversion", "credit", "journey"):
                db.execute(f"DELETE FROM {table} WHERE journey = ?", (name,))
        for name, (journey, digest) in changed.items():
            if digest:
                write(put(JOURNEY, journey=name, digest=digest))
            for row in journey_rows(journey):
                write(row)


def _journey(db: Any, name: str, zone: str) -> Journey:
    """What counts for the journey's deals, in a fixed order; what came after the last of them does
    not."""
    won = [
        Won(
            fact_id=fact,
            lead_id=lead,
            occurred_at_ms=at,
            opportunity_id=deal,
            amount_minor=amount,
            currency=currency,
        )
        for fact, lead, at, deal, amount, currency in sorted(db.execute(_WON, (name,)))
    ]
    if not won:
        return Journey(name=name, touches=(), sources={}, won=(), opened=(), known_at_ms=None)
    last_won_ms = max(deal.occurred_at_ms for deal in won)
    rows = sorted(db.execute(_TOUCHES, (name, last_won_ms)))
    touches = [
        Touch(
            event_id=event,
            lead_id=_root(db, lead),
            occurred_at_ms=at,
            received_at_ms=received,
            campaign=campaign or NO_TOUCH,
            day=day_of(at, zone),
        )
        for event, lead, at, received, campaign, _ in rows
    ]
    return Journey(
        name=name,
        touches=touches,
        sources={row[0]: row[5] for row in rows},
        won=won,
        opened=sorted(db.execute(_OPENED, (name, last_won_ms)), key=repr),
        known_at_ms=_one(db, _KNOWN, name),
    )


@lru_cache(maxsize=8)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def day_of(at_ms: int, zone: str) -> str:
    """The day in ``zone``, ISO 8601."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(_zone(zone)).date().isoformat()
