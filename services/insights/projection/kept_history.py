"""What the store knows of some leads that their derived rows are made from, read for all of them at
once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from baton.contracts.codec import codec_for
from baton.contracts.topic_names import LEADS_SCORED
from baton.contracts.topics import TOPICS
from services.insights.derived.lead_rows import Kept
from services.insights.facts.change import Put
from services.insights.facts.intake_tables import FACT
from services.insights.projection.rows_of_many import rows_of_some

_FACTS: Final = f"""SELECT lead_id, topic, log_ms, log_offset, value, fact_id FROM fact
    WHERE lead_id IN ({{these}}) AND topic <> '{LEADS_SCORED}'"""
_SOME: Final = "WITH asked (lead_id) AS (VALUES {those})"
_SCORED: Final = f"""{_SOME} SELECT f.lead_id, f.topic, f.log_ms, f.log_offset, f.value, f.fact_id
    FROM asked CROSS JOIN fact f ON f.lead_id = asked.lead_id
    AND f.topic = '{LEADS_SCORED}' AND f.fact_id = (SELECT n.fact_id FROM fact n
        WHERE n.lead_id = asked.lead_id AND n.topic = '{LEADS_SCORED}'
        ORDER BY n.log_ms DESC, n.log_offset DESC, n.fact_id DESC LIMIT 1)"""
_PUBLISHED: Final = """SELECT lead_id, min(log_ms), max(log_ms) FROM fact
    WHERE lead_id IN ({these}) GROUP BY 1"""
_SEEN: Final = f"""{_SOME} SELECT asked.lead_id,
    (SELECT min(occurred_at_ms) FROM touch WHERE lead_id = asked.lead_id),
    (SELECT max(occurred_at_ms) FROM touch WHERE lead_id = asked.lead_id)
    FROM asked"""
_ACTED: Final = """SELECT lead_id, max(occurred_at_ms) FROM act
    WHERE lead_id IN ({these}) AND automatic = 0 GROUP BY 1"""
_ACCOUNTS: Final = f"""{_SOME} SELECT m.lead_id, m.occurred_at_ms, m.event_id, m.account_id
    FROM asked CROSS JOIN membership m ON m.event_id =
    (SELECT n.event_id FROM membership n WHERE n.lead_id = asked.lead_id
        AND NOT EXISTS (SELECT 1 FROM retraction r WHERE r.event_id = n.event_id)
        ORDER BY n.occurred_at_ms DESC, n.event_id DESC LIMIT 1)"""
_FORGOTTEN: Final = "SELECT name FROM meta WHERE name IN ({these})"
_MARK: Final = "forgotten "
_REMEMBERED: Final = 16_384


@dataclass(slots=True, kw_only=True)
class LeadHistory:
    """``facts``: of scores the latest alone. ``account``: the latest membership, as ``(moment,
    event, account)``."""

    facts: list[Kept] = field(default_factory=list)
    seen: list[int] = field(default_factory=list)
    last_act_ms: int | None = None
    account: tuple[int, str, str | None] | None = None
    forgotten: bool = False


class FactReader:
    """Decodes kept facts. While a lead is in work its facts are read again with every batch that
    has news of it, so what was decoded, or written, is remembered."""

    def __init__(self) -> None:
        self._records: dict[bytes, Any] = {}

    def note(self, puts: Iterable[Put]) -> None:
        """Remember the records of these rows."""
        if len(self._records) > _REMEMBERED:
            self._records.clear()
        value = FACT.names.index("value")
        for one in puts:
            if one.table is FACT and one.keeps is not None:
                self._records[one.row[value]] = one.keeps

    def decoded(self, topic: str, value: bytes) -> Any:
        """The record of a kept fact."""
        known = self._records.get(value)
        if known is None:
            known = self._records[value] = decoded(topic, value)
        return known


def decoded(topic: str, value: bytes) -> Any:
    """The record of a kept fact."""
    record_type: Any = TOPICS[topic].record
    return codec_for(record_type).decode(value)


def histories(db: Any, leads: Iterable[str], reader: FactReader) -> Mapping[str, LeadHistory]:
    """By lead, every one of them."""
    asked = set(leads)
    found = {lead: LeadHistory() for lead in asked}
    for statement in (_FACTS, _SCORED):
        kept = {
            (lead, topic, fact_id): Kept(
                topic=topic,
                log_ms=at_ms,
                log_offset=offset,
                value=reader.decoded(topic, value),
                fact_id=fact_id,
            )
            for lead, topic, at_ms, offset, value, fact_id in rows_of_some(db, statement, asked)
        }
        for (lead, _, _), fact in kept.items():
            found[lead].facts.append(fact)
    for statement in (_PUBLISHED, _SEEN):
        for lead, *moments in rows_of_some(db, statement, asked):
            found[lead].seen += [at_ms for at_ms in moments if at_ms is not None]
    for lead, at_ms in rows_of_some(db, _ACTED, asked):
        found[lead].last_act_ms = at_ms
    for lead, *membership in rows_of_some(db, _ACCOUNTS, asked):
        at_ms, event_id, account_id = membership
        found[lead].account = (at_ms, event_id, account_id)
    for lead in forgotten(db, asked):
        found[lead].forgotten = True
    return found


def forgotten(db: Any, leads: Iterable[str]) -> set[str]:
    """Those of whom every name is gone for good."""
    marks = rows_of_some(db, _FORGOTTEN, [_MARK + lead for lead in leads])
    return {mark.removeprefix(_MARK) for (mark,) in marks}


def mark_forgotten(db: Any, lead_id: str) -> None:
    """From now on the lead is one of :func:`forgotten`."""
    db.execute("INSERT INTO meta VALUES (?, '1') ON CONFLICT DO NOTHING", (_MARK + lead_id,))
