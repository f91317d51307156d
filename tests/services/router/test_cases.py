"""Cases seen to fail once, run through the whole flow in memory: what the router says of them, in
order."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from baton.agreement.canonical import canonical_text, version_of
from baton.agreement.source.read import read_agreement
from baton.cli.moments import moment_ms
from baton.contracts.codec import codec_for
from baton.contracts.slas import LeadOrphan
from baton.contracts.topics import TOPICS
from baton.simulation.input_lines import arrivals_of
from baton.simulation.simulation import Simulation
from tests.services.router.router_world import EXAMPLE, OUTPUTS, words

CASES = Path(__file__).resolve().parents[2] / "cases" / "routing"

SAID = [
    (
        "misrouted-while-it-waits",
        "2027-06-14T12:00Z",
        [
            "#1 held in sales: closed",
            "#1 withdrawn: misrouted",
            "#2 held in sales: closed,rejected_before",
            "#2 routed to b in sales by in_turn",
        ],
    ),
    (
        "misrouted-in-the-managers-queue",
        "2027-06-07T09:45Z",
        [
            "#1 routed to a in sales by in_turn",
            "#1 withdrawn from a: manager_queue",
            "#2 watch in sales by m: manager_queue",
            "#2 withdrawn from m: misrouted",
            "#3 routed to b in sales by in_turn",
        ],
    ),
    (
        "refused-while-it-waits",
        "2027-03-08T11:00Z",
        ["#1 held in sdr: closed", "#1 suppressed in sdr: no_consent"],
    ),
]


def run(
    name: str, until: str, *, agreement: Path | None = None
) -> tuple[list[str], list[LeadOrphan]]:
    """What the router published, a line each, and the orphans there were."""
    text = canonical_text(read_agreement(agreement or CASES / f"{name}.yaml"))
    lines = [line.encode() for line in (CASES / f"{name}.jsonl").read_text().splitlines()]
    arrivals = arrivals_of([(line, json.loads(line)) for line in lines])
    simulation = Simulation(text=text, version=version_of(text), start_ms=arrivals[0].at_ms)
    said, orphans = [], []
    for stored in simulation.run(arrivals, moment_ms(until)):
        record = TOPICS[stored.topic].record
        if (
            stored.topic in (*OUTPUTS, "leads.orphans.v1")
            and record is not None
            and stored.value is not None
        ):
            value = codec_for(record).decode(stored.value)
            if isinstance(value, LeadOrphan):
                orphans.append(value)
            else:
                said.append(words(value).removeprefix(value.lead_id))
    return said, orphans


@pytest.mark.parametrize(("name", "until", "said"), SAID, ids=[row[0] for row in SAID])
def test_a_case_of_one_lead(name: str, until: str, said: list[str]) -> None:
    found, orphans = run(name, until)
    assert [line for line in found if "refused" not in line] == said
    assert orphans == []


def test_a_stranger_accepts_nothing() -> None:
    found, _ = run("accepted-by-a-stranger", "2027-06-14T12:00Z")
    assert "routed to a in sales by in_turn" in found[-1]
    assert not any("ghost" in line and "accepted" in line for line in found)


def test_who_raises_a_hand_while_waiting_comes_before_who_waited_longer() -> None:
    found, _ = run("raises-its-hand-while-it-waits", "2027-11-01T08:30Z")
    routed = [line for line in found if "routed" in line]
    assert len(routed) == 1
    # the third says that it is more urgent now
    assert sum("held in sales: closed" in line for line in found) == 3


def test_the_only_one_of_a_pool_is_asked_again_until_the_manager_has_it() -> None:
    found, orphans = run("rejected-by-the-only-one", "2027-06-14T12:00Z")
    assert [line for line in found if "routed" in line][1:] == [
        f"#{attempt} routed to a in sales by in_turn:rejecters_asked_again" for attempt in (2, 3, 4)
    ]
    assert found[-1] == "#5 watch in sales by m: manager_queue"
    assert orphans == []


def test_a_lead_of_the_night_waits_for_its_own_region() -> None:
    found, _ = run("overflow-only-if-sooner", "2026-03-09T08:00Z", agreement=EXAMPLE)
    assert [line for line in found if "held" in line] == [
        "#1 held in europe-sales: closed",
        "#1 held in europe-sdr: closed",
    ]
    assert [line.split(" in ")[1].split(" ")[0] for line in found if "routed" in line] == [
        "europe-sales",
        "europe-sdr",
    ]
