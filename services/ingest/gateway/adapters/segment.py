"""Segment's and RudderStack's clients, pointed here: their calls, batches, short addresses for
browsers, beacons and pixels.

The write key is the user of Basic authorization. Browsers send none, so that no preflight is
needed: there it is ``writeKey`` in the body or in the query. Some clients know no success but 200;
they get it, everybody else 202. A client's own metrics (``/v1/m``) are answered and dropped.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from baton.intake.line_reading import LineRefused
from baton.intake.lines import EventLine
from services.ingest.gateway.adapters.protocol import (
    Answer,
    Delivery,
    Endpoint,
    RequestHead,
    accepted,
)
from services.ingest.gateway.adapters.segment_calls import CALLS, read_call
from services.ingest.gateway.json_body import BodyJson, read_body_object
from services.ingest.gateway.parsing import Taken, Unpacked
from services.ingest.gateway.problem_details import Refused
from services.ingest.gateway.write_keys import KeyRing, WriteKey, holder_of_header, holder_or_refuse

# Clients of Segment and RudderStack. Several know no success but 200: on 202 some try ten times,
# some for ever.
_SDK = re.compile(r"(?:analytics[-.]|segment|rudder)", re.IGNORECASE)
_GIF = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
_NOBODY = WriteKey(name="metrics", scopes=frozenset())
_MAX_PIXEL_FIELDS = 64

_CALL_OF_PATH: Mapping[str, str] = MappingProxyType(
    {f"/v1/{call}": call for call in CALLS}
    | {
        "/v1/i": "identify",
        "/v1/t": "track",
        "/v1/p": "page",
        "/v1/s": "screen",
        "/v1/g": "group",
        "/v1/a": "alias",
    }
)
_PIXELS: Mapping[str, str] = MappingProxyType(
    {
        "/pixel/v1/track": "track",
        "/pixel/v1/page": "page",
        "/v1/pixel/track": "track",
        "/v1/pixel/page": "page",
    }
)
_BATCHES = ("/v1/batch", "/v1/import", "/v1/b", "/beacon/v1/batch")
_METRICS = "/v1/m"
_ALWAYS_200 = frozenset(
    {"/v1/i", "/v1/t", "/v1/p", "/v1/s", "/v1/g", "/v1/a", "/v1/b", _METRICS, "/beacon/v1/batch"}
)


def _described() -> tuple[Endpoint, ...]:
    call = {"application/json": {"$ref": "#/components/schemas/Call"}}
    batch = {"application/json": {"$ref": "#/components/schemas/Batch"}}
    return (
        *(
            Endpoint(path=path, summary=f"Segment's {kind}", content=call)
            for path, kind in _CALL_OF_PATH.items()
        ),
        *(Endpoint(path=path, summary="Segment's batch", content=batch) for path in _BATCHES),
        *(
            Endpoint(path=path, summary=f"A {kind} as an image", content={}, method="GET")
            for path, kind in _PIXELS.items()
        ),
        Endpoint(path=_METRICS, summary="A client's own metrics, dropped", content=call),
    )


class Segment:
    """The adapter of Segment's and RudderStack's clients."""

    keeps_rejected = False
    endpoints = _described()

    def authenticate(self, head: RequestHead, keys: KeyRing) -> WriteKey | None:
        """By the header; else by the query of a beacon or a pixel; else the body says it."""
        if head.path == _METRICS:
            return _NOBODY
        return holder_of_header(head.headers, keys) or _holder(head.query.get("writeKey"), keys)

    def authenticate_body(self, delivery: Delivery, keys: KeyRing) -> WriteKey:
        """By ``writeKey`` of the body, or of the first call of a batch."""
        content = _content_of(delivery).value
        calls = content.get("batch")
        first = calls[0] if isinstance(calls, list) and calls and isinstance(calls[0], dict) else {}
        shown = content.get("writeKey") or first.get("writeKey")
        return holder_or_refuse(shown if isinstance(shown, str) else None, keys)

    def unpack(self, delivery: Delivery) -> Unpacked:
        """One call, or those of a batch."""
        path = delivery.head.path
        if path == _METRICS:
            return Unpacked(items=(), read=_not_read, may_be_empty=True)
        content = _content_of(delivery)
        if path in _BATCHES:
            return batch_in(content, delivery.received_at_ms)
        return call_in(content, _PIXELS.get(path) or _CALL_OF_PATH[path], delivery.received_at_ms)

    def answer(self, head: RequestHead, taken: Taken) -> Answer:
        """A pixel for a pixel, 200 for clients that insist on it, else 202."""
        if head.path in _PIXELS:
            return Answer(status=200, content=_GIF, media_type="image/gif")
        insists = head.path in _ALWAYS_200 or _SDK.match(head.headers.get("user-agent", ""))
        return Answer(status=200 if insists else 202, content=accepted(taken))


def call_in(content: BodyJson, call_type: str, received_at_ms: int) -> Unpacked:
    """One call of Segment's, whose type the address says."""

    def read(item: Any) -> EventLine:
        return read_call({**content.event(item), "type": call_type}, received_at_ms=received_at_ms)

    return Unpacked(items=(content.value,), read=read, alone=True)


def batch_in(content: BodyJson, received_at_ms: int) -> Unpacked:
    """A batch of calls; ``context`` and ``sentAt`` of the batch hold for calls without their
    own."""
    calls = content.value.get("batch")
    if not isinstance(calls, list):
        problem = {"field": "batch", "detail": "is no list"}
        raise Refused(422, "invalid", "The body needs a list of calls.", errors=[problem])
    shared, sent_at = content.value.get("context"), content.value.get("sentAt")

    def read(item: Any) -> EventLine:
        call = content.event(item)
        if not isinstance(call, dict):
            raise LineRefused.of("wrong_type", "must be a JSON object")
        own = call.get("context")
        if isinstance(shared, dict):
            call = {
                **call,
                "context": {**content.event(shared), **(own if isinstance(own, dict) else {})},
            }
        return read_call(call, received_at_ms=received_at_ms, sent_at=sent_at)

    return Unpacked(items=calls, read=read)


def _content_of(delivery: Delivery) -> BodyJson:
    if delivery.head.path in _PIXELS:
        return _pixel_content(delivery.head.query)
    return read_body_object(delivery.body)


def _pixel_content(query: Mapping[str, str]) -> BodyJson:
    """The call in a query: ``data`` is its JSON in base64 (Segment), else each name is a path into
    it (RudderStack)."""
    data = query.get("data")
    if data:
        try:
            padded = data.replace("-", "+").replace("_", "/") + "=" * (-len(data) % 4)
            return read_body_object(base64.b64decode(padded, validate=True))
        except binascii.Error:
            raise Refused(400, "malformed", "data is not base64.") from None
    if len(query) > _MAX_PIXEL_FIELDS:
        raise Refused(413, "too_many", f"A pixel may have {_MAX_PIXEL_FIELDS} fields.")
    call: dict[str, Any] = {}
    for name, value in query.items():
        if name != "writeKey":
            _put(call, name.split(".")[:4], value)
    return BodyJson(
        value=call,
        length=sum(map(len, query.values())),
        has_nul=any("\x00" in value for value in query.values()),
    )


def _put(call: dict[str, Any], path: list[str], value: str) -> None:
    for name in path[:-1]:
        inner = call.setdefault(name, {})
        if not isinstance(inner, dict):
            return  # a name that is a value already holds no others
        call = inner
    call.setdefault(path[-1], value)


def _holder(presented: str | None, keys: KeyRing) -> WriteKey | None:
    return holder_or_refuse(presented, keys) if presented else None


def _not_read(_: Any) -> EventLine:
    raise LineRefused.of("invalid", "is not taken")
