"""``POST /slack/interactions/NAME``: clicks on cards. Answered at once, whatever comes of it; the
clicker reads why where nothing does."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import parse_qs

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.signature import Clock, SignatureVerifier
from slack_sdk.web.async_client import AsyncWebClient
from starlette.requests import Request
from starlette.responses import Response

from services.delivery import metrics
from services.delivery.answers.answer_bodies import BodyRefused, raw_body
from services.delivery.answers.inbox import Inbox, NotTaken
from services.delivery.slack.clicks import Click, NotAClick, NotDone, click_of, line_of
from services.delivery.store.lead_view import References, handoff_of
from services.delivery.store.outbox_store import FILE, reader
from services.delivery.targets.people_model import SlackTarget

log = logging.getLogger(__name__)

_LIMIT = 256 * 1024


class _Clock(Clock):
    """The verifier's own clock is shared by all verifiers of the process; this one is not."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock

    def now(self) -> float:
        """Seconds since the epoch."""
        return self._clock()


class SlackAnswers:
    """Takes the clicks of one workspace. ``clock``: seconds since the epoch."""

    def __init__(
        self,
        target: SlackTarget,
        secrets: tuple[str, str],
        folder: Path,
        inbox: Inbox,
        clock: Callable[[], float] = time.time,
    ) -> None:
        token, signing = secrets
        self._target, self._folder, self._inbox, self._clock = target, folder, inbox, clock
        self._verifier = SignatureVerifier(signing, _Clock(clock))
        self._client = AsyncWebClient(token=token, base_url=target.api_url, timeout=10)
        self._people = {user: person for person, user in target.people.items()}
        self._references = References()
        self._talking: set[asyncio.Task[None]] = set()

    async def endpoint(self, request: Request) -> Response:
        """One request of Slack's."""
        try:
            body = await raw_body(request, _LIMIT)
        except BodyRefused as refusal:
            return Response(status_code=refusal.status)
        if not self.is_authentic(body, request.headers):
            metrics.CLICKS.labels(kind="slack", outcome="not_authentic").inc()
            return Response(status_code=401)
        try:
            fields = parse_qs(body.decode(), max_num_fields=10)
            if "ssl_check" in fields:
                return Response(status_code=200)
            click = click_of(json.loads(fields["payload"][0]))
        except (NotAClick, KeyError, ValueError, RecursionError):
            return Response(status_code=400)
        outcome, words = await asyncio.to_thread(self._take, click)
        metrics.CLICKS.labels(kind="slack", outcome=outcome).inc()
        task = asyncio.create_task(self._say(click, words))
        self._talking.add(task)
        task.add_done_callback(self._talking.discard)
        return Response(status_code=200)

    def is_authentic(self, body: bytes, headers: Mapping[str, str]) -> bool:
        """Whether Slack signed these bytes within five minutes of now, before or after."""
        timestamp = headers.get("x-slack-request-timestamp", "")
        signature = headers.get("x-slack-signature", "")
        if not (timestamp.isascii() and timestamp.isdigit() and signature.isascii()):
            return False
        try:
            text = body.decode()
        except UnicodeDecodeError:
            return False
        return bool(self._verifier.is_valid(text, timestamp, signature))

    def _take(self, click: Click) -> tuple[str, str]:
        """On a thread: the outcome for the metrics, and what the clicker reads."""
        if self._target.team and click.team != self._target.team:
            return "other_team", "This card belongs to another workspace."
        now_ms = int(self._clock() * 1000)
        db = reader(self._folder / FILE)
        try:
            found = self._references.at(db, now_ms)
            handoff = handoff_of(db, click.handoff_id)
        finally:
            db.close()
        try:
            line = line_of(
                click,
                handoff=handoff,
                person=self._people.get(click.user),
                agreement=found.agreement if found else None,
                now_ms=now_ms,
            )
            self._inbox.send(line)
        except NotDone as reason:
            return "refused", str(reason)
        except NotTaken:
            return "not_taken", "Baton could not take it just now. Please click again."
        return "taken", "Taken. The card follows in a moment."

    async def _say(self, click: Click, words: str) -> None:
        try:
            await self._client.chat_postEphemeral(
                channel=click.channel, user=click.user, text=words
            )
        except (SlackApiError, aiohttp.ClientError, TimeoutError, OSError) as error:
            log.warning("a clicker could not be answered: %s", type(error).__name__)
