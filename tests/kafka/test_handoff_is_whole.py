"""What a rep receives on the running system: every lead that is handed over can be called, and was
judged by all that came with it.

Web SDKs send who somebody is and what they did as two events of one request, in either order; a
visitor's browser is known before they are.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from baton.clients import confluent_options
from baton.cluster.log import LogReader
from baton.contracts.codec import codec_for
from baton.contracts.intake import LeadPerson
from baton.contracts.routing import LeadRouted
from baton.local.up.run_record import read_run
from baton.local.up.system import System
from tests.kafka.conftest import DEMO_AGREEMENT, LiveSystem

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

LEADS = 24
TIMEOUT_S = 90.0
ROUTED = ("leads.routed.sdr.v1", "leads.routed.sales.v1")


def _batch(number: int) -> dict[str, Any]:
    """A browser that has been seen before; the request has the person and the demo in the order of
    its number."""
    who = {"userId": f"u{number}", "anonymousId": f"browser-{number}"}
    traits = {
        "email": f"cto{number}@firm{number}.example",
        "firstName": "Ada",
        "phone": "+49 30 1234567",
        "country": "DE",
        "role": "C-level",
        "employees": 500,
        "title": "C-level",
    }
    identify = {"type": "identify", "messageId": f"i{number}", "traits": traits, **who}
    track = {"type": "track", "messageId": f"t{number}", "event": "demo_request", **who}
    return {"batch": [identify, track] if number % 2 else [track, identify]}


def _visit(number: int) -> dict[str, Any]:
    return {
        "messageId": f"v{number}",
        "anonymousId": f"browser-{number}",
        "event": "page_view",
        "properties": {"title": "Prices"},
    }


def client_of(system: System) -> httpx.Client:
    """Of the gateway, with the key that the system made for itself."""
    run = read_run(system.settings.home)
    assert run is not None
    (address,) = (
        process.addresses["http"] for process in run.processes if "http" in process.addresses
    )
    key = (system.settings.home / "write-key").read_text().strip().rpartition(":")[2]
    return httpx.Client(base_url=address, auth=(key, ""), timeout=60)


def _latest(reader: LogReader, topics: tuple[str, ...]) -> Iterator[Any]:
    for topic in topics:
        record: type[Any] = LeadPerson if topic == "leads.persons.v1" else LeadRouted
        for entry in reader.read({topic: list(range(reader.partitions(topic)))}):
            if entry.value is not None:
                yield codec_for(record).decode(entry.value)


def _routed(reader: LogReader) -> Mapping[str, LeadRouted]:
    """The first hand-off of each qualification."""
    found: dict[str, LeadRouted] = {}
    until = time.monotonic() + TIMEOUT_S
    while len(found) < LEADS:
        assert time.monotonic() < until, f"{len(found)} of {LEADS} leads were handed over"
        for record in _latest(reader, ROUTED):
            found.setdefault(record.qualification_id, record)
        time.sleep(0.2)
    return found


def test_nobody_is_handed_a_lead_without_its_person_profile_and_visits(
    live_system: LiveSystem, tmp_path: Path
) -> None:
    agreement = tmp_path / "patient.yaml"  # what is waited for comes, however slow the machine is
    agreement.write_text(
        DEMO_AGREEMENT.read_text().replace("poor_fit:", "settle: 60 seconds\n  poor_fit:")
    )
    with live_system(agreement) as system, client_of(system) as client:
        for number in range(LEADS):
            assert client.post("/v1/track", json=_visit(number)).status_code in (200, 202)
        for number in range(LEADS):
            assert client.post("/v1/batch", content=json.dumps(_batch(number))).status_code in (
                200,
                202,
            )
        with LogReader(confluent_options(system.settings), system.settings.namespace) as reader:
            routed = _routed(reader)
            persons = {fact.lead_id: fact for fact in _latest(reader, ("leads.persons.v1",))}
    stories = [entry.qualified.story for entry in routed.values()]
    empty = [
        story
        for story in stories
        if story.person is None or not story.person.email or not story.person.phone
    ]
    assert empty == []
    assert {story.profile.get("country") for story in stories} == {"DE"}
    assert {entry.qualified.grade[0] for entry in routed.values()} == {"A"}
    assert all("Prices" in {touch.title for touch in story.content} for story in stories)
    for fact in routed.values():
        assert persons[fact.lead_id].person == fact.qualified.story.person
