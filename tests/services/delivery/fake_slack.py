"""A Slack that is strict about what its documentation says: tokens, block limits, one message a
second and channel, unknown channels and messages."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

TOKEN, TEAM = "xoxb-fake-token", "T1"


class Refused(Exception):
    """Slack's answer ``{"ok": false, "error": ...}``."""


@dataclass(slots=True)
class FakeSlack:
    """``broken``: HTTP statuses to answer first, before anything is looked at; ``lost``: how many
    posts are taken whose answer never comes."""

    channels: set[str] = field(default_factory=lambda: {"C1", "C2"})
    users: set[str] = field(default_factory=lambda: {"U1", "U2"})
    messages: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    ephemeral: list[dict[str, Any]] = field(default_factory=list)
    updates: int = 0
    limited: int = 0
    broken: list[int] = field(default_factory=list)
    lost: int = 0
    spacing_s: float = 1.0
    last: dict[str, float] = field(default_factory=dict)
    serial: int = 0

    def app(self) -> Starlette:
        return Starlette(routes=[Route("/api/{method}", self.call, methods=["POST", "GET"])])

    async def call(self, request: Request) -> Response:
        if self.broken:
            return Response("oops", status_code=self.broken.pop(0))
        method = request.path_params["method"].replace(".", "_")
        try:
            if request.headers.get("authorization") != f"Bearer {TOKEN}":
                raise Refused(
                    "invalid_auth" if "authorization" in request.headers else "not_authed"
                )
            handler = getattr(self, f"on_{method}", None)
            if handler is None:
                raise Refused("unknown_method")
            found = handler(await self._arguments(request))
        except Refused as refusal:
            if str(refusal) == "ratelimited":
                self.limited += 1
                body = {"ok": False, "error": "ratelimited"}
                return JSONResponse(body, status_code=429, headers={"Retry-After": "1"})
            return JSONResponse({"ok": False, "error": str(refusal)})
        if self.lost and method == "chat_postMessage":
            self.lost -= 1
            return Response("gone", status_code=504)
        return JSONResponse({"ok": True, **found})

    async def _arguments(self, request: Request) -> dict[str, Any]:
        if request.headers.get("content-type", "").startswith("application/json"):
            return dict(await request.json())
        found: dict[str, Any] = {**request.query_params, **(await request.form())}
        for name in ("blocks", "metadata"):
            if isinstance(found.get(name), str):
                found[name] = json.loads(found[name])
        return found

    def on_auth_test(self, given: dict[str, Any]) -> dict[str, Any]:
        return {"team_id": TEAM, "user_id": "UBOT"}

    def on_conversations_open(self, given: dict[str, Any]) -> dict[str, Any]:
        users = given["users"]
        user = users[0] if isinstance(users, list) else users
        if user not in self.users:
            raise Refused("user_not_found")
        self.channels.add(f"D{user}")
        return {"channel": {"id": f"D{user}"}}

    def on_conversations_history(self, given: dict[str, Any]) -> dict[str, Any]:
        self._known(given["channel"])
        messages = self.messages.get(given["channel"], [])
        if str(given.get("include_all_metadata")).lower() not in ("true", "1"):
            messages = [{k: v for k, v in m.items() if k != "metadata"} for m in messages]
        return {"messages": messages[::-1]}

    def on_chat_postMessage(self, given: dict[str, Any]) -> dict[str, Any]:
        channel = given.get("channel", "")
        self._known(channel)
        if not given.get("text") and not given.get("blocks"):
            raise Refused("no_text")
        check_blocks(given.get("blocks") or [])
        check_metadata(given.get("metadata"))
        self._limit(channel)
        self.serial += 1
        ts = f"1790000000.{self.serial:06d}"
        self.messages.setdefault(channel, []).append({**given, "ts": ts})
        return {"channel": channel, "ts": ts}

    def on_chat_update(self, given: dict[str, Any]) -> dict[str, Any]:
        self._known(given.get("channel", ""))
        check_blocks(given.get("blocks") or [])
        for message in self.messages.get(given["channel"], []):
            if message["ts"] == given["ts"]:
                message.update(blocks=given["blocks"], text=given["text"])
                self.updates += 1
                return {"channel": given["channel"], "ts": given["ts"]}
        raise Refused("message_not_found")

    def on_chat_postEphemeral(self, given: dict[str, Any]) -> dict[str, Any]:
        self._known(given["channel"])
        self.ephemeral.append(given)
        return {"message_ts": "1.1"}

    def _known(self, channel: str) -> None:
        if channel not in self.channels:
            raise Refused("channel_not_found")

    def _limit(self, channel: str) -> None:
        now = time.monotonic()
        # Slack takes short bursts; this one takes none, but for a clock's tick
        if now - self.last.get(channel, -9.0) < self.spacing_s * 0.95:
            raise Refused("ratelimited")
        self.last[channel] = now


def check_metadata(metadata: Any) -> None:
    if metadata is not None and set(metadata) != {"event_type", "event_payload"}:
        raise Refused("invalid_metadata_schema")


def check_blocks(blocks: list[dict[str, Any]]) -> None:
    """The limits of Block Kit's reference; raises ``invalid_blocks``."""

    def need(good: bool) -> None:
        if not good:
            raise Refused("invalid_blocks")

    need(len(blocks) <= 50)
    for block in blocks:
        need(block.get("type") in {"header", "section", "actions", "context", "divider"})
        need(len(block.get("block_id", "")) <= 255)
        match block["type"]:
            case "header":
                need(block["text"]["type"] == "plain_text")
                # the stricter reading: an emoji beyond the basic plane counts as two
                need(2 <= len(block["text"]["text"].encode("utf-16-le")) <= 300)
            case "section":
                need("text" in block or "fields" in block)
                need(1 <= len(block.get("text", {}).get("text", "x")) <= 3000)
                fields = block.get("fields", [{"text": "x", "type": "mrkdwn"}])
                need(1 <= len(fields) <= 10)
                need(all(1 <= len(item["text"]) <= 2000 for item in fields))
            case "actions":
                elements = block["elements"]
                need(1 <= len(elements) <= 25)
                ids = [element["action_id"] for element in elements]
                need(len(ids) == len(set(ids)))
                for element in elements:
                    check_element(element, need)
            case "context":
                need(1 <= len(block["elements"]) <= 10)


def check_element(element: dict[str, Any], need: Any) -> None:
    need(element["type"] in {"button", "static_select"})
    need(1 <= len(element["action_id"]) <= 255)
    if element["type"] == "button":
        need(1 <= len(element["text"]["text"]) <= 75)
        need(len(element.get("value", "")) <= 2000)
        need(element.get("style", "primary") in {"primary", "danger"})
    else:
        options = element["options"]
        need(1 <= len(options) <= 100)
        need(all(1 <= len(option["text"]["text"]) <= 75 for option in options))
        need(all(1 <= len(option["value"]) <= 150 for option in options))
        need(len({option["value"] for option in options}) == len(options))
        need(1 <= len(element.get("placeholder", {"text": "x"})["text"]) <= 150)
