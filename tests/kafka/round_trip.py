"""One lead all the way round, on a running Baton beside a Slack and a HubSpot that are fakes on the
loopback. Walked by a test; ``make round-trip`` shows it.

A contact comes in from HubSpot, asks for a demonstration, is routed, is accepted in Slack; owner
and stage are written back, the echo of that is ignored; a person's change of owner moves the
hand-off; the deal is won by a webhook, and the board shows it.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import json
import os
import shutil
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import uvicorn

from baton.cli.board import entrance_to
from baton.local.up.preparing import prepare_cluster
from baton.local.up.run_record import read_run
from baton.local.up.services import service_commands
from baton.local.up.system import System
from baton.settings import load_settings
from services.insights.board.words import money
from tests.kafka.test_handoff_is_whole import client_of
from tests.services.delivery.fake_hubspot import FakeHubSpot
from tests.services.delivery.fake_slack import TEAM, TOKEN, FakeSlack

ROOT = Path(__file__).resolve().parents[2]
AGREEMENT = ROOT / "examples" / "agreements" / "first.yaml"
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
STAGES = {"sal": "CONNECTED", "customer": "OPEN_DEAL"}
PATIENCE_S = 120.0
_PORTS = ("BROKER", "GATEWAY", "METRICS", "BOARD", "DELIVERY")

Say = Callable[[str], None]


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
    """What the condition gives once it is true of something."""
    deadline = time.monotonic() + PATIENCE_S
    while not (found := condition()):
        assert time.monotonic() < deadline, f"never: {what}"
        time.sleep(0.1)
    return found


def environment_for(folder: Path, slack: str, hubspot: tuple[str, str]) -> dict[str, str]:
    """Targets at the fakes and sources for their webhooks, as files; what the environment says of
    them. ``hubspot``: its address and its token."""
    url, token = hubspot
    desk = {
        "token_env": "BATON_SECRET_SLACK",
        "signing_secret_env": "BATON_SECRET_SIGNING",
        "channel": "C1",
        "team": TEAM,
        "people": USERS,
        "api_url": f"{slack}/api/",
        "notices": [],
    }
    crm = {
        "token_env": "BATON_SECRET_TOKEN",
        "app_secret_env": "BATON_SECRET_HUBSPOT",
        "public_url": PUBLIC,
        "api_url": url,
        "write": {"owner": "hubspot_owner_id", "level": "baton_level", "stage": "hs_lead_status"},
        "stages": STAGES,
        "people": OWNERS,
        "commands_by": "mgr-ines",
    }
    file = {"version": 1, "slack": {"desk": desk}, "hubspot": {"crm": crm}}
    (folder / "targets.yaml").write_text(json.dumps(file))
    book = {person: {"ids": [f"hubspot:{number}"]} for person, number in OWNERS.items()}
    (folder / "people.yaml").write_text(json.dumps({"version": 1, "people": book}))
    sources = folder / "sources"
    sources.mkdir()
    for name in ("hubspot.yaml", "hubspot-deals.yaml"):
        text = (ROOT / "examples" / "sources" / name).read_text()
        (sources / name).write_text(text.replace("../people/people.yaml", "../people.yaml"))
    return {
        "BATON_DELIVERY_TARGETS": str(folder / "targets.yaml"),
        "BATON_SECRET_SLACK": TOKEN,
        "BATON_SECRET_SIGNING": SIGNING,
        "BATON_SECRET_TOKEN": token,
        "BATON_SECRET_HUBSPOT": APP,
        "BATON_SOURCES": str(sources),
    }


class Trip:
    """What comes from outside, and what is to be seen there."""

    def __init__(self, system: System, slack: FakeSlack, hubspot: FakeHubSpot) -> None:
        run = read_run(system.settings.home)
        assert run is not None
        self.gateway, self.slack, self.hubspot = client_of(system), slack, hubspot
        self.settings = system.settings
        (delivery,) = (process for process in run.processes if process.name == "delivery")
        self.delivery = httpx.Client(base_url=delivery.addresses["delivery"], timeout=60)
        self.metrics = delivery.addresses["metrics"]

    def hubspot_says(self, client: httpx.Client, path: str, *events: dict[str, Any]) -> int:
        """A batch of HubSpot's webhooks, signed as version 3."""
        now = str(int(time.time() * 1000))
        whole = [
            {"portalId": 1, "subscriptionId": 2, "occurredAt": int(now), "eventId": n, **event}
            for n, event in enumerate(events)
        ]
        body = json.dumps(whole)
        text = f"POST{PUBLIC}{path}{body}{now}".encode()
        digest = base64.b64encode(hmac.digest(APP.encode(), text, "sha256")).decode()
        headers = {"X-HubSpot-Signature-v3": digest, "X-HubSpot-Request-Timestamp": now}
        return client.post(path, content=body, headers=headers).status_code

    def deal_says(self, deal: dict[str, Any]) -> int:
        """A workflow's webhook, signed as version 2."""
        path, body = "/hooks/hubspot-deals", json.dumps(deal)
        digest = hashlib.sha256(f"{APP}POST{PUBLIC}{path}{body}".encode()).hexdigest()
        headers = {"X-HubSpot-Signature": digest, "X-HubSpot-Signature-Version": "v2"}
        return self.gateway.post(path, content=body, headers=headers).status_code

    def click_accept(self, user: str, handoff_id: str, ts: str) -> int:
        """A click on the first button of a card."""
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
        """The cards that say so."""
        found = self.slack.messages.get("C1", [])
        return [card for card in found if words in json.dumps(card["blocks"])]

    def counted(self, outcome: str) -> bool:
        """Whether delivery counted one change of the CRM with this outcome."""
        wanted = f'baton_delivery_answers_total{{kind="crm",outcome="{outcome}"}} 1.0'
        return wanted in httpx.get(f"{self.metrics}/metrics").text

    def enter_board(self) -> httpx.Client:
        """A visitor who came in by a link."""
        link = entrance_to(self.settings, "mgr-ines")
        assert link is not None
        board = httpx.Client(base_url=link.partition("/enter")[0], timeout=60)
        assert board.get(link, follow_redirects=True).status_code == 200
        return board


def buttons_of(card: dict[str, Any]) -> str | None:
    """The hand-off whose buttons the card has."""
    found = [block for block in card["blocks"] if block["type"] == "actions"]
    return found[0]["block_id"] if found else None


def holder_of(card: dict[str, Any]) -> str:
    """Whom the card names as holder."""
    texts = [field["text"] for field in card["blocks"][1]["fields"]]
    return next(text.partition("\n")[2] for text in texts if text.startswith("*Holder*"))


def go_round(trip: Trip, contact: str, say: Say) -> None:
    """Every step in turn; an assertion fails where one does not come to pass."""
    come_in(trip, contact, say)
    holder = accept(trip, say)
    heir = change_owner(trip, contact, holder, say)
    win(trip, contact, heir, say)


def come_in(trip: Trip, contact: str, say: Say) -> None:
    """The contact is made in HubSpot, and asks for a demonstration on the website."""
    change = {"subscriptionType": "contact.propertyChange", "objectId": int(contact)}
    values = {
        "email": EMAIL,
        "firstname": "Ann",
        "lastname": "Berg",
        "country": "Germany",
        "numberofemployees": "300",
    }
    status = trip.hubspot_says(
        trip.gateway,
        "/hooks/hubspot",
        {"subscriptionType": "contact.creation", "objectId": int(contact)},
        *(change | {"propertyName": name, "propertyValue": text} for name, text in values.items()),
    )
    assert status in (200, 202, 204)
    say(f"HubSpot reports contact {contact}: {EMAIL}")
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
    say("the website reports that she asked for a demonstration")


def accept(trip: Trip, say: Say) -> str:
    """The card is posted; a wrong clicker reads why not, the holder accepts. Gives
    the holder."""
    card = until(lambda: trip.cards("Ann Berg"), "a card in Slack")[0]
    holder, handoff = holder_of(card), buttons_of(card)
    assert handoff is not None
    say(f"Slack shows a card for {holder}, with buttons")
    other = next(user for person, user in USERS.items() if person not in (holder, "mgr-ines"))
    assert trip.click_accept(other, handoff, card["ts"]) == 200
    refusal = until(lambda: trip.slack.ephemeral, "an answer to the wrong clicker")[0]
    assert f"offered to {holder}" in refusal["text"]
    say(f"somebody else clicks, and reads: {refusal['text']}")
    assert trip.click_accept(USERS[holder], handoff, card["ts"]) == 200
    until(lambda: trip.cards(f"Accepted by {holder}"), "the card says who accepted")
    say(f"{holder} accepts; the card says so and has no buttons any more")
    assert buttons_of(card) is None
    assert trip.click_accept(USERS[holder], handoff, card["ts"]) == 200
    late = until(lambda: trip.slack.ephemeral[2:], "an answer to the late click")[0]
    assert f"Too late: Accepted by {holder}" in late["text"]
    say(f"a late click is answered: {late['text']}")
    return holder


def change_owner(trip: Trip, contact: str, holder: str, say: Say) -> str:
    """Owner and stage are written back, the echo is ignored; a person in HubSpot makes a colleague
    the owner, and Baton follows. Gives the colleague."""
    values = trip.hubspot.contacts[contact]
    until(lambda: values.get("hubspot_owner_id") == OWNERS[holder], "the owner in HubSpot")
    until(lambda: values.get("hs_lead_status") == STAGES["sal"], "the stage in HubSpot")
    say(f"HubSpot has owner {values['hubspot_owner_id']} and status {values['hs_lead_status']}")
    change = {"subscriptionType": "contact.propertyChange", "objectId": int(contact)}
    owner = change | {"propertyName": "hubspot_owner_id"}
    path = "/hubspot/changes/crm"
    echo = owner | {"propertyValue": OWNERS[holder]}
    assert trip.hubspot_says(trip.delivery, path, echo) == 204
    until(lambda: trip.counted("echo"), "the echo is counted as one")
    say("HubSpot reports Baton's own write; it is ignored as an echo")

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
    say(f"somebody in HubSpot makes {heir} the owner: Baton passes the lead on and keeps that")
    return heir


def win(trip: Trip, contact: str, heir: str, say: Say) -> None:
    """The new holder accepts; HubSpot reports the deal as won, twice; the board shows it once."""
    card = next(card for card in trip.cards("Ann Berg") if holder_of(card) == heir)
    handoff = buttons_of(card)
    assert handoff is not None
    assert trip.click_accept(USERS[heir], handoff, card["ts"]) == 200
    until(lambda: trip.cards(f"Accepted by {heir}"), "the second card says who accepted")
    deal = {
        "deal": 77,
        "stage": "closedwon",
        "contact": int(contact),
        "owner": OWNERS[heir],
        "amount_minor": 1_200_000,
        "currency": "EUR",
        "closed_at": int(time.time() * 1000),
    }
    assert trip.deal_says(deal) == 200
    assert trip.deal_says(deal) == 200
    say("HubSpot's workflow reports the deal as won, 12,000 EUR, twice")
    values = trip.hubspot.contacts[contact]
    until(lambda: values.get("hs_lead_status") == STAGES["customer"], "the last stage in HubSpot")
    until(lambda: trip.cards("won"), "the card says that it is won")
    board, amount = trip.enter_board(), money(1_200_000, "EUR", exact=True)

    def account() -> str:
        """The row of her account, once something is won there."""
        page = board.get("/accounts")
        assert page.status_code == 200
        row = page.text.partition("acme.example")[2].partition("</tr>")[0]
        return row if "EUR" in row else ""

    row = until(account, "the won deal on the board")
    assert f">{amount}<" in row, row
    say(f"HubSpot has status {values['hs_lead_status']}; the board shows {amount} won, once")


def main() -> int:
    """Show it, on a Baton of its own; with ``--stay`` everything keeps running until Ctrl-C."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    home = Path(tempfile.mkdtemp(prefix="baton-round-trip-"))
    slack, hubspot = FakeSlack(), FakeHubSpot()
    contact = hubspot.add(EMAIL)
    try:
        with serving(slack.app()) as at_slack, serving(hubspot.app()) as at_hubspot:
            given = environment_for(home, at_slack, (at_hubspot, hubspot.token))
            os.environ |= given | {
                "BATON_HOME": str(home),
                "BATON_NAMESPACE": f"round-trip-{os.getpid()}",
                "BATON_PARTITIONS": "2",
                "BATON_AGREEMENT": str(AGREEMENT),
                **{f"BATON_{name}_PORT": "0" for name in _PORTS},
            }
            load_settings.cache_clear()
            system = System(
                load_settings(),
                prepare=lambda reached: prepare_cluster(reached, print),
                commands=service_commands,
                say=print,
            )
            with system.running():
                trip = Trip(system, slack, hubspot)
                go_round(trip, contact, lambda text: print(f"  {text}", flush=True))
                print("the lead went all the way round", flush=True)
                while "--stay" in sys.argv:
                    print(f"the board: {entrance_to(system.settings, 'mgr-ines')}", flush=True)
                    signal.pause()
    except KeyboardInterrupt:
        return 130
    finally:
        shutil.rmtree(home, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
