"""Event lines, plain or as CloudEvents 1.0: ``POST /v1/events``.

One line, a list of lines, or one line of JSON each (NDJSON); a CloudEvent is structured, batched or
binary. The write key is the user of Basic authorization or a Bearer token. The answer is 202.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from baton.intake.cloudevents_envelope import attributes_of, line_of, unwrapped
from baton.intake.line_reading import LineRefused, read_line, read_object
from baton.intake.lines import EventLine
from services.ingest.gateway.adapters.protocol import (
    Answer,
    Delivery,
    Endpoint,
    RequestHead,
    accepted,
)
from services.ingest.gateway.json_body import read_body_json, without_nul
from services.ingest.gateway.parsing import Taken, Unpacked
from services.ingest.gateway.problem_details import Refused, refused_line
from services.ingest.gateway.request_body import MAX_EVENTS
from services.ingest.gateway.write_keys import KeyRing, WriteKey, holder_of_header, holder_or_refuse

_LINES = frozenset(
    {"application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines"}
)
_JSON = frozenset(
    {
        "application/json",
        "application/cloudevents+json",
        "application/cloudevents-batch+json",
        "text/plain",
        "",
    }
)
_TAKEN = _LINES | _JSON
_ATTRIBUTE = "ce-"
_ONE = {"$ref": "#/components/schemas/EventLine"}
_SEVERAL = {"oneOf": [_ONE, {"type": "array", "maxItems": MAX_EVENTS, "items": _ONE}]}


class EventLines:
    """The adapter of event lines and CloudEvents."""

    keeps_rejected = False
    endpoints = (
        Endpoint(
            path="/v1/events",
            summary="Event lines",
            content={
                "application/json": _SEVERAL,
                "application/x-ndjson": {"type": "string"},
                "application/cloudevents+json": {"type": "object"},
            },
        ),
    )

    def authenticate(self, head: RequestHead, keys: KeyRing) -> WriteKey | None:
        """By the header alone."""
        if head.media_type not in _TAKEN:
            detail = "Send application/json, application/x-ndjson or application/cloudevents+json."
            raise Refused(415, "content_type", detail)
        return holder_of_header(head.headers, keys) or holder_or_refuse(None, keys)

    def authenticate_body(self, delivery: Delivery, keys: KeyRing) -> WriteKey:
        """Never asked: the header says it."""
        del delivery
        return holder_or_refuse(None, keys)

    def unpack(self, delivery: Delivery) -> Unpacked:
        """Lines by the content type, else JSON."""
        if delivery.head.media_type in _LINES:
            return lines_in(delivery.body)
        try:
            attributes = attributes_of(
                [
                    (name, value.encode())
                    for name, value in delivery.head.headers.items()
                    if name.startswith(_ATTRIBUTE)
                ],
                _ATTRIBUTE,
            )
        except LineRefused as refused:
            raise refused_line(refused) from None
        return events_in(delivery.body, attributes)

    def answer(self, head: RequestHead, taken: Taken) -> Answer:
        """202: the brokers have it."""
        del head
        return Answer(status=202, content=accepted(taken))


def lines_in(body: bytes) -> Unpacked:
    """One JSON object a line: a line that is no JSON costs only itself."""
    lines = [line for line in body.split(b"\n") if line and line.strip()]
    return Unpacked(items=lines, read=_read_bytes)


def events_in(body: bytes, attributes: Mapping[str, Any]) -> Unpacked:
    """An event line or a list of them, plain or as CloudEvents; ``attributes`` are those of a
    binary one."""
    content = read_body_json(body)
    several = isinstance(content.value, list)

    def read(item: Any) -> EventLine:
        return _read_event(content.event(item), None if several else attributes)

    return Unpacked(
        items=content.value if several else (content.value,), read=read, alone=not several
    )


def _read_bytes(line: bytes) -> EventLine:
    event = read_object(line)
    return _read_event(without_nul(event) if b"\\u0000" in line else event)


def _read_event(content: Any, attributes: Mapping[str, Any] | None = None) -> EventLine:
    if not isinstance(content, dict):
        raise LineRefused.of("wrong_type", "must be a JSON object")
    if "specversion" in content:
        content, attributes = unwrapped(content)
    return read_line(line_of(content, attributes or {}))
