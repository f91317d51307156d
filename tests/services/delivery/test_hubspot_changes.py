"""HubSpot's webhooks about owners: the echo is ignored, a person's change is a command."""

from __future__ import annotations

import base64
import hmac
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from services.delivery.answers.hubspot_changes import HubSpotAnswers
from services.delivery.answers.inbox import NotTaken
from services.delivery.crm.write_ledger import Ledger
from services.delivery.store.outbox_store import Store
from services.delivery.targets.target_model import TargetsFile
from tests.services.delivery.facts import NOON, routed

PUBLIC, SECRET = "https://delivery.example", "app-secret"
PEOPLE = {"ae-greta": "501", "ae-hugo": "502"}


class Memory:
    def __init__(self) -> None:
        self.lines: list[dict[str, Any]] = []
        self.away = False

    def send(self, line: Any) -> None:
        if self.away:
            raise NotTaken("away")
        self.lines.append(dict(line))


class Portal:
    """Baton has written owner 501 to contact 7."""

    def __init__(self, folder: Path, pending: bool = False) -> None:
        hubspot = {
            "token_env": "BATON_T",
            "write": {"owner": "hubspot_owner_id", "level": "baton_level"},
            "people": PEOPLE,
            "commands_by": "mgr-ines",
            "app_secret_env": "BATON_A",
            "public_url": PUBLIC,
            "since": "2020-01-01T00:00:00Z",
        }
        file = TargetsFile.model_validate({"version": 1, "hubspot": {"crm": hubspot}})
        store = Store(folder, "baton")
        store.register(file, 0)
        store.apply([routed()], {}, file, NOON)
        store.close()
        ledger = Ledger("crm", folder, "baton")
        values = {"lead-1": ("7", {"hubspot_owner_id": "501"})}
        ledger.note_pending(values, NOON)
        if not pending:
            ledger.note_done(values)
        self.inbox, self.now = Memory(), NOON / 1000
        answers = HubSpotAnswers(
            "crm", file.hubspot["crm"], SECRET, folder, self.inbox, clock=lambda: self.now
        )
        self.app = Starlette(routes=[Route("/changes", answers.endpoint, methods=["POST"])])

    async def says(self, body: Any, **headers: str) -> int:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        at = str(int(self.now * 1000))
        text = b"POST" + f"{PUBLIC}/changes".encode() + content + at.encode()
        digest = base64.b64encode(hmac.digest(SECRET.encode(), text, "sha256")).decode()
        signed = {"X-HubSpot-Signature-v3": digest, "X-HubSpot-Request-Timestamp": at}
        transport = httpx.ASGITransport(app=self.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
            answer = await client.post("/changes", content=content, headers=signed | headers)
        return answer.status_code


def change(value: str, contact: int = 7, name: str = "hubspot_owner_id") -> dict[str, Any]:
    return {
        "subscriptionType": "contact.propertyChange",
        "objectId": contact,
        "propertyName": name,
        "propertyValue": value,
    }


@pytest.mark.parametrize("pending", [False, True])
async def test_the_echo_of_an_own_write_is_ignored_even_before_its_answer_came(
    tmp_path: Path, pending: bool
) -> None:
    portal = Portal(tmp_path, pending)
    assert await portal.says([change("501")]) == 204
    assert portal.inbox.lines == []


async def test_a_person_s_change_is_one_command_however_often_it_is_said(tmp_path: Path) -> None:
    portal = Portal(tmp_path)
    for _ in range(3):
        assert await portal.says([change("502")]) == 204
    assert len({line["id"] for line in portal.inbox.lines}) == 1
    assert portal.inbox.lines[0]["command"] == {
        "kind": "assign",
        "by": "mgr-ines",
        "handoff_id": "h-lead-1-1",
        "to_person": "ae-hugo",
    }


@pytest.mark.parametrize(
    "event",
    [
        change("999"),  # nobody of the agreement
        change(""),  # the owner was removed
        change("502", contact=8),  # nothing that Baton wrote to
        change("502", name="baton_level"),
        {"subscriptionType": "contact.creation", "objectId": 7},
        "nonsense",
        None,
        [],
    ],
)
async def test_what_is_no_change_to_a_person_known_is_passed_over_and_spoils_no_batch(
    tmp_path: Path, event: Any
) -> None:
    portal = Portal(tmp_path)
    assert await portal.says([event, change("502")]) == 204
    assert len(portal.inbox.lines) == 1


async def test_while_the_brokers_are_away_hubspot_is_asked_to_come_again(tmp_path: Path) -> None:
    portal = Portal(tmp_path)
    portal.inbox.away = True
    assert await portal.says([change("502")]) == 503


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({"X-HubSpot-Signature-v3": "AAAA"}, [change("502")], 401),
        ({"X-HubSpot-Request-Timestamp": str(NOON - 301_000)}, [change("502")], 401),
        ({"X-HubSpot-Request-Timestamp": str(NOON + 60_000)}, [change("502")], 401),
        ({"X-HubSpot-Request-Timestamp": "soon"}, [change("502")], 401),
        ({}, b"{", 400),
        ({}, b"[" * 50_000, 400),
        ({}, b" " * 1_100_000, 413),
    ],
)
async def test_what_hubspot_did_not_sign_now_or_is_no_batch_is_refused(
    tmp_path: Path, headers: dict[str, str], body: Any, status: int
) -> None:
    portal = Portal(tmp_path)
    assert await portal.says(body, **headers) == status
    assert portal.inbox.lines == []
