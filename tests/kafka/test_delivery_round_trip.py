"""One lead all the way round, on the running system: a contact of HubSpot's comes in, asks for a
demo, is routed, is accepted in Slack, its owner is written back; the echo of that is ignored, and a
person's change of owner moves the hand-off."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
import uvicorn

from baton.local.up.record import read_run
from baton.local.up.system import System
from tests.kafka.conftest import LiveSystem
from tests.kafka.test_handoff_is_whole import client_of
from tests.services.delivery.fake_hubspot import FakeHubSpot
from tests.services.delivery.fake_slack import TEAM, TOKEN, FakeSlack

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.timeout(240)]

ROOT = Path(__file__).resolve().parents[2]
EMAIL, PUBLIC = "ann.berg@acme.example", "https://leads.example.com"
SIGNING, APP = "signing-secret", "app-secret"
OWNERS = {
    "ae-greta": "501",
    "ae-hugo": "502",
    "sdr-anna": "503",
    "sdr-ben": "504",
    "sdr-cleo": "505",
}
USERS = {person: f"U{number}" for number, person in enumerate((*OWNERS, "mgr-ines"), 1)}
PATIENCE_S = 60.0


@contextlib.contextmanager
def serving(app: Any) -> Iterator[str]:
    """The application in a thread; its base URL."""
    bound = socket.socket()
    bound.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_config=None))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        bound.close()


def until(condition: Callable[[], Any], what: str) -> Any:
    deadline = time.monotonic() + PATIENCE_S
    while not (found := condition()):
        assert time.monotonic() < deadline, f"never: {what}"
        time.sleep(0.1)
    return found


def targets(slack: str, hubspot: str) -> str:
    return json.dumps(
        {
            "version": 1,
            "slack": {
                "desk": {
                    "token_env": "BATON_SECRET_SLACK",
                    "signing_secret_env": "BATON_SECRET_SIGNING",
                    "channel": "C1",
                    "team": TEAM,
                    "people": USERS,
                    "api_url": f"{slack}/api/",
                    "notices": [],
                }
            },
            "hubspot": {
                "crm": {
                    "token_env": "BATON_SECRET_TOKEN",
                    "app_secret_env": "BATON_SECRET_HUBSPOT",
                    "public_url": PUBLIC,
                    "api_url": hubspot,
                    "write": {"owner": "hubspot_owner_id", "level": "baton_level"},
                    "people": OWNERS,
                    "commands_by": "mgr-ines",
                }
            },
        }
    )


class Trip:
    """What the test does from outside."""

    def __init__(self, system: System, slack: FakeSlack, hubspot: FakeHubSpot) -> None:
        run = read_run(system.settings.home)
        assert run is not None
        self.gateway, self.slack, self.hubspot = client_of(system), slack, hubspot
        (delivery,) = (process for process in run.processes if process.name == "delivery")
        self.delivery = httpx.Client(base_url=delivery.addresses["delivery"], timeout=60)
        self.metrics = delivery.addresses["metrics"]

    def hubspot_says(self, client: httpx.Client, path: str, *events: dict[str, Any]) -> int:
        now = str(int(time.time() * 1000))
        body = json.dumps(
            [
                {
                    "portalId": 1,
                    "subscriptionId": 2,
                    "occurredAt": int(now),
                    "eventId": number,
                    **event,
                }
                for number, event in enumerate(events)
            ]
        )
        text = f"POST{PUBLIC}{path}{body}{now}".encode()
        digest = base64.b64encode(hmac.digest(APP.encode(), text, "sha256")).decode()
        headers = {"X-HubSpot-Signature-v3": digest, "X-HubSpot-Request-Timestamp": now}
        return client.post(path, content=body, headers=headers).status_code

    def click_accept(self, user: str, handoff_id: str, ts: str) -> int:
        payload = {
            "type": "block_actions",
            "team": {"id": TEAM},
            "user": {"id": user},
            "container": {"channel_id": "C1", "message_ts": ts},
            "actions": [{"action_id": "baton_accept", "block_id": handoff_id}],
        }
        body = urlencode({"payload": json.dumps(payload)})
        at = str(int(time.time()))
        digest = hmac.new(SIGNING.encode(), f"v0:{at}:{body}".encode(), hashlib.sha256)
        headers = {"X-Slack-Request-Timestamp": at, "X-Slack-Signature": f"v0={digest.hexdigest()}"}
        path = "/slack/interactions/desk"
        return self.delivery.post(path, content=body, headers=headers).status_code

    def cards(self, words: str) -> list[dict[str, Any]]:
        found = self.slack.messages.get("C1", [])
        return [card for card in found if words in json.dumps(card["blocks"])]

    def counted(self, outcome: str) -> bool:
        wanted = f'baton_delivery_answers_total{{kind="crm",outcome="{outcome}"}} 1.0'
        return wanted in httpx.get(f"{self.metrics}/metrics").text


def buttons_of(card: dict[str, Any]) -> str | None:
    found = [block for block in card["blocks"] if block["type"] == "actions"]
    return found[0]["block_id"] if found else None


def holder_of(card: dict[str, Any]) -> str:
    texts = [field["text"] for field in card["blocks"][1]["fields"]]
    return next(text.partition("\n")[2] for text in texts if text.startswith("*Holder*"))


def test_a_contact_comes_in_and_its_owner_goes_back_and_a_person_s_change_counts(
    live_system: LiveSystem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slack, hubspot = FakeSlack(), FakeHubSpot()
    contact = hubspot.add(EMAIL)
    with serving(slack.app()) as at_slack, serving(hubspot.app()) as at_hubspot:
        (tmp_path / "targets.yaml").write_text(targets(at_slack, at_hubspot))
        given = {
            "BATON_DELIVERY_TARGETS": str(tmp_path / "targets.yaml"),
            "BATON_SECRET_SLACK": TOKEN,
            "BATON_SECRET_SIGNING": SIGNING,
            "BATON_SECRET_TOKEN": hubspot.token,
            "BATON_SECRET_HUBSPOT": APP,
            "BATON_SOURCES": str(ROOT / "examples" / "sources" / "hubspot.yaml"),
        }
        for name, value in given.items():
            monkeypatch.setenv(name, value)
        with live_system(ROOT / "examples" / "agreements" / "first.yaml") as system:
            _go_round(Trip(system, slack, hubspot), contact)


def _go_round(trip: Trip, contact: str) -> None:
    change = {"subscriptionType": "contact.propertyChange", "objectId": int(contact)}
    status = trip.hubspot_says(
        trip.gateway,
        "/hooks/hubspot",
        {"subscriptionType": "contact.creation", "objectId": int(contact)},
        change | {"propertyName": "email", "propertyValue": EMAIL},
        change | {"propertyName": "firstname", "propertyValue": "Ann"},
        change | {"propertyName": "lastname", "propertyValue": "Berg"},
        change | {"propertyName": "country", "propertyValue": "Germany"},
    )
    assert status in (200, 202, 204)
    time.sleep(3)  # the contact is known before it asks for a demo
    event = {
        "id": "demo-1",
        "source": "website",
        "kind": "engagement",
        "occurred_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "identifiers": {"email": EMAIL},
        "engagement": {"act": "demo_request"},
    }
    assert trip.gateway.post("/v1/events", json=event).status_code == 202

    card = until(lambda: trip.cards("Ann Berg"), "a card in Slack")[0]
    holder, handoff = holder_of(card), buttons_of(card)
    assert handoff is not None
    other = next(user for person, user in USERS.items() if person not in (holder, "mgr-ines"))
    assert trip.click_accept(other, handoff, card["ts"]) == 200
    refusal = until(lambda: trip.slack.ephemeral, "an answer to the wrong clicker")[0]
    assert f"offered to {holder}" in refusal["text"]
    assert trip.click_accept(USERS[holder], handoff, card["ts"]) == 200
    until(lambda: trip.cards(f"Accepted by {holder}"), "the card says who accepted")

    values = trip.hubspot.contacts[contact]
    until(lambda: values.get("hubspot_owner_id") == OWNERS[holder], "the owner in HubSpot")
    owner = change | {"propertyName": "hubspot_owner_id"}
    path = "/hubspot/changes/crm"
    echo = owner | {"propertyValue": OWNERS[holder]}
    assert trip.hubspot_says(trip.delivery, path, echo) == 204
    until(lambda: trip.counted("echo"), "the echo is counted as one")

    pool = [person for person in OWNERS if person.partition("-")[0] == holder.partition("-")[0]]
    heir = next(person for person in pool if person != holder)
    values["hubspot_owner_id"] = OWNERS[heir]
    assert trip.hubspot_says(trip.delivery, path, owner | {"propertyValue": OWNERS[heir]}) == 204
    until(lambda: trip.cards(f"Passed to {heir}"), "the first card says who has it now")
    until(
        lambda: [card for card in trip.cards("Ann Berg") if holder_of(card) == heir],
        "a card for who has it now",
    )
    assert values["hubspot_owner_id"] == OWNERS[heir]
    assert trip.counted("taken")
