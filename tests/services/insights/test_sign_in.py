"""Signing in at a provider: a small real one on the loopback, honest and not."""

from __future__ import annotations

import base64
import hashlib
import hmac
import html
import json
import re
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import uvicorn
from joserfc import jwt
from joserfc.jwk import RSAKey
from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from baton.contracts.public_record import PublicRecord
from services.insights.board.oidc import LOGIN_COOKIE
from services.insights.settings import BoardSettings
from tests.services.insights.boards import Board, board_with

HOST = "board.acme.example"
CLIENT, SECRET = "baton-board", "s3cret"
PEOPLE = "ines@acme.example: mgr-ines\nghost@acme.example: nobody-here\n"


@cache
def key_called(kid: str) -> RSAKey:
    """A key of 2048 bits; making one takes longer than most tests here."""
    return RSAKey.generate_key(2048, {"kid": kid})


@dataclass
class Provider:
    """Signs in whoever ``claims`` says. ``bend`` changes the claims of the next tokens; ``sign``
    makes the token."""

    claims: dict[str, Any] = field(default_factory=dict)
    bend: Callable[[dict[str, Any]], dict[str, Any]] = lambda claims: claims
    sign: Callable[[dict[str, Any]], str] | None = None
    key: RSAKey = field(default_factory=lambda: key_called("one"))
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    address: str = ""

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self._about),
                Route("/keys", self._keys),
                Route("/authorize", self._authorize),
                Route("/token", self._token, methods=["POST"]),
            ]
        )

    def _about(self, _: Request) -> Response:
        return JSONResponse(
            {
                "issuer": self.address,
                "authorization_endpoint": f"{self.address}/authorize",
                "token_endpoint": f"{self.address}/token",
                "jwks_uri": f"{self.address}/keys",
            }
        )

    def _keys(self, _: Request) -> Response:
        return JSONResponse({"keys": [self.key.as_dict(private=False)]})

    def _authorize(self, request: Request) -> Response:
        asked = dict(request.query_params)
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        assert asked["redirect_uri"] == f"https://{HOST}/oidc/back"
        code = secrets.token_urlsafe(8)
        self.codes[code] = asked
        back = urlencode({"code": code, "state": asked["state"]})
        return RedirectResponse(f"{asked['redirect_uri']}?{back}", status_code=302)

    async def _token(self, request: Request) -> Response:
        form = dict(parse_qs((await request.body()).decode()))
        asked = self.codes.pop(form["code"][0], None)  # a code works once
        given = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        digest = hashlib.sha256(form.get("code_verifier", [""])[0].encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if (
            asked is None
            or request.headers.get("authorization") != f"Basic {given}"
            or challenge != asked["code_challenge"]
        ):
            return JSONResponse({"error": "invalid_grant"}, status_code=400)
        now = int(time.time())
        claims = self.bend(
            {
                "iss": self.address,
                "aud": CLIENT,
                "sub": "4711",
                "iat": now,
                "exp": now + 300,
                "nonce": asked["nonce"],
                **self.claims,
            }
        )
        sign = self.sign or self.signed
        return JSONResponse({"access_token": "a", "token_type": "Bearer", "id_token": sign(claims)})

    def signed(self, claims: dict[str, Any]) -> str:
        return jwt.encode({"alg": "RS256", "kid": self.key.kid}, claims, self.key)


@pytest.fixture
def provider() -> Iterator[Provider]:
    found = Provider(claims={"email": "ines@acme.example", "email_verified": True})
    bound = socket.socket()
    bound.bind(("127.0.0.1", 0))
    found.address = f"http://127.0.0.1:{bound.getsockname()[1]}"
    server = uvicorn.Server(uvicorn.Config(found.app(), lifespan="off", log_level="warning"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield found
    server.should_exit = True
    thread.join(10)


@pytest.fixture
def board(
    provider: Provider,
    store_file: Path,
    company: tuple[tuple[PublicRecord, ...], int],
    tmp_path: Path,
) -> Board:
    people = tmp_path / "people"
    people.write_text(PEOPLE)
    return board_with(
        store_file,
        tmp_path / "board",
        company[1],
        host="10.0.0.7",
        public_host=HOST,
        oidc_issuer=provider.address,
        oidc_client_secret=SECRET,
        people=people,
    )


def browser(board: Board) -> TestClient:
    return TestClient(board.app, base_url=f"https://{HOST}", follow_redirects=False)


def sent_to_provider(visitor: TestClient, start: str = "/oidc/start") -> str:
    """Begin; gives the address to which the provider sends back."""
    import httpx

    answer = visitor.get(start)
    assert answer.status_code == 303
    back = httpx.get(answer.headers["location"], follow_redirects=False)
    return back.headers["location"].removeprefix(f"https://{HOST}")


def test_who_signs_in_is_who_the_agreement_says_and_can_leave(board: Board) -> None:
    visitor = browser(board)
    first = visitor.get("/")
    assert (first.status_code, 'href="/oidc/start"' in first.text) == (401, True)
    answer = visitor.get(sent_to_provider(visitor))
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookies = answer.headers.get_list("set-cookie")
    session = next(cookie for cookie in cookies if cookie.startswith("__Host-baton_board="))
    for part in ("Secure", "HttpOnly", "SameSite=lax", "Path=/"):
        assert part in session
    page = visitor.get("/").text
    assert "Ines" in page
    assert "manager" in page
    visitor.post("/leave", headers={"sec-fetch-site": "same-origin"})
    assert visitor.get("/").status_code == 401


def test_who_opens_a_shared_view_comes_back_to_it_with_its_filters(board: Board) -> None:
    visitor = browser(board)
    shared = "/funnel?from=2026-10-01&segment=R%26D+%2B+more"
    refused = visitor.get(shared)
    assert refused.status_code == 401
    (start,) = re.findall(r'href="(/oidc/start[^"]*)"', refused.text)
    answer = visitor.get(sent_to_provider(visitor, html.unescape(start)))
    assert answer.headers["location"] == shared


@pytest.mark.parametrize(
    "elsewhere",
    [
        *("https://evil.example/", "//evil.example/", "/\\evil.example", "evil.example"),
        *("/\t/evil.example", "javascript:alert(1)", "///evil.example", "/oidc/back?code=x"),
        *("/%0d%0aset-cookie:x".replace("%0d%0a", "\r\n"), "/" + "a" * 3_000, ""),
    ],
)
def test_a_sign_in_leads_to_no_other_place(board: Board, elsewhere: str) -> None:
    visitor = browser(board)
    start = f"/oidc/start?{urlencode({'to': elsewhere})}"
    answer = visitor.get(sent_to_provider(visitor, start))
    assert answer.headers["location"] == "/"


def test_somebody_of_no_agreement_is_signed_in_but_not_let_in(
    board: Board, provider: Provider
) -> None:
    for address in ("stranger@acme.example", "ghost@acme.example"):
        provider.claims["email"] = address
        visitor = browser(board)
        answer = visitor.get(sent_to_provider(visitor))
        assert (answer.status_code, "stand in no agreement" in answer.text) == (403, True)
        assert visitor.get("/").status_code == 401


def test_a_sign_in_is_used_once_and_only_where_it_was_begun(board: Board) -> None:
    visitor = browser(board)
    back = sent_to_provider(visitor)
    assert browser(board).get(back).status_code == 403, "another browser has no cookie of it"
    cookie = visitor.cookies[LOGIN_COOKIE]
    assert visitor.get(back).status_code == 303
    visitor.cookies[LOGIN_COOKIE] = cookie
    assert visitor.get(back).status_code == 403


def test_a_state_that_is_another_ends_the_sign_in(board: Board) -> None:
    visitor = browser(board)
    back = sent_to_provider(visitor)
    code = parse_qs(urlsplit(back).query)["code"][0]
    forged = visitor.get("/oidc/back", params={"code": code, "state": "forged"})
    assert forged.status_code == 403
    assert visitor.get(back).status_code == 403, "it is used up"


HOUR = 3_600
BENT: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "another nonce": lambda claims: claims | {"nonce": "x"},
    "no nonce": lambda claims: {key: claim for key, claim in claims.items() if key != "nonce"},
    "another audience": lambda claims: claims | {"aud": "another"},
    "several audiences": lambda claims: claims | {"aud": [CLIENT, "another"]},
    "another issuer": lambda claims: claims | {"iss": "https://evil.example"},
    "expired": lambda claims: claims | {"exp": int(time.time()) - HOUR},
    "from the future": lambda claims: claims | {"iat": int(time.time()) + HOUR},
    "an address nobody verified": lambda claims: claims | {"email_verified": False},
    "an address that says it is verified in words": lambda claims: (
        claims | {"email_verified": "true"}
    ),
    "no address": lambda claims: {key: claim for key, claim in claims.items() if key != "email"},
}


@pytest.mark.parametrize("how", BENT)
def test_a_token_that_is_not_one_for_this_sign_in_lets_nobody_in(
    board: Board, provider: Provider, how: str
) -> None:
    provider.bend = BENT[how]
    visitor = browser(board)
    assert visitor.get(sent_to_provider(visitor)).status_code == 403
    assert visitor.get("/").status_code == 401


def part(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def unsigned(_: Provider, claims: dict[str, Any]) -> str:
    return f"{part({'alg': 'none'})}.{part(claims)}."


def by_another_key(_: Provider, claims: dict[str, Any]) -> str:
    return jwt.encode({"alg": "RS256", "kid": "one"}, claims, key_called("another"))


def by_the_public_key_as_a_secret(provider: Provider, claims: dict[str, Any]) -> str:
    body = f"{part({'alg': 'HS256', 'kid': 'one'})}.{part(claims)}"
    digest = hmac.digest(provider.key.as_pem(private=False), body.encode(), "sha256")
    return f"{body}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"


@pytest.mark.parametrize("sign", [unsigned, by_another_key, by_the_public_key_as_a_secret])
def test_a_token_that_the_provider_did_not_sign_lets_nobody_in(
    board: Board, provider: Provider, sign: Callable[[Provider, dict[str, Any]], str]
) -> None:
    provider.sign = lambda claims: sign(provider, claims)
    visitor = browser(board)
    assert visitor.get(sent_to_provider(visitor)).status_code == 403


def test_keys_that_the_provider_changed_are_asked_for_again(
    board: Board, provider: Provider
) -> None:
    visitor = browser(board)
    assert visitor.get(sent_to_provider(visitor)).status_code == 303
    back = sent_to_provider(visitor)
    provider.key = key_called("two")
    assert visitor.get(back).status_code == 303


def test_a_provider_that_does_not_answer_is_said_so(
    store_file: Path, company: tuple[tuple[PublicRecord, ...], int], tmp_path: Path
) -> None:
    board = board_with(
        store_file,
        tmp_path / "board",
        company[1],
        public_host=HOST,
        oidc_issuer="http://127.0.0.1:1",
    )
    answer = browser(board).get("/oidc/start")
    assert (answer.status_code, "cannot be read" in answer.text) == (503, True)


def test_where_people_sign_in_no_link_opens_the_board(board: Board) -> None:
    from services.insights.board.access import new_link

    visitor = browser(board)
    answer = visitor.get("/enter", params={"token": new_link(board.files.folder, "mgr-ines")})
    assert answer.status_code == 404


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"oidc_issuer": "http://idp.example", "public_host": HOST}, "https"),
        ({"oidc_issuer": "https://idp.example"}, "PUBLIC_HOST"),
        (
            {
                "oidc_issuer": "https://idp.example",
                "public_host": HOST,
                "proxy_header": "X-User",
                "proxy_networks": "10.0.0.0/8",
            },
            "not both",
        ),
    ],
)
def test_settings_that_do_not_go_together_are_refused(settings: dict[str, str], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        BoardSettings(**settings)  # type: ignore[arg-type]
