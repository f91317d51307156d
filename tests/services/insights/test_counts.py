"""Counts by day and month are what all rows come to, whatever came, in whatever order and in how
many transactions; and the pages' figures are those of the definitions, row by row."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from baton.contracts.intake import LeadEvent, LeadMerge
from baton.contracts.leads import LeadStaged
from baton.contracts.public_record import PublicRecord
from baton.contracts.topic_names import LEADS_ACCEPTED, LEADS_MERGES, LEADS_STAGES
from services.insights.facts.rollup_tables import ROLLUPS
from services.insights.projection.dialect import StorePlace, reader, writer
from services.insights.projection.kept_counts import recount
from tests.services.insights.stores import ZONE, fill

Company = tuple[tuple[PublicRecord, ...], int]
Rows = dict[str, Counter[tuple[Any, ...]]]


def counts_in(place: StorePlace) -> Rows:
    db = reader(place)
    found = {table.name: Counter(db.execute(f"SELECT * FROM {table.name}")) for table in ROLLUPS}
    db.close()
    return found


def counted_anew(place: StorePlace, zone: str = ZONE) -> Rows:
    db = writer(place)
    db.execute("BEGIN")
    recount(db, zone)
    db.execute("COMMIT")
    db.close()
    return counts_in(place)


def meddled(records: tuple[PublicRecord, ...], random: Random) -> list[PublicRecord]:
    """Nine tenths of the records in any order, some of them twice, with merges, retractions (by
    whatever lead they came) and moves of hand-offs under another lead than the hand-off's."""
    leads = sorted({each.value.lead_id for each in records if isinstance(each.value, LeadEvent)})
    touches = [each for each in records if isinstance(each.value, LeadEvent)]
    more = []
    for number in range(4):
        loser, survivor = random.sample(leads, 2)
        at_ms = random.choice(records).at_ms
        merge = LeadMerge(
            merge_id=f"m{number}",
            loser=loser,
            survivor=survivor,
            cause_id=f"c{number}",
            occurred_at_ms=at_ms,
        )
        more.append(_record(LEADS_MERGES, number, loser, merge, at_ms))
        gone = random.choice(touches)
        taken_back = replace(
            gone.value,
            event_id=f"r{number}",
            lead_id=random.choice(leads),
            engagement=None,
            retracts=gone.value.event_id,
        )
        more.append(_record(LEADS_ACCEPTED, 10_000 + number, gone.key, taken_back, gone.at_ms))
        moved = random.choice([each for each in records if isinstance(each.value, LeadStaged)])
        elsewhere = replace(moved.value, lead_id=survivor)
        more.append(_record(LEADS_STAGES, 20_000 + number, survivor, elsewhere, moved.at_ms))
    some = random.sample(records, len(records) * 9 // 10)
    return random.sample([*some, *more, *random.sample(records, 40)], len(some) + len(more) + 40)


def _record(topic: str, offset: int, key: str, value: Any, at_ms: int) -> PublicRecord:
    return PublicRecord(
        topic=topic,
        partition=9,
        offset=offset,
        id=f"{topic}-{offset}",
        key=key,
        value=value,
        at_ms=at_ms,
    )


def test_no_count_of_the_company_is_empty_but_those_of_deals(store: StorePlace) -> None:
    empty = {name for name, rows in counts_in(store).items() if not rows}
    assert empty <= {"credits_by_span", "content_by_span"}


@pytest.mark.parametrize("seed", range(4))
def test_counts_are_what_all_rows_come_to_after_any_history(
    company: Company, place: StorePlace, seed: int
) -> None:
    random = Random(seed)
    records = meddled(company[0], random)
    fill(place, records, at_once=random.choice((1, 7, 60, 400)) if seed else 5)
    kept = counts_in(place)
    assert kept == counted_anew(place)
    assert sum(len(rows) for rows in kept.values()) > 200
