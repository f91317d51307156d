"""The first steps show something at any hour of any day: the example's lead is handed to a person,
and the story says why."""

import json
from datetime import UTC, datetime

import pytest

from baton.agreement.canonical import canonical_text, version_of
from baton.agreement.source.read import read_agreement
from baton.cli.example import example_lines
from baton.contracts.codec import codec_for
from baton.contracts.leads import LeadQualified
from baton.contracts.routing import LeadRouted, LeadUnrouted
from baton.lead_story.conclusion import conclusion
from baton.local.up.preparing import example_agreement
from baton.simulation.input_lines import arrivals_of
from baton.simulation.simulation import Simulation

RECORDS = {
    "leads.qualified.v1": LeadQualified,
    "leads.routed.sales.v1": LeadRouted,
    "leads.routed.sdr.v1": LeadRouted,
    "leads.unrouted.v1": LeadUnrouted,
}


@pytest.mark.parametrize(
    "now",
    [
        "2026-11-25T14:00",
        "2026-11-28T15:00",
        "2026-11-29T23:59",
        "2026-12-25T03:00",
        "2027-01-01T00:01",
        "2028-02-29T12:00",
    ],
)
def test_at_any_hour_the_examples_lead_gets_to_a_person_and_the_story_says_why(now: str) -> None:
    now_ms = int(datetime.fromisoformat(now).replace(tzinfo=UTC).timestamp() * 1000)
    lines = list(example_lines(now_ms))
    text = canonical_text(read_agreement(example_agreement().with_name("first.yaml")))
    arrivals = arrivals_of([(json.dumps(line).encode(), line) for line in lines])
    simulation = Simulation(text=text, version=version_of(text), start_ms=arrivals[0].at_ms)
    facts = list(simulation.run(arrivals, now_ms))
    values = [
        codec_for(RECORDS[fact.topic]).decode(fact.value)
        for fact in facts
        if fact.topic in RECORDS and fact.value
    ]
    last = conclusion(values, name="Ann Berg")
    assert last is not None
    assert last.startswith(
        (
            "ae-greta got Ann Berg because it asked for a person (",
            "ae-hugo got Ann Berg because it asked",
        )
    )
    assert "demo_request 40" in last


def test_the_example_lies_in_the_past_and_has_the_same_ids_all_day() -> None:
    noon_ms = 1_795_694_400_000
    one, other = list(example_lines(noon_ms)), list(example_lines(noon_ms + 3_600_000))
    assert [line["id"] for line in one] == [line["id"] for line in other]
    assert all(
        datetime.fromisoformat(line["occurred_at"]).timestamp() * 1000 < noon_ms for line in one
    )


def test_a_lead_that_nobody_has_yet_is_said_so() -> None:
    held = LeadUnrouted(
        handoff_id="h",
        qualification_id="q",
        attempt=1,
        lead_id="l",
        cycle=1,
        outcome="held",
        reason="all_full",
        pool="sdr",
        at_ms=1,
        path=(),
        candidates=(),
        agreement="v",
    )
    assert conclusion([held]) == "nobody got lead l yet: held in sdr, all full"
    assert conclusion([]) is None
