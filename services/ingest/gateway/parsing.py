"""From a request's body to records and refusals: each event on its own, so that a bad one does not cost the others. Pure.

Whatever takes a body is a generator that pauses after each event, for whoever cannot give it all its time at once, and returns what it
took; :func:`at_once` goes through without a pause.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic_core import to_json

from baton.contracts.intake import IntakeRecord
from baton.intake.cloudevents import line_of, unwrapped
from baton.intake.lines import MAX_EVENT_BYTES, EventLine
from baton.intake.reading import LineRefused, read_json, read_line, read_object
from baton.intake.records import to_intake
from services.ingest.gateway.adapters.segment import read_call
from services.ingest.gateway.problem_details import Refused, errors_of, refused_line
from services.ingest.gateway.request_body import MAX_BODY_BYTES, MAX_EVENTS
from services.ingest.gateway.write_keys import SCOPE_OF_KIND, WriteKey

_MAX_CONTAINERS = 100_000

Read = Callable[[Any], EventLine]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bad:
    """An event of a request that is not taken. ``index`` counts from 0."""

    index: int
    refused: LineRefused


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What a request holds: records to publish, and what is wrong with the rest."""

    records: tuple[IntakeRecord, ...]
    bad: tuple[Bad, ...] = ()

    def rejected(self) -> list[dict[str, Any]]:
        """The refusals as members of an answer: every event, with all that is wrong with it; once there are many, with the first of it."""
        told: list[dict[str, Any]] = []
        for each in self.bad:
            problems = each.refused.problems if len(told) < MAX_EVENTS else each.refused.problems[:1]
            told += errors_of(problems, index=each.index, code=each.refused.code)
        return told


Taking = Generator[None, None, Taken]
"""Pauses after each event of several; raises :class:`Refused`."""


class OutOfScope(LineRefused):
    """The key may not send this kind of event."""


def at_once(taking: Taking) -> Taken:
    """What is taken, without a pause."""
    while True:
        try:
            next(taking)
        except StopIteration as done:
            taken: Taken = done.value
            return taken


def take_call(body: bytes, call_type: str, key: WriteKey, received_at_ms: int) -> Taking:
    """One call of Segment's, whose type the address says."""
    call = {**_object(body), "type": call_type}

    def read(each: Any) -> EventLine:
        _bounded(each, len(body))
        return read_call(each, received_at_ms=received_at_ms)

    return (yield from _one(call, read, key))


def take_batch(body: bytes, key: WriteKey, received_at_ms: int) -> Taking:
    """A batch of Segment's calls; ``context`` and ``sentAt`` of the batch hold for calls without their own."""
    whole = _object(body)
    calls = whole.get("batch")
    if not isinstance(calls, list):
        raise Refused(422, "invalid", "The body needs a list of calls.", errors=[{"field": "batch", "detail": "is no list"}])
    shared = whole.get("context")

    def read(call: Any) -> EventLine:
        _bounded(call, len(body))
        if not isinstance(call, Mapping):
            raise LineRefused.of("wrong_type", "must be a JSON object")
        filled = {**call, "context": {**shared, **_mapping(call.get("context"))}} if isinstance(shared, Mapping) else call
        return read_call(filled, received_at_ms=received_at_ms, sent_at=whole.get("sentAt"))

    return (yield from _several(calls, read, key))


def take_lines(body: bytes, key: WriteKey) -> Taking:
    """Event lines, one JSON object a line: a line that is no JSON costs only itself."""
    lines = [line for line in body.split(b"\n") if line and line.strip()]
    return (yield from _several(lines, lambda line: _read_event(read_object(line)), key))


def take_events(body: bytes, key: WriteKey, attributes: Mapping[str, Any]) -> Taking:
    """An event line or a list of them, plain or as CloudEvents; ``attributes`` are those of a binary one."""
    content = _json(body)
    several = isinstance(content, list)

    def read(each: Any) -> EventLine:
        _bounded(each, len(body))
        return _read_event(each, None if several else attributes)

    return (yield from (_several if several else _one)(content, read, key))


def _read_event(content: Any, attributes: Mapping[str, Any] | None = None) -> EventLine:
    if not isinstance(content, dict):
        raise LineRefused.of("wrong_type", "must be a JSON object")
    if "specversion" in content:
        content, attributes = unwrapped(content)
    return read_line(line_of(content, attributes or {}))


def _one(item: Any, read: Read, key: WriteKey) -> Taking:
    yield from ()  # one event is read at one go
    try:
        return Taken(records=(_record(item, read, key),))
    except OutOfScope as refused:
        raise Refused(403, "out_of_scope", str(refused)) from None
    except LineRefused as refused:
        raise refused_line(refused) from None


def _several(items: list[Any], read: Read, key: WriteKey) -> Taking:
    if len(items) > MAX_EVENTS:
        raise Refused(413, "too_many", f"A request may have {MAX_EVENTS} events; send several smaller ones.")
    records, bad = [], []
    for index, item in enumerate(items):
        try:
            records.append(_record(item, read, key))
        except LineRefused as refused:
            bad.append(Bad(index=index, refused=refused))
        yield
    taken = Taken(records=tuple(records), bad=tuple(bad))
    if not records:
        raise _nothing_taken(taken)
    return taken


def _nothing_taken(taken: Taken) -> Refused:
    if taken.bad and all(isinstance(each.refused, OutOfScope) for each in taken.bad):
        return Refused(403, "out_of_scope", "This key may send none of these events.", errors=taken.rejected())
    return Refused(422, "nothing_taken", "None of the events could be taken.", errors=taken.rejected())


def _record(item: Any, read: Read, key: WriteKey) -> IntakeRecord:
    line = read(item)
    if not key.may(line.kind):
        raise OutOfScope.of("out_of_scope", f"needs a key with scope {SCOPE_OF_KIND[line.kind].value}", field="kind")
    return to_intake(line, source=key.name)


def _bounded(item: Any, body_bytes: int) -> None:
    # The whole body is bounded already; only in a longer one can an event be too long.
    if body_bytes > MAX_EVENT_BYTES and len(to_json(item)) > MAX_EVENT_BYTES:
        raise LineRefused.of("too_long", f"has more than {MAX_EVENT_BYTES} bytes")


def _json(body: bytes) -> Any:
    try:
        return read_json(body, max_bytes=MAX_BODY_BYTES, max_containers=_MAX_CONTAINERS)
    except LineRefused as refused:
        raise Refused(400, refused.code, f"The body {refused}.") from None


def _object(body: bytes) -> Mapping[str, Any]:
    content = _json(body)
    if not isinstance(content, Mapping):
        raise Refused(400, "wrong_type", "The body must be a JSON object.")
    return content


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
