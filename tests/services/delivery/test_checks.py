"""What a check of the targets finds: the signature's echo at receivers of webhooks, what is signed
and comes back through a proxy, and calendars."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from standardwebhooks import Webhook
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from services.delivery.answers.app import answers_app
from services.delivery.answers.echoes import hubspot_echo, slack_echo
from services.delivery.carriers import Surroundings
from services.delivery.settings import DeliverySettings
from services.delivery.store.outbox_store import Store
from services.delivery.target_checking import check_targets
from services.delivery.targets.target_model import TargetsFile
from tests.services.delivery.serving import served
from tests.services.delivery.test_concierge_slots import calendar

SECRET, OTHER = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_" + "QUJD" * 8


class Nowhere:
    def send(self, line: Any) -> None:
        raise AssertionError("a check sends nothing to the inbox")


class Tool:
    """A receiver that verifies with the specification's own library, or does not."""

    def __init__(self, secret: str | None, status: int = 204) -> None:
        self.secret, self.status = secret, status
        self.bodies: list[bytes] = []

    async def take(self, request: Request) -> Response:
        body = await request.body()
        self.bodies.append(body)
        if self.secret is not None:
            try:
                Webhook(self.secret).verify(body, dict(request.headers))
            except Exception:
                return Response(status_code=401)
        return Response(status_code=self.status)

    def app(self) -> Starlette:
        return Starlette(routes=[Route("/hook", self.take, methods=["POST"])])


def around(folder: Path, **secrets: str) -> Surroundings:
    return Surroundings(
        secrets={name: SecretStr(value) for name, value in secrets.items()},
        own=DeliverySettings(),
        folder=folder,
        namespace="baton",
        inbox=Nowhere(),
    )


def webhook(base: str, **more: Any) -> TargetsFile:
    port = int(base.rpartition(":")[2])
    target = {
        "url": f"{base}/hook",
        "ports": [port],
        "allow_networks": ["127.0.0.0/8"],
        "secret_env": ["BATON_S"],
        "topics": ["leads.stages.v1"],
    }
    return TargetsFile.model_validate({"version": 1, "webhooks": {"tool": target | more}})


@pytest.mark.parametrize(
    ("tool", "more", "good", "words", "sent"),
    [
        (Tool(SECRET), {}, True, "refuses what is signed with another secret", 2),
        (Tool(OTHER), {}, False, "does the receiver have this secret?", 2),
        (Tool(None), {}, False, "does not verify signatures", 2),
        (Tool(SECRET, status=500), {}, False, "to a signed check: 500", 2),
        (Tool(None), {"echo": False}, True, "the address is allowed and answers", 0),
    ],
)
async def test_the_echo_of_a_signature_says_whether_the_receiver_verifies(
    tmp_path: Path, tool: Tool, more: dict[str, Any], good: bool, words: str, sent: int
) -> None:
    async with served(tool.app()) as base:
        found = await check_targets(webhook(base, **more), around(tmp_path, BATON_S=SECRET))
    ((name, verdict, text),) = found
    assert (name, verdict, len(tool.bodies)) == ("tool", good, sent)
    assert words in text
    assert all(b'"type": "baton.check"' in body for body in tool.bodies)


async def test_a_secret_that_is_being_rotated_is_taken_by_who_has_either(tmp_path: Path) -> None:
    for has in (SECRET, OTHER):
        async with served(Tool(has).app()) as base:
            file = webhook(base, secret_env=["BATON_NEW", "BATON_OLD"])
            secrets = around(tmp_path, BATON_NEW=OTHER, BATON_OLD=SECRET)
            ((_, good, _),) = await check_targets(file, secrets)
        assert good


def coming_back(folder: Path) -> Starlette:
    Store(folder, "baton").close()
    slack = {"token_env": "BATON_T", "signing_secret_env": "BATON_S", "channel": "C12"}
    hubspot = {
        "token_env": "BATON_T",
        "write": {"owner": "hubspot_owner_id"},
        "app_secret_env": "BATON_S",
        "public_url": "http://to-be-replaced",
    }
    file = {"version": 1, "slack": {"desk": slack}, "hubspot": {"crm": hubspot}}
    targets = TargetsFile.model_validate(file)
    return answers_app(targets, around(folder, BATON_T="t", BATON_S="right"), Nowhere())


class Proxy:
    """In front of delivery: passes everything on, or spoils the body or the path."""

    def __init__(self, inner: str, spoils: str) -> None:
        self.inner, self.spoils = inner, spoils

    async def pass_on(self, request: Request) -> Response:
        body = await request.body()
        if self.spoils == "body":
            body = body.replace(b"1", b"2") + b" "
        path = request.url.path.removeprefix("/sub") if self.spoils == "path" else request.url.path
        headers = {k: v for k, v in request.headers.items() if k not in ("host", "content-length")}
        if self.spoils == "headers":
            headers = {k: v for k, v in headers.items() if not k.startswith("x-")}
        async with httpx.AsyncClient() as client:
            answer = await client.post(self.inner + path, content=body, headers=headers)
        return Response(answer.content, status_code=answer.status_code)

    def app(self) -> Starlette:
        return Starlette(routes=[Route("/{path:path}", self.pass_on, methods=["POST"])])


@pytest.mark.parametrize(
    ("secret", "spoils", "good"),
    [
        ("right", "nothing", True),
        ("wrong", "nothing", False),
        ("right", "body", False),
        ("right", "headers", False),
    ],
)
async def test_what_slack_signs_arrives_as_it_was_signed_or_the_check_says_so(
    tmp_path: Path, secret: str, spoils: str, good: bool
) -> None:
    async with served(coming_back(tmp_path)) as inner, served(Proxy(inner, spoils).app()) as base:
        verdict, words = await slack_echo(base, "desk", secret)
    assert verdict is good, words


async def test_hubspot_s_signature_covers_the_public_address(tmp_path: Path) -> None:
    """The worker's own public_url is not the one that is asked: found before HubSpot finds it."""
    async with served(coming_back(tmp_path)) as inner:
        verdict, words = await hubspot_echo(inner, "crm", "right")
    assert (verdict, "another secret or public_url" in words) == (False, True)


async def test_hubspot_s_echo_is_good_where_address_and_secret_agree(tmp_path: Path) -> None:
    from services.delivery.answers.hubspot_changes import HubSpotAnswers
    from services.delivery.targets.crm_model import HubSpotTarget

    Store(tmp_path, "baton").close()
    late: list[HubSpotAnswers] = []

    async def endpoint(request: Request) -> Response:
        return await late[0].endpoint(request)

    route = Route("/hubspot/changes/crm", endpoint, methods=["POST"])
    async with served(Starlette(routes=[route])) as base:
        target = HubSpotTarget.model_validate(
            {"token_env": "BATON_T", "write": {"owner": "o"}, "public_url": base}
        )
        late.append(HubSpotAnswers("crm", target, "right", tmp_path, Nowhere()))
        assert (await hubspot_echo(base, "crm", "right"))[0]
        assert not (await hubspot_echo(base, "crm", "wrong"))[0]
    assert (await hubspot_echo(base, "crm", "right"))[1].endswith("is delivery running behind it?")


async def test_the_check_of_the_concierge_reads_every_calendar(tmp_path: Path) -> None:
    (tmp_path / "greta.ics").write_bytes(calendar("DTSTART:20260921T150000Z|DURATION:PT2H"))
    (tmp_path / "people.yaml").write_text(
        "version: 1\npeople:\n  ae-greta: {calendar: greta.ics}\n"
    )
    concierge = {
        "key": "pk_0123456789abcdef",
        "origins": ["https://www.firm.example"],
        "signing_secret_env": "BATON_C",
        "people": str(tmp_path / "people.yaml"),
    }
    file = TargetsFile.model_validate({"version": 1, "concierge": concierge})
    found = await check_targets(file, around(tmp_path, BATON_C="s"))
    assert found == [("concierge", True, "answers open forms; 1 calendars can be read")]
    (tmp_path / "greta.ics").unlink()
    found = await check_targets(file, around(tmp_path, BATON_C="s"))
    assert found == [
        ("concierge", False, "the calendar of ae-greta cannot be read: FileNotFoundError")
    ]
