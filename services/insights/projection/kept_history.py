"""What the store knows of some leads that their derived rows are made from, read for all of them at
once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from baton.contracts.codec import codec_for
from baton.contracts.topic_names import LEADS_SCORED
from baton.contracts.topics import TOPICS
from services.insights.derived.lead_rows import Flow, Kept, Rating, flow_of, rating_of
from services.insights.facts.score_head import score_head
from services.insights.projection.rows_of_many import rows_of_some

_FACTS: Final = f"""SELECT lead_id, topic, log_ms, log_offset, value, fact_id FROM fact
    WHERE lead_id IN ({{these}}) AND topic <> '{LEADS_SCORED}'"""
_SOME: Final = "WITH asked (lead_id) AS (VALUES {those})"
_SCORED: Final = f"""{_SOME} SELECT f.lead_id, f.log_ms, f.log_offset, f.value, f.fact_id
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
_FIRSTS: Final = """SELECT t.lead_id, COALESCE(t.campaign, ''), min(t.occurred_at_ms) FROM touch t
    WHERE t.lead_id IN ({these}) AND t.automatic = 0
    AND NOT EXISTS (SELECT 1 FROM retraction r WHERE r.event_id = t.event_id) GROUP BY 1, 2"""
_ACTED: Final = """SELECT lead_id, max(occurred_at_ms) FROM act
    WHERE lead_id IN ({these}) AND automatic = 0 GROUP BY 1"""
_ACCOUNTS: Final = f"""{_SOME} SELECT m.lead_id, m.occurred_at_ms, m.event_id, m.account_id
    FROM asked CROSS JOIN membership m ON m.event_id =
    (SELECT n.event_id FROM membership n WHERE n.lead_id = asked.lead_id
        AND NOT EXISTS (SELECT 1 FROM retraction r WHERE r.event_id = n.event_id)
        ORDER BY n.occurred_at_ms DESC, n.event_id DESC LIMIT 1)"""
_FORGOTTEN: Final = "SELECT name FROM meta WHERE name IN ({these})"
_MARK: Final = "forgotten "


@dataclass(slots=True, kw_only=True)
class LeadHistory:
    """``facts`` by topic and id, scores apart: of these ``rating`` has the latest. ``account``: the
    latest membership, as ``(moment, event, account)``. ``firsts``: by campaign the first touch that
    counts."""

    facts: dict[tuple[str, str], Kept] = field(default_factory=dict)
    rating: Rating | None = None
    seen: list[int] = field(default_factory=list)
    last_act_ms: int | None = None
    account: tuple[int, str, str | None] | None = None
    firsts: dict[str, int] = field(default_factory=dict)
    forgotten: bool = False
    _flow: Flow | None = field(default=None, compare=False)

    @property
    def kept(self) -> list[Kept]:
        """The facts, in an order that does not depend on when they came."""
        return [self.facts[key] for key in sorted(self.facts)]

    @property
    def flow(self) -> Flow:
        """What the facts come to."""
        if self._flow is None:
            self._flow = flow_of(self.kept)
        return self._flow

    def add_fact(self, fact: Kept) -> None:
        """A fact that is no score."""
        self.facts[fact.topic, fact.fact_id] = fact
        self._flow = None

    def add_score(self, scored: Any, order: tuple[int, int, str]) -> None:
        """A score; the latest counts."""
        if self.rating is None or order > self.rating.order:
            self.rating = rating_of(scored, order)

    def add_account(self, account: tuple[int, str, str | None]) -> None:
        """A membership; the latest counts."""
        if self.account is None or account[:2] > self.account[:2]:
            self.account = account

    def add_act(self, at_ms: int) -> None:
        """A person did something."""
        if self.last_act_ms is None or at_ms > self.last_act_ms:
            self.last_act_ms = at_ms

    def add_first(self, campaign: str, at_ms: int) -> None:
        """A touch that counts."""
        known = self.firsts.get(campaign)
        if known is None or at_ms < known:
            self.firsts[campaign] = at_ms

    def see(self, at_ms: int) -> None:
        """Something is from then."""
        if not self.seen:
            self.seen = [at_ms, at_ms]
        elif at_ms < self.seen[0]:
            self.seen[0] = at_ms
        elif at_ms > self.seen[1]:
            self.seen[1] = at_ms


def decoded(topic: str, value: bytes) -> Any:
    """The record of a kept fact."""
    record_type: Any = TOPICS[topic].record
    return codec_for(record_type).decode(value)


def histories(db: Any, leads: Iterable[str]) -> Mapping[str, LeadHistory]:
    """By lead, every one of them."""
    asked = set(leads)
    found = {lead: LeadHistory() for lead in asked}
    for lead, topic, at_ms, offset, value, fact_id in rows_of_some(db, _FACTS, asked):
        record = decoded(topic, value)
        found[lead].add_fact(
            Kept(topic=topic, log_ms=at_ms, log_offset=offset, value=record, fact_id=fact_id)
        )
    for lead, at_ms, offset, value, fact_id in rows_of_some(db, _SCORED, asked):
        found[lead].add_score(score_head()(value), (at_ms, offset, fact_id))
    for statement in (_PUBLISHED, _SEEN):
        for lead, *moments in rows_of_some(db, statement, asked):
            for at_ms in moments:
                if at_ms is not None:
                    found[lead].see(at_ms)
    for lead, campaign, at_ms in rows_of_some(db, _FIRSTS, asked):
        found[lead].firsts[campaign] = at_ms
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
