"""Deals of CRMs, from the bodies of their webhooks to what becomes of the leads: one win with the
right amount, whatever order the events come in."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from baton.cli.main import build
from baton.sources.mapping import SourceMapping, is_no_event
from baton.sources.people import people_beside
from baton.sources.source_reading import read_sources

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ROOT / "examples" / "sources"
NOW = 1_772_445_600_000
_EVENT_IDS = itertools.count(1)


def lines_of(source: str, bodies: list[Any], file: str = "hubspot") -> list[dict[str, Any]]:
    """The event lines of the bodies, as the gateway makes them."""
    path = SOURCES / f"{file}.yaml"
    sources = read_sources(path)
    model = sources.sources[source]
    mapping = SourceMapping(model, people_beside(path, sources.people))
    made = []
    for body in bodies:
        for record in mapping.records_in(body):
            if not is_no_event(model, mapping, record):
                mapping.read(record, NOW)
                made.append({"source": source, **mapping.line_of(record, NOW)})
    return made


def simulated(lines: list[dict[str, Any]], folder: Path) -> dict[str, list[dict[str, Any]]]:
    """What is published of the events in their order, a second apart, by topic."""
    file = folder / "events.jsonl"
    timed = ({**line, "arrived_at": NOW + 1_000 * (60 + place)} for place, line in enumerate(lines))
    file.write_text("".join(json.dumps(line) + "\n" for line in timed))
    words = ["simulate", "--agreement", str(ROOT / "examples/agreements/first.yaml")]
    words += ["--events", str(file), "--until", "2026-03-02T10:10:00Z", "--json"]
    result = CliRunner().invoke(build(), words)
    assert result.exit_code == 0, result.output
    found: dict[str, list[dict[str, Any]]] = {}
    for text in result.stdout.splitlines():
        record = json.loads(text)
        found.setdefault(record["topic"], []).append(record["value"])
    return found


def event(at_s: int, kind: str, **more: Any) -> dict[str, Any]:
    """An event of HubSpot's, by the user that the book knows as ae-hugo."""
    usual = {
        "subscriptionId": 7,
        "portalId": 1,
        "changeSource": "CRM_UI",
        "sourceId": "userId:5502",
    }
    moment = NOW + 1_000 * at_s
    return {
        "eventId": next(_EVENT_IDS),
        "occurredAt": moment,
        "subscriptionType": kind,
        **usual,
        **more,
    }


def deal(at_s: int, name: str, value: str) -> dict[str, Any]:
    return event(at_s, "deal.propertyChange", objectId=77, propertyName=name, propertyValue=value)


def contact(number: int) -> list[dict[str, Any]]:
    return [event(1, "contact.creation", objectId=number)]


def association(number: int) -> list[dict[str, Any]]:
    named = {"associationType": "DEAL_TO_CONTACT", "fromObjectId": 77, "toObjectId": number}
    return [event(13, "deal.associationChange", associationRemoved=False, **named)]


PARTS = {
    "contact": contact(123),
    "made": [deal(10, "amount", "48000.50"), deal(12, "dealstage", "presentationscheduled")],
    "association": association(123),
    "won": [deal(20, "dealstage", "closedwon"), deal(40, "amount", "52000")],
    "further contact": [*contact(124), *association(124)],
}
ORDERS = [
    ["contact", "association", "made", "won", "further contact"],
    ["contact", "made", "association", "won", "further contact"],
    ["made", "association", "contact", "won", "further contact"],
    ["contact", "made", "won", "association", "further contact"],
]


@pytest.mark.parametrize("order", ORDERS, ids=", ".join)
def test_a_deal_of_hubspots_is_won_once_with_its_last_amount_in_any_order(
    order: list[str], tmp_path: Path
) -> None:
    found = simulated(lines_of("hubspot", [PARTS[name] for name in order]), tmp_path)
    stages = found["leads.stages.v1"]
    wins = [stage for stage in stages if stage["event"] == "won"]
    assert [(win["by"], win["opportunity_id"]) for win in wins] == [("ae-hugo", "hubspot:77")]
    deals = [stage["deal"] for stage in stages if stage.get("deal")]
    assert (deals[-1]["state"], deals[-1]["amount_minor"]) == ("won", 5_200_000)
    assert deals[-1]["currency"] == "EUR"
    ended = {merge["loser"] for merge in found.get("leads.merges.v1", ())}
    assert len({stage["lead_id"] for stage in stages} - ended) == 1
    assert "leads.refusals.v1" not in found


def test_of_one_request_of_hubspots_the_association_comes_first(tmp_path: Path) -> None:
    request = [*PARTS["won"], *PARTS["made"], *PARTS["association"]]
    lines = lines_of("hubspot", [PARTS["contact"], request])
    assert [line["kind"] for line in lines] == ["profile", "link", *["act"] * 4]
    found = simulated(lines, tmp_path)
    assert "leads.merges.v1" not in found
    assert len({stage["lead_id"] for stage in found["leads.stages.v1"]}) == 1


def test_a_win_that_comes_by_both_ways_of_hubspots_counts_once(tmp_path: Path) -> None:
    ended = {"deal": 77, "stage": "closedwon", "contact": 123, "owner": "8802"}
    whole = {**ended, "amount": "52000", "currency": "EUR", "closed_at": NOW + 20_000}
    lines = lines_of("hubspot", [PARTS[name] for name in ORDERS[0]])
    found = simulated([*lines, *lines_of("hubspot-deals", [whole], "hubspot-deals")], tmp_path)
    assert [stage["event"] for stage in found["leads.stages.v1"]].count("won") == 1
    assert [refusal["reason"] for refusal in found["leads.refusals.v1"]] == ["won_already"]


def test_what_hubspot_changes_beside_a_stage_opens_no_deal_that_was_lost(tmp_path: Path) -> None:
    lost = [
        deal(50, "closed_lost_reason", "Too expensive"),
        deal(50, "dealstage", "closedlost"),
        deal(50, "closedate", str(NOW)),
        deal(50, "amount", "0"),
    ]
    bodies = [PARTS["contact"], PARTS["association"], PARTS["made"], lost]
    found = simulated(lines_of("hubspot", bodies), tmp_path)
    deals = [stage["deal"] for stage in found["leads.stages.v1"] if stage.get("deal")]
    assert (deals[-1]["state"], deals[-1]["deal_stage"]) == ("lost", "closedlost")
    (ended,) = [stage for stage in found["leads.stages.v1"] if stage["event"] == "lost"]
    assert (ended["reason"], ended["to_stage"]) == ("no_budget", "recycled")
    assert "leads.refusals.v1" not in found


def pipedrive(number: int, status: str, previous: Any, **more: Any) -> dict[str, Any]:
    """The whole deal of Pipedrive's, as it comes each time."""
    made = {"id": 5, "value": 1000, "currency": "EUR", "stage_id": 2, "person_id": 17}
    return {
        "meta": {
            "action": "change" if previous else "create",
            "entity": "deal",
            "entity_id": "5",
            "id": f"d{number}",
            "timestamp": NOW / 1_000 + number,
            "user_id": "32",
        },
        "data": {**made, "owner_id": 32, "status": status, "lost_reason": None, **more},
        "previous": previous,
    }


def test_a_deal_of_pipedrives_is_lost_for_its_reason_opened_again_won_and_put_right(
    tmp_path: Path,
) -> None:
    bodies = [
        pipedrive(1, "open", None),
        pipedrive(2, "lost", {"status": "open"}, lost_reason="Too expensive"),
        pipedrive(3, "open", {"status": "lost"}),
        pipedrive(4, "won", {"status": "open"}),
        pipedrive(5, "won", {"value": 1000}, value=1200.5),
        pipedrive(6, "open", {"status": "won"}, value=1200.5),
    ]
    found = simulated(lines_of("pipedrive", bodies, "pipedrive"), tmp_path)
    said = [
        (stage["event"], stage["reason"], stage["amount_minor"])
        for stage in found["leads.stages.v1"]
        if stage["by"] == "ae-hugo"
    ]
    assert said == [
        ("opportunity", None, 100_000),
        ("lost", "no_budget", 100_000),
        ("opportunity", None, 100_000),
        ("won", None, 100_000),
        ("deal_changed", None, 120_050),
        ("reopened", None, 120_050),
    ]
    assert "leads.refusals.v1" not in found


def test_a_lead_of_salesforces_that_is_converted_has_its_opportunity_and_wins_it(
    tmp_path: Path,
) -> None:
    model = read_sources(SOURCES / "salesforce.yaml").sources["salesforce-changes"]
    converted = next(one for one in model.examples if one.name.startswith("a lead is converted"))
    changes = json.loads(json.dumps(converted.body, default=str))
    for number, change in enumerate(changes):
        change["data"]["payload"]["ChangeEventHeader"]["commitTimestamp"] = NOW + 1_000 * number
    found = simulated(lines_of("salesforce-changes", changes, "salesforce"), tmp_path)
    stages = found["leads.stages.v1"]
    assert len({stage["lead_id"] for stage in stages}) == 1
    assert [stage["event"] for stage in stages if stage["by"] == "ae-hugo"] == [
        "opportunity",
        "deal_changed",
        "won",
        "deal_changed",
    ]
    last = stages[-1]["deal"]
    assert (last["amount_minor"], last["currency"], last["expected_close"]) == (
        5_200_000,
        "USD",
        "2026-06-30",
    )
