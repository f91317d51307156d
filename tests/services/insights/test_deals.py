"""Deals of the board: a win that is taken back, one of several that is lost, amounts corrected."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from baton.contracts.deals import LeadDeal
from baton.contracts.digests import SlaDigest
from baton.contracts.leads import LeadStaged
from baton.contracts.public_record import PublicRecord
from baton.contracts.topic_names import LEADS_SLA_DIGESTS, LEADS_STAGES
from services.insights.facts.derived_tables import DEAL
from services.insights.projection.dialect import StorePlace, reader, writer
from services.insights.projection.kept_counts import recount
from services.insights.projection.store_sql import upsert
from services.insights.reports.clocks import sla
from services.insights.reports.context import Context, Role, Viewer, filters_of
from services.insights.reports.funnel import funnel, win_rate
from services.insights.reports.goals import open_deals
from services.insights.reports.objections import reasons
from tests.services.insights.boards import board_with
from tests.services.insights.stores import fill

HOUR = 3_600_000
DAY_MS = 24 * HOUR
NOW_MS = int(datetime(2026, 11, 28, 12, tzinfo=UTC).timestamp() * 1000)


def move(
    event: str,
    stages: str,
    at: int,
    deal: LeadDeal | None = None,
    *,
    lead: str = "l1",
    cycle: int = 1,
    **more: Any,
) -> PublicRecord:
    """A move at hour ``at``; ``stages``: before and after."""
    before, _, after = stages.partition(">")
    said = (
        {
            "deal": deal,
            "opportunity_id": deal.opportunity_id,
            "amount_minor": deal.amount_minor,
            "currency": deal.currency,
        }
        if deal
        else {}
    )
    staged = LeadStaged(
        lead_id=lead,
        cycle=cycle,
        from_stage=before,
        to_stage=after or before,
        event=event,
        actor="sales",
        cause_id=f"cause-{at}",
        at_ms=at * HOUR,
        occurred_at_ms=at * HOUR,
        evidence_at_ms=at * HOUR,
        agreement="v",
        **said | more,
    )
    return PublicRecord(
        topic=LEADS_STAGES,
        partition=0,
        offset=at,
        id=f"fact-{lead}-{at}",
        key=lead,
        value=staged,
        at_ms=at * HOUR,
    )


def deal(name: str, state: str = "open", amount: int = 100) -> LeadDeal:
    return LeadDeal(opportunity_id=name, state=state, amount_minor=amount, currency="EUR")


OPENED = move("opportunity", "sql>opportunity", 1, deal("d1"))
SECOND = move("opportunity", "opportunity", 2, deal("d2", amount=50))
WON = move("won", "opportunity>customer", 3, deal("d1", "won"))
REOPENED = move("reopened", "customer>opportunity", 4, deal("d1"))
CORRECTED = move("deal_changed", "customer", 4, deal("d1", "won", 80))
LOST_ALONE = move("deal_changed", "opportunity", 3, deal("d2", "lost", 50), reason="lost_other")
WON_ANEW = move("won", "opportunity>customer", 5, deal("d1", "won", 90))
RECYCLED = move("recycled", "opportunity>recycled", 4, reason="not_ready")
LOST = move("lost", "opportunity>recycled", 4, deal("d1", "lost"), reason="lost_other")
UNNAMED_LOSS = move("lost", "opportunity>recycled", 4, reason="lost_other")

STANDING = [
    ("one is open", [OPENED], {"d1": "open 100"}),
    ("a win", [OPENED, WON], {"d1": "won 100"}),
    ("a win that is taken back is open again", [OPENED, WON, REOPENED], {"d1": "open 100"}),
    ("and can be won anew", [OPENED, WON, REOPENED, WON_ANEW], {"d1": "won 90"}),
    ("a corrected amount", [OPENED, WON, CORRECTED], {"d1": "won 80"}),
    (
        "one of two is lost alone",
        [OPENED, SECOND, LOST_ALONE],
        {"d1": "open 100", "d2": "lost 50"},
    ),
    ("one of two is won", [OPENED, SECOND, WON], {"d1": "won 100", "d2": "open 50"}),
    ("the last one is lost", [OPENED, LOST], {"d1": "lost 100"}),
    (
        "the end of the cycle ends all that are open",
        [OPENED, SECOND, RECYCLED],
        {"d1": "derailed 100", "d2": "derailed 50"},
    ),
    (
        "a loss of no deal in particular loses all",
        [OPENED, SECOND, UNNAMED_LOSS],
        {"d1": "lost 100", "d2": "lost 50"},
    ),
    (
        "a loss where no deal was ever opened is one",
        [replace(UNNAMED_LOSS, value=replace(UNNAMED_LOSS.value, amount_minor=7))],
        {"l1/1": "lost 7"},
    ),
    (
        "what is said of a lead that rests ends nothing anew",
        [OPENED, WON, move("consent_changed", "recycled", 5)],
        {"d1": "won 100"},
    ),
]


def shown(folder: Path, records: Sequence[PublicRecord]) -> Path:
    return fill(folder / "board.sqlite", records, at_once=1)


@pytest.mark.parametrize(
    ("records", "expected"), [pytest.param(*row[1:], id=row[0]) for row in STANDING]
)
def test_a_deal_stands_as_its_last_move_says_whatever_the_order_of_arrival(
    tmp_path: Path, records: list[PublicRecord], expected: dict[str, str]
) -> None:
    for number, order in enumerate(permutations(records)):
        folder = tmp_path / str(number)
        folder.mkdir()
        db = reader(shown(folder, order))
        rows = db.execute("SELECT deal, state || ' ' || amount_minor FROM deal")
        assert dict(rows) == expected


def conversions(place: Path) -> list[tuple[Any, ...]]:
    query = "SELECT conversion_id, amount_minor, won_at_ms FROM conversion"
    return list(reader(place).execute(query))


def customers(place: Path) -> list[int | None]:
    return [at for (at,) in reader(place).execute("SELECT customer_ms FROM cycle ORDER BY cycle")]


@pytest.mark.parametrize(
    ("later", "expected"),
    [
        ([], [("fact-l1-3", 100, 3 * HOUR)]),
        ([REOPENED], []),
        ([REOPENED, WON_ANEW], [("fact-l1-5", 90, 5 * HOUR)]),
        ([CORRECTED], [("fact-l1-3", 80, 3 * HOUR)]),
    ],
)
def test_a_win_that_is_taken_back_is_no_conversion_and_its_cycle_reached_no_customer(
    tmp_path: Path, later: list[PublicRecord], expected: list[tuple[Any, ...]]
) -> None:
    place = shown(tmp_path, [OPENED, WON])
    assert conversions(place) == [("fact-l1-3", 100, 3 * HOUR)]
    fill(place, later)
    assert conversions(place) == expected
    credited = reader(place).execute("SELECT sum(amount_minor) FROM credit WHERE model = 'last'")
    assert list(credited) == [(expected[0][1] if expected else None,)]
    assert customers(place) == [expected[0][2] if expected else None]


def test_a_win_without_a_deal_of_its_own_counts_as_before(tmp_path: Path) -> None:
    bare = replace(WON.value, deal=None, opportunity_id=None)
    place = shown(tmp_path, [replace(WON, value=bare)])
    assert conversions(place) == [("fact-l1-3", 100, 3 * HOUR)]


def context_of(place: Path) -> Context:
    return Context(
        db=reader(place),
        now_ms=6 * HOUR,
        viewer=Viewer(role=Role.MANAGER),
        filters=filters_of({}, date(1970, 1, 1)),
    )


REPORTS = [
    ([OPENED, SECOND], ["d1", "d2"], (0, 0, 0)),
    ([OPENED, SECOND, LOST_ALONE], ["d1"], (0, 1, 0)),
    ([OPENED, WON], [], (1, 0, 0)),
    ([OPENED, WON, REOPENED], ["d1"], (0, 0, 0)),
    ([OPENED, SECOND, WON], ["d2"], (1, 0, 0)),
    ([OPENED, SECOND, RECYCLED], [], (0, 0, 2)),
]


@pytest.mark.parametrize(("records", "opened", "ended"), REPORTS)
def test_coverage_and_win_rate_count_deals_as_they_stand(
    tmp_path: Path, records: list[PublicRecord], opened: list[str], ended: tuple[int, int, int]
) -> None:
    context = context_of(shown(tmp_path, records))
    amounts, found = {"d1": 100, "d2": 50}, open_deals(context)
    assert sum(deal.number for deal in found) == len(opened)
    # alike ones are added up; no two sets of these have one sum
    assert sum(deal.amount_minor or 0 for deal in found) == sum(amounts[name] for name in opened)
    rate = win_rate(context, 0, 6 * HOUR)
    assert (rate.won, rate.lost, rate.derailed) == ended


def test_a_corrected_amount_of_an_open_deal_counts_in_the_coverage(tmp_path: Path) -> None:
    corrected = move("deal_changed", "opportunity", 2, deal("d1", amount=70))
    (found,) = open_deals(context_of(shown(tmp_path, [OPENED, corrected])))
    assert found.amount_minor == 70


@pytest.mark.parametrize("records", [[OPENED, SECOND, LOST_ALONE], [OPENED, LOST]])
def test_the_reason_of_a_lost_deal_is_counted_once(
    tmp_path: Path, records: list[PublicRecord]
) -> None:
    rows = reasons(context_of(shown(tmp_path, records)))
    assert [(row["reason"], row["lost"], row["total"]) for row in rows] == [("lost_other", 1, 1)]


def digest_of(from_ms: int, until_ms: int) -> PublicRecord:
    digest = SlaDigest(
        digest_id=f"digest-{from_ms}-{until_ms}",
        digest="ae/mgr-ines",
        to="mgr-ines",
        pool="ae",
        from_ms=from_ms,
        until_ms=until_ms,
        count=30,
        at_ms=until_ms,
        cause_id="c",
        agreement="v",
    )
    return PublicRecord(
        topic=LEADS_SLA_DIGESTS,
        partition=0,
        offset=0,
        id=digest.digest_id,
        key=digest.digest,
        value=digest,
        at_ms=until_ms,
    )


def test_the_page_sla_lists_the_digests_of_the_period(tmp_path: Path) -> None:
    record = digest_of(HOUR, 2 * HOUR)
    assert sla(context_of(shown(tmp_path, [record, record])))["digests"] == [
        {
            "pool": "ae",
            "to_person": "mgr-ines",
            "from_ms": HOUR,
            "until_ms": 2 * HOUR,
            "count": 30,
        }
    ]


@pytest.mark.parametrize(
    ("from_ms", "shown_as"), [(2 * HOUR, "at once"), (HOUR, "Thu 1 Jan, 01:00")]
)
def test_the_first_digest_is_of_a_moment_and_no_period(
    tmp_path: Path, from_ms: int, shown_as: str
) -> None:
    place = shown(tmp_path, [digest_of(from_ms, 2 * HOUR)])
    page = board_with(place, tmp_path / "board", 6 * HOUR).visitor().get("/sla").text
    since, notified = re.findall(r"<td>(.*?)</td>", page.split('id="s-digests"')[1])[:2]
    assert shown_as in since
    assert "Thu 1 Jan, 02:00" in notified


def test_velocity_is_of_one_currency_and_names_how_many_are_in_another(place: StorePlace) -> None:
    fill(place, [])
    db = writer(place)
    deals = [
        ("d1", "won", 10_000, "EUR", 2),
        ("d2", "lost", 30_000, "EUR", 9),
        ("d3", "won", 9_000_000, "JPY", 50),
        ("d4", "open", None, None, None),
    ]
    for name, state, amount, currency, days in deals:
        opened_ms = NOW_MS - 60 * DAY_MS
        row = {
            **dict.fromkeys(DEAL.names),
            "root": name,
            "deal": name,
            "lead_id": name,
            "state": state,
            "amount_minor": amount,
            "currency": currency,
            "opened_at_ms": opened_ms,
            "ended_at_ms": None if days is None else opened_ms + days * DAY_MS,
        }
        db.execute(upsert(DEAL), tuple(row.values()))
    recount(db, "UTC")
    db.close()
    today = datetime.fromtimestamp(NOW_MS / 1000, UTC).date()
    context = Context(
        db=reader(place),
        now_ms=NOW_MS,
        viewer=Viewer(role=Role.MANAGER),
        filters=filters_of({"from": (today - timedelta(days=90)).isoformat()}, today),
    )
    assert funnel(context)["velocity"] == {
        "deals": 2,
        "others": 2,
        "rate": 0.5,
        "average": 20_000,
        "days": 2.0,
        "a_day": 10_000,
        "currency": "EUR",
    }
