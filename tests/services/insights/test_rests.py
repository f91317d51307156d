"""How leads rest: what a revised end says is what the pages show, and nothing ended anew."""

from __future__ import annotations

from datetime import UTC, date, datetime
from itertools import permutations

import pytest

from baton.contracts.leads import LeadStaged
from baton.contracts.public_record import PublicRecord
from baton.contracts.slas import LeadRecycled
from services.insights.projection.dialect import StorePlace, reader
from services.insights.reports.context import Context, Role, Viewer, filters_of
from services.insights.reports.recycling import recycling
from tests.services.insights.stores import fill

NOW_MS = int(datetime(2026, 11, 28, 12, tzinfo=UTC).timestamp() * 1000)
DAY_MS = 86_400_000


def recycled(number: int, return_days: int, *, needs: str | None, revised: bool) -> PublicRecord:
    end = LeadRecycled(
        recycle_id="r1",
        lead_id="l1",
        cycle=1,
        outcome="recycle",
        reason="in_contract",
        at_ms=NOW_MS - 1_000,
        cause_id=f"c{number}",
        agreement="v",
        track="contract",
        return_at_ms=NOW_MS + return_days * DAY_MS,
        needs=needs,
        revised=revised,
    )
    return record("leads.recycled.v1", number, end)


def record(topic: str, number: int, value: object) -> PublicRecord:
    return PublicRecord(
        topic=topic,
        partition=0,
        offset=number,
        id=f"{topic}-{number}",
        key="l1",
        value=value,
        at_ms=NOW_MS - 10_000 + number,
    )


MOVED = LeadStaged(
    lead_id="l1",
    cycle=1,
    from_stage="sal",
    to_stage="recycled",
    event="recycled",
    reason="in_contract",
    actor="sales",
    cause_id="c0",
    at_ms=NOW_MS - 2_000,
    occurred_at_ms=NOW_MS - 2_000,
    evidence_at_ms=NOW_MS - 2_000,
    agreement="v",
)
ENDED = (
    record("leads.stages.v1", 1, MOVED),
    recycled(2, 20, needs="contract_end", revised=False),
)


def page(place: StorePlace) -> dict[str, object]:
    context = Context(
        db=reader(place),
        now_ms=NOW_MS,
        viewer=Viewer(role=Role.MANAGER),
        filters=filters_of({"from": "2026-11-01", "until": "2026-11-30"}, date(2026, 11, 28)),
    )
    return recycling(context)


def test_a_lead_whose_end_of_contract_is_missing_is_counted_until_it_is_known(
    place: StorePlace,
) -> None:
    assert page(fill(place, ENDED))["missing"] == 1
    fill(place, [recycled(3, 6, needs=None, revised=True)])
    assert page(place)["missing"] == 0


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_a_revised_end_moves_the_return_and_ends_nothing_anew_whatever_came_first(
    place: StorePlace, order: tuple[int, ...]
) -> None:
    records = (*ENDED, recycled(3, 6, needs=None, revised=True))
    found = page(fill(place, [records[number] for number in order], at_once=1))
    ((soon,), (reason,)) = (found["soon"], found["reasons"])  # type: ignore[misc]
    assert (soon["lead_id"], soon["next_at_ms"]) == ("l1", NOW_MS + 6 * DAY_MS)
    assert (soon["needs"], reason["ended"], found["missing"]) == (None, 1, 0)
