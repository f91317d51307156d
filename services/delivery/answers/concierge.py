"""``POST /v1/concierge/peek`` and ``/claim``: for the page with the open form.

Every answer to a peek has one shape and takes at least as long as a floor, whatever is known of the
buyer; no name is in it. Where nothing can be said in time the answer is the normal route.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from services.delivery import metrics
from services.delivery.answers.answer_bodies import BodyRefused, raw_body
from services.delivery.answers.inbox import NotTaken
from services.delivery.concierge.buyer import FormWrong
from services.delivery.concierge.desk import Desk, Peeked
from services.delivery.concierge.limits import HOUR_S, Limiter, caller_of
from services.delivery.concierge.peek_tokens import VALID_S, NotValid
from services.delivery.concierge.promises import TooMany
from services.delivery.targets.people_model import ConciergeTarget

_LIMIT: Final = 8_192
_FIELDS, _TEXT = 30, 500
_DEADLINE_S: Final = 0.25
_AT_ONCE: Final = 8
_FURTHEST_S: Final = 90 * 86_400
FLOOR_S: Final = 0.05


class Refusal(Exception):
    """Answered with a status and a word."""

    def __init__(self, status: int, word: str) -> None:
        super().__init__(word)
        self.status, self.word = status, word


class ConciergeAnswers:
    """``clock``: seconds since the epoch. ``warming``: what is done once, beside the first
    answers."""

    def __init__(
        self,
        target: ConciergeTarget,
        desk: Desk,
        clock: Callable[[], float] = time.time,
        deadline_s: float = _DEADLINE_S,
    ) -> None:
        self._deadline_s = deadline_s
        self._target, self._desk, self._clock = target, desk, clock
        self._limiter = Limiter(target.per_minute)
        self._claims = Limiter(target.turns_per_address, HOUR_S)
        self._threads = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="concierge")
        self._claiming = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="claim")
        self._asking = 0
        self.warming = self._threads.submit(desk.warm, clock())

    async def preflight(self, request: Request) -> Response:
        """A browser asks whether the page may."""
        return Response(status_code=204, headers=self._cors(request))

    async def peek(self, request: Request) -> Response:
        """``{queue, token, expires_in, slots}``."""
        began = time.monotonic()
        answer = await self._answered(request, self._peek)
        await asyncio.sleep(max(0.0, FLOOR_S - (time.monotonic() - began)))
        metrics.CONCIERGE.labels(call="peek").observe(time.monotonic() - began)
        return answer

    async def claim(self, request: Request) -> Response:
        """``{person, booking, slot, slots}``."""
        began = time.monotonic()
        answer = await self._answered(request, self._claim)
        metrics.CONCIERGE.labels(call="claim").observe(time.monotonic() - began)
        return answer

    async def _answered(self, request: Request, act: Callable[[Any, str], Any]) -> Response:
        headers = self._cors(request) | {"Cache-Control": "no-store"}
        try:
            body = await self._admitted(request)
            return JSONResponse(await act(body, self._caller(request)), headers=headers)
        except Refusal as refusal:
            return JSONResponse(
                {"error": refusal.word}, status_code=refusal.status, headers=headers
            )

    async def _admitted(self, request: Request) -> Mapping[str, Any]:
        if request.headers.get("origin", "") not in self._target.origins:
            raise Refusal(403, "origin_not_allowed")
        if not self._limiter.allows(self._caller(request), self._clock()):
            raise Refusal(429, "too_many_requests")
        try:
            body = json.loads(await raw_body(request, _LIMIT))
        except BodyRefused as refusal:
            raise Refusal(refusal.status, "body_refused") from None
        except (ValueError, RecursionError):
            raise Refusal(400, "not_json") from None
        key = body.get("key") if isinstance(body, dict) else None
        if not isinstance(key, str) or not hmac.compare_digest(
            key.encode(), self._target.key.encode()
        ):
            raise Refusal(401, "key_not_known")
        return body  # type: ignore[no-any-return]  # a dict, as was just seen

    def _caller(self, request: Request) -> str:
        peer = request.client.host if request.client else ""
        forwarded = request.headers.get("x-forwarded-for", "")[:1_000]
        return caller_of(peer, forwarded, self._target.proxies)

    async def _peek(self, body: Mapping[str, Any], _: str) -> dict[str, Any]:
        fields, found = _fields(body), Peeked(queue="later", token="")
        if self._asking < _AT_ONCE:  # more would only wait for one another
            self._asking += 1
            asking = asyncio.get_running_loop().run_in_executor(
                self._threads, self._desk.peek, fields, self._clock()
            )
            asking.add_done_callback(self._asked)
            try:
                found = await asyncio.wait_for(asyncio.shield(asking), self._deadline_s)
            except FormWrong as error:
                raise Refusal(422, str(error)) from None
            except TimeoutError:
                pass  # the normal route
        return {
            "queue": found.queue,
            "token": found.token,
            "expires_in": VALID_S,
            "slots": found.slots,
        }

    def _asked(self, asking: asyncio.Future[Peeked]) -> None:
        self._asking -= 1
        if not asking.cancelled():
            asking.exception()  # whoever waited has it already

    async def _claim(self, body: Mapping[str, Any], caller: str) -> dict[str, Any]:
        fields, token = _fields(body), body.get("token")
        slot = _slot(body.get("slot"), self._clock())
        if not isinstance(token, str):
            raise Refusal(422, "the claim needs a token")
        if not self._claims.allows(caller, self._clock()):
            raise Refusal(429, "too_many_claims")
        try:
            found = await asyncio.get_running_loop().run_in_executor(
                self._claiming, self._desk.claim, token, fields, slot, self._clock()
            )
        except (NotValid, FormWrong) as error:
            raise Refusal(422, str(error)) from None
        except TooMany:
            raise Refusal(429, "too_many_claims") from None
        except NotTaken:
            raise Refusal(503, "not_taken_try_again") from None
        return {
            "person": found.person,
            "booking": found.booking,
            "slot": found.slot,
            "slots": found.slots,
        }

    def _cors(self, request: Request) -> dict[str, str]:
        origin = request.headers.get("origin", "")
        if origin not in self._target.origins:
            return {"Vary": "Origin"}
        return {
            "Access-Control-Allow-Origin": origin,
            "Access-Control-Allow-Methods": "POST",
            "Access-Control-Allow-Headers": "content-type",
            "Access-Control-Max-Age": "600",
            "Vary": "Origin",
        }


def _fields(body: Mapping[str, Any]) -> dict[str, str]:
    fields = body.get("fields")
    if not isinstance(fields, dict) or len(fields) > _FIELDS:
        raise Refusal(422, f"fields must be an object of at most {_FIELDS}")
    for name, text in fields.items():
        if not isinstance(text, str) or len(text) > _TEXT or not name.isidentifier():
            raise Refusal(422, f"each field must be a word with a text of at most {_TEXT}")
    return {name: text.strip() for name, text in fields.items() if text.strip()}


def _slot(text: Any, now_s: float) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(str(text)[:40])
    except ValueError:
        raise Refusal(422, "slot must be a moment with its offset") from None
    if moment.tzinfo is None:
        raise Refusal(422, "slot must be a moment with its offset")
    if not now_s < moment.timestamp() < now_s + _FURTHEST_S:
        raise Refusal(422, "slot must be within the next ninety days")
    return moment
