"""What people note for the meeting: decisions, objections and content, costs and meetings."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import UTC, date, datetime
from fractions import Fraction
from pathlib import Path
from random import Random
from typing import Any

import pytest

from baton.contracts.intake import Act, Engagement, LeadAct, LeadEvent
from baton.contracts.leads import LeadStaged
from baton.contracts.meetings import CampaignRecord, MeetingDecision
from baton.contracts.public_record import PublicRecord
from baton.intake.keyed_records import to_intake
from baton.intake.lines import EventLine
from services.insights.costs import WrongCosts, records_of
from services.insights.figures.attribution import Model
from services.insights.projection.dialect import StorePlace, reader
from services.insights.reports.context import Context, Role, Viewer, filters_of
from services.insights.reports.funnel import meetings
from services.insights.reports.objections import objections
from services.insights.reports.sources import costs, sources
from tests.services.insights.boards import Board, board_with
from tests.services.insights.stores import fill

DAY_MS = 86_400_000
EDGES = (("2026-09-15", "2026-11-02"), ("2026-11-28", "2026-11-28"), ("2026-09-10", "2026-09-20"))
NOW_MS = int(datetime(2026, 11, 28, 12, tzinfo=UTC).timestamp() * 1000)


def taken(topic: str, number: int, value: Any, key: str = "k") -> PublicRecord:
    return PublicRecord(
        topic=topic,
        partition=0,
        offset=number,
        id=f"{topic}-{number}",
        key=key,
        value=value,
        at_ms=NOW_MS - 1_000_000 + number,
    )


def context(place: StorePlace, **query: str) -> Context:
    asked = {"from": "2026-11-01", "until": "2026-11-30"} | query
    return Context(
        db=reader(place),
        now_ms=NOW_MS,
        viewer=Viewer(role=Role.MANAGER),
        filters=filters_of(asked, date(2026, 11, 28)),
    )


def act(
    number: int, lead: str, kind: str = "call", *, at_ms: int = NOW_MS - 1_000, **more: Any
) -> PublicRecord:
    done = LeadAct(
        event_id=f"a{number}",
        lead_id=lead,
        source="crm",
        occurred_at_ms=at_ms,
        received_at_ms=NOW_MS,
        act=Act(kind=kind, by="ae-greta", **more),
    )
    return taken("leads.acts.v1", number, done, lead)


def ended(number: int, lead: str, event: str, **more: Any) -> PublicRecord:
    move = LeadStaged(
        lead_id=lead,
        cycle=1,
        from_stage="opportunity",
        to_stage="customer" if event == "won" else "recycled",
        event=event,
        actor="sales",
        cause_id=f"c{number}",
        at_ms=NOW_MS - 500,
        occurred_at_ms=NOW_MS - 500,
        evidence_at_ms=NOW_MS - 500,
        agreement="v",
        **more,
    )
    return taken("leads.stages.v1", number, move, lead)


def saw(
    number: int,
    lead: str,
    title: str,
    *,
    at_ms: int = NOW_MS - 2_000,
    campaign: str | None = "fair",
) -> PublicRecord:
    event = LeadEvent(
        event_id=f"t{number}",
        lead_id=lead,
        source="web",
        kind="engagement",
        occurred_at_ms=at_ms,
        received_at_ms=NOW_MS,
        engagement=Engagement(
            act="download", content_id="x", content_title=title, campaign=campaign
        ),
    )
    return taken("leads.accepted.v1", number, event, lead)


# ------------------------------------------------------------------ objections and content


def test_objections_and_competitors_are_counted_by_lead_with_what_became_of_the_deal(
    place: StorePlace,
) -> None:
    records = [
        act(1, "l1", objections=("price", "timing"), competitor="rival"),
        act(2, "l1", objections=("price",)),
        act(3, "l2", objections=("price",), competitor="rival"),
        act(4, "l3"),
        ended(5, "l1", "won"),
        ended(6, "l2", "lost", reason="price", segment="mid"),
    ]
    found = objections(context(fill(place, records)))
    assert found["heard"] == {
        "objections": [
            {"kind": "objection", "word": "price", "leads": 2, "won": 1, "lost": 1},
            {"kind": "objection", "word": "timing", "leads": 1, "won": 1, "lost": 0},
        ],
        "competitors": [{"kind": "competitor", "word": "rival", "leads": 2, "won": 1, "lost": 1}],
    }
    (row,) = found["reasons"]
    assert (row["reason"], row["lost"], row["rejected"], row["segments"]) == (
        "price",
        1,
        0,
        [("mid", 1)],
    )


def test_a_lead_that_named_it_again_and_again_counts_once_in_whatever_period(
    place: StorePlace,
) -> None:
    random = Random(3)
    said = [
        (lead, word, NOW_MS - random.randrange(120) * DAY_MS)
        for lead in ("l1", "l2", "l3", "l4")
        for word in ("price", "timing")
        for _ in range(random.randrange(9))
    ]
    records = [
        act(number, lead, objections=(word,), at_ms=at_ms)
        for number, (lead, word, at_ms) in enumerate(said)
    ]
    store = fill(place, records)
    for begins, ends in (("2026-08-20", "2026-11-28"), ("2026-10-01", "2026-10-31"), *EDGES):
        asked = context(store, **{"from": begins, "until": ends})
        wanted: dict[str, set[str]] = {}
        for lead, word, at_ms in said:
            if asked.from_ms <= at_ms < asked.until_ms:
                wanted.setdefault(word, set()).add(lead)
        found = {row["word"]: row["leads"] for row in objections(asked)["heard"]["objections"]}
        assert found == {word: len(leads) for word, leads in wanted.items()}


def test_a_deal_counts_for_what_was_named_before_it_ended_and_for_the_period_of_its_end(
    place: StorePlace,
) -> None:
    records = [
        act(1, "l1", objections=("price",), at_ms=NOW_MS - 60 * DAY_MS),
        ended(2, "l1", "won"),
        act(3, "l2", objections=("price",), at_ms=NOW_MS),  # once it was over
        ended(4, "l2", "lost"),
    ]
    (row,) = objections(context(fill(place, records)))["heard"]["objections"]
    assert row == {"kind": "objection", "word": "price", "leads": 1, "won": 1, "lost": 0}


def test_a_won_deal_that_goes_over_to_an_account_is_credited_once_in_the_counts(
    place: StorePlace,
) -> None:
    named = LeadEvent(
        event_id="p1",
        lead_id="l1",
        source="web",
        kind="profile",
        occurred_at_ms=NOW_MS,
        received_at_ms=NOW_MS,
        profile={"domain": "acme.example"},
    )
    deal = {"amount_minor": 10_000, "currency": "EUR", "opportunity_id": "d1"}
    records = [
        saw(1, "l1", "Guide"),
        ended(2, "l1", "won", **deal),
        taken("leads.accepted.v1", 3, named, "l1"),
    ]
    db = reader(fill(place, records, at_once=1))
    assert db.execute("SELECT DISTINCT journey FROM credit").fetchall() == [("acme.example",)]
    counted = (
        "SELECT model, sum(amount_minor) FROM credits_by_span WHERE span = '2026-11' GROUP BY 1"
    )
    assert dict(db.execute(counted).fetchall()) == {model.value: 10_000 for model in Model}


def test_the_lift_of_content_is_of_what_was_seen_before_the_end_and_of_enough_leads(
    place: StorePlace,
) -> None:
    records, number = [], 0
    for event, seeing in (("won", 15), ("lost", 5)):
        for lead in range(20):
            name, number = f"{event}{lead}", number + 3
            records.append(ended(number, name, event))
            if lead < seeing:
                records += [saw(number + 1, name, "Guide"), saw(number + 2, name, "Guide")]
            else:  # after the deal ended: not seen before
                records.append(saw(number + 1, name, "Guide", at_ms=NOW_MS))
    (row,) = objections(context(fill(place, records)))["seen"]
    assert (row.title, row.won.count, row.won.total) == ("Guide", 15, 20)
    assert (row.lost.count, row.lost.total, row.lift) == (5, 20, Fraction(3))
    few = replace(row, won=replace(row.won, total=19))
    assert few.lift is None


def test_content_that_sales_sent_and_buyers_asked_for_is_counted(place: StorePlace) -> None:
    records = [
        act(1, "l1", "mail", content_sent="guide"),
        act(2, "l2", "mail", content_sent="guide"),
        act(3, "l2", "buyer_reply", content_asked="prices"),
    ]
    assert objections(context(fill(place, records)))["offered"] == [
        {"content": "guide", "sent": 2, "asked": 0},
        {"content": "prices", "sent": 0, "asked": 1},
    ]


def test_the_event_line_carries_what_an_act_says_of_objections_and_content() -> None:
    line = EventLine.model_validate_json(
        json.dumps(
            {
                "id": "1",
                "source": "crm",
                "kind": "act",
                "occurred_at": "2026-11-28T12:00:00Z",
                "identifiers": {"email": "ann@acme.example"},
                "act": {
                    "kind": "lost",
                    "by": "ae-greta",
                    "objections": ["price"],
                    "competitor": "rival",
                    "content_sent": "guide",
                    "content_asked": "prices",
                },
            }
        )
    )
    done = to_intake(line, received_at_ms=NOW_MS).act
    assert done is not None
    assert (done.objections, done.competitor) == (("price",), "rival")
    assert (done.content_sent, done.content_asked) == ("guide", "prices")


def test_meetings_that_nobody_reports_have_no_figure(place: StorePlace) -> None:
    assert meetings(context(fill(place, []))) is None


def test_the_show_rate_is_of_those_held_and_missed(place: StorePlace) -> None:
    kinds = ("meeting_booked", "meeting_booked", "meeting", "meeting", "no_show")
    records = [act(number, f"l{number}", kind) for number, kind in enumerate(kinds)]
    found = meetings(context(fill(place, records)))
    assert found is not None
    assert (found["booked"], found["held"], found["missed"]) == (2, 2, 1)
    assert (found["shown"].count, found["shown"].total) == (2, 3)


# ------------------------------------------------------------------ costs of campaigns


def cost(
    number: int, campaign: str, month: str, amount: int, currency: str = "EUR"
) -> PublicRecord:
    record = CampaignRecord(
        record_id=f"{campaign}-{month}",
        campaign=campaign,
        month=month,
        amount_minor=amount,
        currency=currency,
        channel="events",
    )
    return taken("baton.campaigns.v1", number, record)


def test_a_months_cost_is_shared_out_by_days_and_a_later_record_replaces_it(
    place: StorePlace,
) -> None:
    records = [
        cost(1, "fair", "2026-11", 900_00),
        cost(2, "fair", "2026-11", 300_00),
        cost(3, "fair", "2026-10", 310_00),
        cost(4, "ads", "2026-11", 100_00),
        cost(5, "ads", "2026-10", 100_00, "USD"),
    ]
    fill(place, records)
    whole = costs(context(place, until="2026-11-30"))
    assert (whole["fair"]["amount"], whole["fair"]["currency"]) == (300_00, "EUR")
    part = costs(context(place, **{"from": "2026-10-31", "until": "2026-11-15"}))
    assert part["fair"]["amount"] == 150_00 + 10_00
    assert part["ads"]["currency"] is None, "two currencies are not added"


def test_a_campaign_without_a_reported_cost_has_none_and_no_zero(place: StorePlace) -> None:
    records = [cost(1, "fair", "2026-11", 300_00), saw(2, "l1", "Guide")]
    fill(place, [*records, taken("baton.campaigns.v1", 3, records[0].value)])
    rows = {row["name"]: row for row in sources(context(place))["rows"]}
    assert rows["fair"]["cost"]["amount"] == 300_00
    assert rows["fair"]["cost"]["each"] is None, "nothing was accepted"
    before = sources(context(place, **{"from": "2026-01-01", "until": "2026-01-31"}))
    assert not before["costs_known"]


def test_costs_come_from_a_file_exactly() -> None:
    text = (
        "campaign,month,amount,currency,channel\nfair,2026-11,1250.5,EUR,events\nx,2026-11,7,JPY,\n"
    )
    first, second = records_of(io.StringIO(text))
    assert (first.amount_minor, first.currency, first.channel) == (125_050, "EUR", "events")
    assert (second.amount_minor, second.channel) == (7, None)
    assert records_of(io.StringIO(text))[0].record_id == first.record_id


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("campaign,amount\n", "no month, currency"),
        ("campaign,month,amount,currency,amount\n", "has amount more than once"),
        ("campaign,month,amount,currency\nfair,11/2026,1,EUR\n", "line 2: a month is written"),
        ("campaign,month,amount,currency\nfair,2026-11,1.005,EUR\n", "line 2: the amount"),
        ("campaign,month,amount,currency\nfair,2026-11,-1,EUR\n", "line 2: the amount"),
        ("campaign,month,amount,currency\nfair,2026-11,NaN,EUR\n", "line 2: the amount"),
        ("campaign,month,amount,currency\nfair,2026-11,1e99,EUR\n", "line 2: the amount"),
        ("campaign,month,amount,currency\nfair,2026-11,1,Euro\n", "line 2: a currency"),
        ("campaign,month,amount,currency\n,2026-11,1,EUR\n", "line 2: a campaign"),
        ("campaign,month,amount,currency\na,2026-11,1,EUR,x\n", "line 2: there are more values"),
        (
            'campaign,month,amount,currency,owner\na,2026-11,1,EUR,"Ann\nb,2026-11,2,EUR,Bo\n',
            "line 2: a quotation mark is opened here, and nothing closes it",
        ),
        (
            'campaign,month,amount,currency,owner\na,2026-11,1,EUR,"Ann\nb,2026-11,2,EUR,Bo"\n',
            "lines 2 to 3: a value goes over several lines; is a quotation mark not closed",
        ),
        (
            'campaign,month,amount,currency\n"a" b,2026-11,1,EUR\n',
            "line 2: this is no CSV",
        ),
        ('"campaign,month,amount,currency\na,2026-11,1,EUR\n', "line 1: a quotation mark"),
        ("campaign,month,amount,currency\na,2026-11,1,EUR\na,2026-11,2,EUR\n", "line 3: this"),
    ],
)
def test_a_wrong_line_is_named_and_nothing_is_taken(text: str, says: str) -> None:
    with pytest.raises(WrongCosts, match=says):
        records_of(io.StringIO(text))


# ------------------------------------------------------------------ decisions


@pytest.fixture
def board(store_file: Path, company: tuple[tuple[PublicRecord, ...], int], tmp_path: Path) -> Board:
    return board_with(store_file, tmp_path / "board", company[1])


def form(visitor: Any, **fields: str) -> dict[str, str]:
    page = visitor.get("/monday").text
    token = page.split('name="token" value="')[1].split('"')[0]
    return {"token": token, "number": "n1", **fields}


WRITTEN = {"text": "Call every hand within the hour", "owner": "ae-greta", "due": "2026-12-04"}
SAME = {"origin": "http://127.0.0.1:8090", "sec-fetch-site": "same-origin"}


def an_owner(store: StorePlace) -> str:
    found = reader(store).execute("SELECT DISTINCT owner FROM handoff ORDER BY 1 LIMIT 1")
    return str(found.fetchall()[0][0])


def test_a_decision_is_written_down_once_however_often_it_is_sent(
    board: Board, store_file: Path
) -> None:
    person = an_owner(store_file)
    visitor = board.visitor(person)
    sent = form(visitor, **WRITTEN | {"owner": person})
    for _ in range(2):
        answer = visitor.post("/decisions", data=sent, headers=SAME)
        assert (answer.status_code, answer.headers["location"]) == (303, "/monday")
    first, second = board.kept.decisions
    assert first == second
    assert (first.text, first.owner, first.due, first.by, first.done) == (
        WRITTEN["text"],
        person,
        "2026-12-04",
        person,
        False,
    )


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"text": "  "}, "Write what was decided"),
        ({"owner": "nobody"}, "Choose who"),
        ({"due": "soon"}, "Write the day"),
    ],
)
def test_a_decision_that_is_not_whole_is_not_sent(
    board: Board, store_file: Path, change: dict[str, str], says: str
) -> None:
    visitor = board.visitor(an_owner(store_file))
    sent = form(visitor, **WRITTEN | {"owner": an_owner(store_file)} | change)
    answer = visitor.post("/decisions", data=sent, headers=SAME)
    assert (answer.status_code, says in answer.text, board.kept.decisions) == (422, True, [])


def test_a_decision_is_marked_as_done_by_its_id_and_an_unknown_one_is_not_there(
    store_file: Path, company: tuple[tuple[PublicRecord, ...], int], tmp_path: Path
) -> None:
    known = MeetingDecision(
        decision_id="d1",
        text="<b>Less</b> mail",
        owner=an_owner(store_file),
        due="2020-01-01",
        by="x",
        decided_at_ms=5,
        at_ms=5,
    )
    path = fill(tmp_path / "board-1.sqlite", [*company[0], taken("board.decisions.v1", 1, known)])
    board = board_with(path, tmp_path / "board", company[1])
    visitor = board.visitor(known.owner)
    page = visitor.get("/monday").text
    assert "&lt;b&gt;Less&lt;/b&gt; mail" in page
    assert "late" in page
    sent = form(visitor) | {"done": "1"}
    assert visitor.post("/decisions/nope", data=sent, headers=SAME).status_code == 404
    assert visitor.post("/decisions/d1", data=sent, headers=SAME).status_code == 303
    (record,) = board.kept.decisions
    assert record == replace(known, done=True, by=known.owner, at_ms=company[1])


def test_of_a_decision_the_latest_record_stands(place: StorePlace) -> None:
    opened = MeetingDecision(
        decision_id="d", text="t", owner="o", due="2026-12-01", by="b", decided_at_ms=1, at_ms=1
    )
    closed = replace(opened, done=True, at_ms=2)
    records = [taken("board.decisions.v1", n, deal) for n, deal in enumerate((opened, closed))]
    fill(place, records[::-1], at_once=1)
    assert reader(place).execute("SELECT done FROM decision").fetchall() == [(1,)]
