"""Brings a store of an earlier version up to this one in place, from its own rows: a rebuild from
the topics would lose what has passed their retention."""

from __future__ import annotations

from typing import Any, Final

from baton.contracts.public_record import PublicRecord
from baton.contracts.topic_names import LEADS_RECYCLED
from services.insights.derived.work import HELD, work_rows
from services.insights.facts.change import row_of
from services.insights.facts.flow_tables import REST
from services.insights.facts.tables import TABLES
from services.insights.projection.dialect import Dialect, create
from services.insights.projection.kept_counts import recount
from services.insights.projection.kept_history import decoded
from services.insights.projection.rows_of_many import put_rows
from services.insights.projection.store_sql import VERSION, upsert

UPGRADED: Final = frozenset({"3", "4", "5"})
"""The versions that can be brought up: they have every fact. Version 3 has no counts, no mentions,
no work; version 4 no open clocks, no rests, no counts of mentions and refusals; version 5
counts no hand that was raised after the hand-over."""
_ACTS: Final = """SELECT event_id, lead_id, occurred_at_ms, log_ms, objections, competitor,
    content_sent, content_asked FROM act WHERE objections <> '' OR competitor IS NOT NULL
    OR content_sent IS NOT NULL OR content_asked IS NOT NULL"""


def upgrade(db: Any, dialect: Dialect, zone: str) -> None:
    """Within a transaction: the missing tables and indexes, and what is in them."""
    for table in TABLES.values():
        for statement in create(table, dialect):
            db.execute(
                statement.replace(" TABLE ", " TABLE IF NOT EXISTS ", 1).replace(
                    " INDEX ", " INDEX IF NOT EXISTS ", 1
                )
            )
    mention = upsert(TABLES["mention"])
    for event_id, lead_id, at_ms, log_ms, objections, *named in db.execute(_ACTS).fetchall():
        words = [("objection", word) for word in objections.split(";")]
        words += zip(("competitor", "sent", "asked"), named, strict=True)
        for kind, word in words:
            if word:
                db.execute(mention, (event_id, kind, word, lead_id, at_ms, log_ms))
    _put_rests(db)
    held = db.execute(HELD.replace("AND l.lead_id IN ({these})", "")).fetchall()
    put_rows(db, work_rows(held))
    recount(db, zone)
    db.execute("UPDATE meta SET value = ? WHERE name = 'version'", (str(VERSION),))


def _put_rests(db: Any) -> None:
    """How leads rest, from the records that were kept of them."""
    kept = db.execute(
        "SELECT log_ms, log_offset, fact_id, value FROM fact WHERE topic = ?", (LEADS_RECYCLED,)
    )
    for log_ms, offset, fact_id, value in kept.fetchall():
        taken = PublicRecord(
            topic=LEADS_RECYCLED,
            partition=0,
            offset=offset,
            id=fact_id,
            key="",
            value=decoded(LEADS_RECYCLED, value),
            at_ms=log_ms,
        )
        change = row_of(REST, taken, taken.value)
        db.execute(upsert(REST), change.row)
