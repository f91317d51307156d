"""Cases that were seen to fail once, from the way in to the lead: calls of an SDK, a list, event
lines with a placeholder."""

from __future__ import annotations

import io
import json
from datetime import datetime
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from baton.agreement.canonical import canonical_text, version_of
from baton.agreement.source.read import read_agreement
from baton.contracts.codec import codec_for
from baton.contracts.intake import AliasKind
from baton.contracts.leads import LeadStaged
from baton.contracts.routing import LeadRouted
from baton.contracts.topics import TOPICS
from baton.importing.list_tables import FileTerms
from baton.importing.lists import open_list
from baton.importing.sending import Numbered
from baton.importing.terms import ImportTerms
from baton.simulation.input_lines import arrivals_of
from baton.simulation.simulation import Simulation
from services.ingest.gateway.adapters.segment import call_in
from services.ingest.gateway.json_body import read_body_object
from services.ingest.gateway.parsing import take
from services.ingest.gateway.write_keys import Scope, WriteKey
from tests.services.ingest.identify.test_identify import World
from tests.services.scorer.case_runs import CASES, SOFTWARE, of

FIELD = CASES / "field"
NOW = 1_772_449_200_000
KEY = WriteKey(name="web", scopes=frozenset(Scope))
MARKETING = "marketing/email"


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_an_alias_of_two_user_ids_makes_them_one_lead_in_any_order(order: tuple[int, ...]) -> None:
    calls = json.loads((FIELD / "alias-of-two-user-ids" / "calls.json").read_bytes())
    world = World(seed=sum(order[:2]))
    for call in (calls[place] for place in order):
        body = read_body_object(json.dumps(call).encode())
        (record,) = take(call_in(body, call["type"], NOW), KEY).records
        world.take(record)
    world.settle()
    leads = world.leads(("user", "u-old"), ("user", "u-new"), ("email", "ann@acme.example"))
    assert len(set(leads)) == 1
    assert leads[0] is not None
    assert world.reports(AliasKind.CONFLICT) == []


def test_two_visitors_with_the_user_id_undefined_are_two_leads() -> None:
    events = (FIELD / "user-id-undefined" / "events.jsonl").read_text().splitlines()
    world = World().send(*(json.loads(line) for line in events if line))
    ann, stranger = world.leads(("email", "ann@acme.example"), ("anonymous", "b-2"))
    assert None not in (ann, stranger)
    assert ann != stranger
    assert world.leads(("user", "undefined")) == [None]


def events_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines() if line]


def imported(path: Path, moment: str) -> list[dict[str, Any]]:
    """The event lines of a list that is imported at a moment."""
    at_ms = round(datetime.fromisoformat(moment).timestamp() * 1000)
    terms = ImportTerms(source="import", at_ms=at_ms)
    people = open_list(io.BytesIO(path.read_bytes()), terms, file=FileTerms(), wishes={})
    lines = [json.loads(line.raw) for line in people.lines() if isinstance(line, Numbered)]
    return [line | {"arrived_at": moment} for line in lines]


def published(lines: list[dict[str, Any]]) -> tuple[Any, ...]:
    text = canonical_text(read_agreement(SOFTWARE))
    arrivals = arrivals_of([(json.dumps(line).encode(), line) for line in lines])
    simulation = Simulation(text=text, version=version_of(text), start_ms=arrivals[0].at_ms)
    wanted = (
        (TOPICS[record.topic].record, record.value) for record in simulation.run(arrivals, None)
    )
    return tuple(codec_for(kind).decode(value) for kind, value in wanted if kind and value)


@pytest.mark.parametrize(
    ("words", "moment", "consents"),
    [
        ("yes", "2026-03-10T10:00:00+00:00", ["refused"]),
        ("yes", "2026-03-25T10:00:00+00:00", ["refused"]),
        ("yes,2026-03-04", "2026-03-10T10:00:00+00:00", ["refused"]),
        ("yes,2026-03-09", "2026-03-10T10:00:00+00:00", ["granted"]),
        ("yes,2026-03-24", "2026-03-25T10:00:00+00:00", ["refused", "granted"]),
    ],
    ids=[
        "undated, before the demo",
        "undated, after the hand-off",
        "of a day before the no",
        "of a day after the no",
        "of a day after the hand-off",
    ],
)
def test_only_a_yes_of_a_later_day_overrules_a_no(
    words: str, moment: str, consents: list[str], tmp_path: Path
) -> None:
    case = FIELD / "undated-yes-over-a-no"
    people = case / "list.csv"
    if "," in words:
        people = tmp_path / "list.csv"
        people.write_text(f"Email,Newsletter,Consent date\nann@acme.example,{words}\n")
    records = published(events_of(case / "events.jsonl") + imported(people, moment))
    assert of(LeadRouted, records) != []
    reported = [staged.consents for staged in of(LeadStaged, records) if staged.consents]
    assert [found[MARKETING] for found in reported] == consents
