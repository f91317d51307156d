"""After a person has separated two who had become one: what was theirs goes with those who leave, a
refusal of consent stays with both, and a further merge brings everything back."""

from __future__ import annotations

import json
from typing import Any

import pytest

from baton.agreement.canonical import canonical_text, version_of
from baton.agreement.source.read import read_agreement
from baton.cli.moments import moment_ms
from baton.contracts.codec import codec_for
from baton.contracts.intake import LeadPerson
from baton.contracts.leads import LeadScored, LeadStaged
from baton.contracts.routing import LeadRouted
from baton.contracts.topics import TOPICS
from baton.flow import all_reducers
from baton.proof.audit.audit import Audit
from baton.proof.audit.source import MemorySource
from baton.simulation.input_lines import arrivals_of
from baton.simulation.simulation import Simulation
from tests.services.scorer.case_runs import SOFTWARE, of

ANN, CRM = {"email": "ann@acme.example"}, {"crm": "hubspot:7"}
BOTH = CRM | ANN
BUYER = {"country": "DE", "employees": 250, "role": "CTO", "industry": "software"}


def line(own_id: str, time: str, who: dict[str, str], kind: str, **more: Any) -> dict[str, Any]:
    at = f"2026-03-02T{time}:00Z"
    return {
        "id": own_id,
        "source": "web",
        "kind": kind,
        "occurred_at": at,
        "identifiers": who,
    } | more


def act(own_id: str, time: str, who: dict[str, str], name: str, **more: Any) -> dict[str, Any]:
    return line(own_id, time, who, "engagement", engagement={"act": name}, **more)


def refusal(own_id: str, time: str, who: dict[str, str]) -> dict[str, Any]:
    return line(own_id, time, who, "consent", consent={"purpose": "sales", "granted": False})


def decided(kind: str, time: str) -> dict[str, Any]:
    return line(kind, time, BOTH, "command", command={"kind": kind, "by": "mgr-ines"})


JOINED = [
    act("a1", "09:00", ANN, "webinar", person={"first_name": "Ann"}),
    act("b1", "09:05", CRM, "download", person={"last_name": "Berg"}, profile=BUYER),
    line("both", "09:10", BOTH, "profile", profile={"city": "Kiel"}),
]


def played(lines: list[dict[str, Any]], until: str = "2026-03-02T11:01Z") -> list[Any]:
    """Every public record; the audit has nothing to say of the log."""
    text = canonical_text(read_agreement(SOFTWARE))
    arrivals = arrivals_of([(json.dumps(one).encode(), one) for one in lines])
    simulation = Simulation(text=text, version=version_of(text), start_ms=arrivals[0].at_ms)
    found = [
        codec_for(record).decode(stored.value)
        for stored in simulation.run(arrivals, moment_ms(until))
        if (record := TOPICS[stored.topic].record) is not None and stored.value is not None
    ]
    log = simulation.host.log
    report = Audit(
        MemorySource(log), all_reducers(), grace_ms=1_000, buckets=1, until_ms=log.now
    ).run()
    assert [*map(str, report.findings), *report.unchecked] == []
    return found


def points(records: list[Any]) -> dict[str, int]:
    """What each lead is worth as last published, in whole points."""
    return {
        one.lead_id: round(one.engagement_micro / 1e6) for one in of(LeadScored, tuple(records))
    }


def leaver_of(records: list[Any]) -> str:
    """The lead that began last."""
    lead: str = of(LeadScored, tuple(records))[-1].lead_id
    return lead


def consents_at_qualification(records: list[Any]) -> dict[str, str]:
    """What the one lead that was handed on allows."""
    (ready,) = [one for one in of(LeadStaged, tuple(records)) if one.event == "qualified"]
    return dict(ready.consents)


def test_acts_and_the_person_go_with_who_leaves_and_the_rest_stays() -> None:
    records = played([*JOINED, decided("unmerge", "10:00")])
    leaver = leaver_of(records)
    final = points(records)
    assert final.pop(leaver) == 15
    assert sorted(final.values()) == [6, 6], "the one that had ended, and the one that stays"
    persons = {one.lead_id: one.person for one in of(LeadPerson, tuple(records))}
    assert (persons[leaver].first_name, persons[leaver].last_name) == ("Ann", None)
    stays = persons[of(LeadScored, tuple(records))[0].lead_id]
    assert (stays.first_name, stays.last_name) == (None, "Berg")


@pytest.mark.parametrize("giver", [ANN, CRM], ids=["who-leaves", "who-stays"])
def test_a_refusal_of_consent_follows_and_stays(giver: dict[str, str]) -> None:
    lines = [*JOINED, refusal("no", "09:30", giver), decided("unmerge", "10:00")]
    for who in (ANN, CRM):
        asks = act("demo", "11:00", who, "demo_request", profile=BUYER)
        assert consents_at_qualification(played([*lines, asks])) == {"sales/any": "refused"}


def test_a_grant_goes_with_who_gave_it_alone() -> None:
    yes = line("yes", "09:30", ANN, "consent", consent={"purpose": "sales", "granted": True})
    lines = [*JOINED, yes, decided("unmerge", "10:00")]
    found = {}
    for name, who in (("leaves", ANN), ("stays", CRM)):
        asks = act("demo", "11:00", who, "demo_request", profile=BUYER)
        found[name] = consents_at_qualification(played([*lines, asks]))
    assert found == {"leaves": {"sales/any": "granted"}, "stays": {}}


def test_a_further_merge_brings_everything_back() -> None:
    records = played([*JOINED, decided("unmerge", "10:00"), decided("merge", "11:00")])
    assert sorted(points(records).values())[-1] == 21
    (person,) = [
        one.person
        for one in of(LeadPerson, tuple(records))
        if one.person.first_name and one.person.last_name
    ][-1:]
    assert (person.first_name, person.last_name) == ("Ann", "Berg")


def test_a_raised_hand_that_nobody_has_taken_up_counts_where_it_belongs() -> None:
    asks = act("demo", "09:30", ANN, "demo_request", profile=BUYER)
    records = played([*JOINED, asks, decided("unmerge", "09:40")], "2026-03-02T09:41Z")
    leaver = leaver_of(records)
    moves = [(one.lead_id == leaver, one.event) for one in of(LeadStaged, tuple(records))]
    assert moves[-3:] == [(False, "withdrawn"), (True, "qualified"), (False, "recycled")]
    assert [one.lead_id == leaver for one in of(LeadRouted, tuple(records))] == [False, True]


def test_what_somebody_has_accepted_stays_with_them() -> None:
    asks = act("demo", "09:30", ANN, "demo_request", profile=BUYER)
    (routed,) = of(LeadRouted, tuple(played([*JOINED, asks], "2026-03-02T09:31Z")))
    taken = line(
        "ok",
        "09:35",
        ANN,
        "act",
        act={"kind": "accepted", "by": routed.owner, "handoff_id": routed.handoff_id},
    )
    lines = [*JOINED, asks, taken, decided("unmerge", "09:40")]
    records = played(lines, "2026-03-02T09:45Z")
    assert [one.event for one in of(LeadStaged, tuple(records))] == [
        "merged",
        "qualified",
        "accepted",
    ]
    assert len(of(LeadRouted, tuple(records))) == 1
