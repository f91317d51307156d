"""History from the board's file, as the public facts it was made from: the board keeps for good
what topics keep for a month. Opened read-only."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict
from typing import Any, Final

from baton.contracts import topic_names
from baton.contracts.codec import codec_for
from baton.contracts.topic_names import LEADS_ACCEPTED
from baton.contracts.topics import TOPICS
from services.insights.projection.dialect import StorePlace, reader

_TABLES: Final[Mapping[str, tuple[str, str, tuple[str, ...]]]] = {
    topic_names.LEADS_QUALIFIED: (
        "qualification",
        "qualified_at_ms",
        (
            "lead_id",
            "stage",
            "qualified_at_ms",
            "fit_micro",
            "engagement_micro",
            "grade",
            "hand_raised",
            "agreement",
        ),
    ),
    topic_names.LEADS_STAGES: ("stage_move", "log_ms", ("lead_id", "to_stage", "occurred_at_ms")),
    topic_names.LEADS_ACTS: ("act", "occurred_at_ms", ("lead_id", "occurred_at_ms")),
    topic_names.LEADS_MERGES: ("merged", "occurred_at_ms", ("survivor", "occurred_at_ms")),
}
"""By topic: the table, its moment and its columns."""


def documents_of_board(path: StorePlace) -> Iterator[Mapping[str, Any]]:
    """What a calibration needs of each fact, in the shape of ``baton simulate --json``."""
    connection = reader(path)
    try:
        for topic, (table, moment, names) in _TABLES.items():
            query = f"SELECT {moment}, {', '.join(names)} FROM {table}"
            for at_ms, *values in connection.execute(query):
                value = dict(zip(names, values, strict=True))
                yield {"topic": topic, "at_ms": at_ms, "value": value}
    finally:
        connection.close()


def accounts_of_board(path: StorePlace) -> Iterator[Mapping[str, Any]]:
    """Which account a lead's profile named and when, in the shape of ``leads.accepted.v1``."""
    connection = reader(path)
    try:
        query = (
            "SELECT lead_id, occurred_at_ms, account_id FROM membership "
            "WHERE account_id IS NOT NULL"
        )
        for lead_id, at_ms, account in connection.execute(query):
            value = {"lead_id": lead_id, "received_at_ms": at_ms, "profile": {"domain": account}}
            yield {"topic": LEADS_ACCEPTED, "at_ms": at_ms, "value": value}
    finally:
        connection.close()


def facts_of_board(path: StorePlace, topics: Collection[str]) -> Iterator[Mapping[str, Any]]:
    """Whole public facts of these topics, as the board keeps them for the pages of leads, in the
    shape of ``baton simulate --json``."""
    connection = reader(path)
    try:
        marks = ", ".join("?" * len(topics))
        query = f"SELECT topic, log_ms, value FROM fact WHERE topic IN ({marks})"
        for topic, at_ms, value in connection.execute(query, tuple(topics)):
            record = TOPICS[topic].record
            if record is not None:
                fact = asdict(codec_for(record).decode(value))
                yield {"topic": topic, "at_ms": at_ms, "value": fact}
    finally:
        connection.close()
