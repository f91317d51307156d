"""``POST /hubspot/changes/NAME``: HubSpot's webhooks about the owner of contacts.

The echo of Baton's own write is ignored. A person's change becomes a command under a derived id.
Nothing of one event spoils its batch: what is no change of an owner is passed over.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from baton.sources.signatures import NotAuthentic, SignedRequest, check_hmac
from baton.sources.source_model import HmacRule, TimestampRule
from services.delivery import metrics
from services.delivery.answers.answer_bodies import BodyRefused, raw_body
from services.delivery.answers.inbox import Inbox, NotTaken
from services.delivery.crm.crm_carrier import owner_command
from services.delivery.crm.write_ledger import is_echo, lead_of_object
from services.delivery.store.lead_view import handoffs_of
from services.delivery.store.outbox_store import FILE, reader
from services.delivery.targets.crm_model import HubSpotTarget

_LIMIT = 1 << 20
_RULE = HmacRule(
    header="X-HubSpot-Signature-v3",
    secret_env="BATON_SECRET_HUBSPOT",
    algorithm="sha256",
    encoding="base64",
    over="{method}{url}{body}{timestamp}",
    timestamp=TimestampRule(
        header="X-HubSpot-Request-Timestamp", unit="milliseconds", tolerance_s=300
    ),
)


class HubSpotAnswers:
    """Takes the changes of one portal. ``clock``: seconds since the epoch."""

    def __init__(
        self,
        name: str,
        target: HubSpotTarget,
        app_secret: str,
        folder: Path,
        inbox: Inbox,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._name, self._target, self._secret = name, target, app_secret
        self._folder, self._inbox, self._clock = folder, inbox, clock
        self._people = {user: person for person, user in target.people.items()}

    async def endpoint(self, request: Request) -> Response:
        """A batch of events: 503 where the brokers are away, so that HubSpot sends it again."""
        try:
            body = await raw_body(request, _LIMIT)
        except BodyRefused as refusal:
            return Response(status_code=refusal.status)
        if not self._is_authentic(request, body):
            return Response(status_code=401)
        try:
            events = json.loads(body)
        except (ValueError, RecursionError):
            return Response(status_code=400)
        try:
            await asyncio.to_thread(self._take, events if isinstance(events, list) else [events])
        except NotTaken:
            return Response(status_code=503, headers={"Retry-After": "10"})
        return Response(status_code=204)

    def _is_authentic(self, request: Request, body: bytes) -> bool:
        path = request.url.path
        base = (self._target.public_url or "").rstrip("/")
        signed = SignedRequest(
            method=request.method,
            url=f"{base}{path}",
            path=path,
            headers={name.lower(): value for name, value in request.headers.items()},
            query={},
            body=body,
            received_at_ms=int(self._clock() * 1000),
        )
        try:
            check_hmac(_RULE, signed, self._secret)
        except NotAuthentic:
            metrics.CLICKS.labels(kind="crm", outcome="not_authentic").inc()
            return False
        return True

    def _take(self, events: list[Any]) -> None:
        for event in events:
            outcome = self._take_one(event) if isinstance(event, Mapping) else "ignored"
            metrics.CLICKS.labels(kind="crm", outcome=outcome).inc()

    def _take_one(self, event: Mapping[str, Any]) -> str:
        written = self._target.write.get("owner")
        if written is None or event.get("propertyName") != written:
            return "ignored"
        contact, value = str(event.get("objectId")), str(event.get("propertyValue") or "")
        now = self._clock()
        db = reader(self._folder / FILE)
        try:
            echo = is_echo(db, self._name, contact, (written, value), int(now * 1000))
            lead_id = lead_of_object(db, self._name, contact)
            handoffs = handoffs_of(db, lead_id) if lead_id else []
        finally:
            db.close()
        person = self._people.get(value)
        if echo is not False:
            return "echo" if echo else "ignored"
        if person is None or not handoffs or self._target.commands_by is None:
            return "ignored"
        if person == handoffs[-1].holder:
            return "ignored"
        line = owner_command(self._name, handoffs[-1], person, self._target.commands_by, now)
        self._inbox.send(line)
        return "taken"
