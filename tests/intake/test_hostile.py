"""Hostile input by each way in: a dead letter from the inbox, a 4xx at the gateway, each with its
reason; never an exception, never dear."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from baton.engine.reducer import Event
from services.ingest.admit.reducer import Admit
from services.ingest.gateway.adapters.cloudevents import events_in, lines_in
from services.ingest.gateway.adapters.segment import batch_in, call_in
from services.ingest.gateway.adapters.segment_fields import is_address
from services.ingest.gateway.json_body import read_body_object
from services.ingest.gateway.parsing import Taken, take
from services.ingest.gateway.problem_details import Refused
from services.ingest.gateway.request_body import MAX_BODY_BYTES, MAX_EVENTS
from services.ingest.gateway.write_keys import Scope, WriteKey
from tests.cpu_cost import cpu_passes

NOW = 1_772_445_600_000
KEY = WriteKey(name="web", scopes=frozenset(Scope))
LINE = b'{"id":"1","kind":"erasure","occurred_at":1772445600000,"identifiers":{"user":"u"}'
UNDATED = b'{"id":"1","kind":"erasure","identifiers":{"user":"u"}'
UNNAMED = b'{"kind":"erasure","occurred_at":1772445600000,"identifiers":{"user":"u"}'

HOSTILE: dict[str, tuple[bytes, str, str]] = {
    "nested deep, objects": (
        b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
        "too_nested",
        "has more than 128 objects and lists",
    ),
    "nested, but not too deep": (b'{"a":' * 120 + b"1" + b"}" * 120, "invalid", "kind: is missing"),
    "more digits than a number may have": (
        UNDATED + b',"occurred_at":' + b"9" * 4_301 + b"}",
        "malformed",
        "is not JSON in UTF-8",
    ),
    "all the digits a number may have": (
        UNDATED + b',"occurred_at":' + b"9" * 4_300 + b"}",
        "invalid",
        "occurred_at: must lie between",
    ),
    "a number far below zero": (
        UNDATED + b',"occurred_at":-' + b"9" * 400 + b"}",
        "invalid",
        "occurred_at: must lie between",
    ),
    "a number beyond all in a profile": (
        LINE + b',"profile":{"a":1e999}}',
        "invalid",
        'profile: "a" is too large a number',
    ),
    "infinity": (UNDATED + b',"occurred_at":Infinity}', "malformed", "is not JSON in UTF-8"),
    "minus infinity": (UNDATED + b',"occurred_at":-Infinity}', "malformed", "is not JSON in UTF-8"),
    "NaN in a profile": (LINE + b',"profile":{"a":NaN}}', "malformed", "is not JSON in UTF-8"),
    "a lone high surrogate": (UNNAMED + b',"id":"\\ud800"}', "malformed", "is not JSON in UTF-8"),
    "a lone low surrogate": (UNNAMED + b',"id":"\\udc00x"}', "malformed", "is not JSON in UTF-8"),
    "a surrogate in UTF-8": (
        UNNAMED + b',"id":"\xed\xa0\x80"}',
        "malformed",
        "is not JSON in UTF-8",
    ),
    "a surrogate in a name": (LINE + b',"\\ud800":1}', "malformed", "is not JSON in UTF-8"),
    "a NUL byte": (UNNAMED + b',"id":"a\x00b"}', "malformed", "is not JSON in UTF-8"),
    "a NUL in a text": (
        UNNAMED + b',"id":"a\\u0000b"}',
        "invalid",
        "id: must not have control characters",
    ),
    "a NUL in a name": (
        LINE + b',"a\\u0000b":1}',
        "invalid",
        "(unnamed): is not a field of an event",
    ),
    "a text of a megabyte": (
        UNNAMED + b',"id":"' + b"x" * 1_000_000 + b'"}',
        "too_long",
        "has 1000081 bytes",
    ),
    "a text as long as an event may be": (
        UNNAMED + b',"id":"' + b"x" * 32_000 + b'"}',
        "invalid",
        "id: must have at most 256",
    ),
    "a text that does not end, of quotes and brackets": (
        b'{"x":"' + b'\\"[' * 8_000,
        "malformed",
        "is not JSON in UTF-8",
    ),
    "a text that ends in a backslash": (
        b'{"x":"' + b'\\"[' * 8_000 + b"\\",
        "malformed",
        "is not JSON in UTF-8",
    ),
    "brackets behind a text with quotes": (
        b'{"x":"\\"","y":' + b"[" * 200,
        "too_nested",
        "has more than 128 objects and lists",
    ),
    "UTF-16": ((LINE + b"}").decode().encode("utf-16"), "malformed", "is not JSON in UTF-8"),
    "something behind it": (LINE + b"}//", "malformed", "is not JSON in UTF-8"),
    "a name twice, the last one wrong": (
        LINE + b',"identifiers":{}}',
        "duplicate_key",
        "has a key twice (at line 1 column",
    ),
    "a name twice, deep inside": (
        LINE + b',"profile":{"a":1,"a":2}}',
        "duplicate_key",
        "has a key twice (at line 1 column",
    ),
}


def _rejected(value: bytes) -> tuple[str, str]:
    event = Event(
        topic="leads.inbox.v1",
        partition=0,
        offset=0,
        key="",
        value=value,
        id="x",
        at_ms=NOW,
        received_at_ms=NOW,
        headers=(),
    )
    step = Admit().step(None, event, now=NOW, reference=None)  # type: ignore[arg-type]
    assert step.rejected is not None
    assert step.facts == ()
    return step.rejected.code, step.rejected.reason


def _events(body: bytes) -> Taken:
    return take(events_in(body, {}), KEY)


def _lines(body: bytes) -> Taken:
    return take(lines_in(body), KEY)


def _answered(taking: Callable[[], Taken]) -> Refused:
    with pytest.raises(Refused) as refused:
        taking()
    return refused.value


@pytest.mark.parametrize(("value", "code", "reason"), HOSTILE.values(), ids=HOSTILE)
def test_hostile_bytes_are_a_dead_letter_from_the_inbox(
    value: bytes, code: str, reason: str
) -> None:
    found = _rejected(value)
    assert (found[0], found[1][: len(reason)]) == (code, reason)


@pytest.mark.parametrize(("value", "code", "reason"), HOSTILE.values(), ids=HOSTILE)
def test_hostile_bytes_are_a_4xx_at_the_gateway_alone_and_as_a_line_of_many(
    value: bytes, code: str, reason: str
) -> None:
    alone = _answered(lambda: _events(value))
    # A body may be longer and have more in it than one event; one that is too long does not even
    # come so far.
    assert alone.code == {"too_nested": "malformed"}.get(code, code)
    assert alone.status == (422 if alone.code == "invalid" else 400)
    if b"\n" not in value and len(value) < MAX_BODY_BYTES:
        taken = _lines(LINE + b"}\n" + value)
        assert len(taken.records) == 1
        (bad,) = taken.bad
        assert (bad.index, bad.refused.code, str(bad.refused)[: len(reason)]) == (1, code, reason)


@pytest.mark.parametrize("path", ["events", "call"])
def test_an_event_alone_may_be_no_longer_than_one_of_many(path: str) -> None:
    if path == "events":
        refused = _answered(lambda: _events(LINE + b',"person":{"note":"' + b"x" * 33_000 + b'"}}'))
    else:
        call = {"userId": "u", "event": "x", "context": {"x": "x" * 33_000}}
        refused = _answered(
            lambda: take(call_in(read_body_object(json.dumps(call).encode()), "track", NOW), KEY)
        )
    assert (refused.status, refused.code, refused.detail) == (
        413,
        "too_long",
        "Not taken: has more than 32768 bytes.",
    )


def test_of_a_batch_of_bad_events_each_is_reported_but_not_all_that_is_wrong_with_each() -> None:
    wrong = b"{" + b",".join(b'"f%d":1' % number for number in range(15)) + b"}"
    taken = _lines(b"\n".join([*[wrong] * (MAX_EVENTS - 1), LINE + b"}"]))
    reported = taken.rejected()
    assert len(taken.bad) == MAX_EVENTS - 1
    assert [rejected["index"] for rejected in reported if rejected["field"] == "kind"] == list(
        range(MAX_EVENTS - 1)
    )
    assert MAX_EVENTS < len(reported) < 2 * MAX_EVENTS + 20
    assert reported[0] == {"index": 0, "code": "invalid", "field": "kind", "detail": "is missing"}
    assert [rejected["field"] for rejected in reported if rejected["index"] == 0][:4] == [
        "kind",
        "occurred_at",
        "identifiers",
        "f0",
    ]


DEAR: dict[str, bytes] = {
    "a body of quotes that do not end": b'["' + b'\\"' * 100_000 + b"[" * 100_001,
    "a body of quotes that do not end, and a backslash": b'["'
    + b'\\"' * 100_000
    + b"[" * 100_001
    + b"\\",
    "a body of brackets in a text": b'["' + b"[" * (MAX_BODY_BYTES - 10) + b'"]',
    "a body of names": b"{" + b",".join(b'"%d":0' % number for number in range(40_000)) + b"}",
    "a body of empty lists": b"[" + b",".join([b"[]"] * 99_990) + b"]",
    "a body of line breaks": b"\n" * MAX_BODY_BYTES,
}


@pytest.mark.parametrize("body", DEAR.values(), ids=DEAR)
@pytest.mark.parametrize("taken_from", [_events, _lines], ids=["json", "lines"])
def test_no_body_is_dear(body: bytes, taken_from: Callable[[bytes], Taken]) -> None:
    assert _answered(lambda: taken_from(body)).status in (400, 413, 422)
    assert cpu_passes(lambda: _answered(lambda: taken_from(body))) < 200


@pytest.mark.parametrize(
    "text", ["a@" + "." * 30_000 + "@", "a" * 30_000 + "@", "a@" + "b." * 15_000 + " c"]
)
def test_a_user_id_that_is_nearly_an_address_is_cheap(text: str) -> None:
    body = json.dumps(
        {"batch": [{"type": "track", "event": "x", "userId": text, "anonymousId": "n"}] * 10}
    ).encode()
    assert isinstance(_taken(body), Taken | Refused)
    assert cpu_passes(lambda: _taken(body)) < 200


def _taken(body: bytes) -> Taken | Refused:
    try:
        return take(batch_in(read_body_object(body), NOW), KEY)
    except Refused as refused:
        return refused


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("a@b.c", True),
        ("a.b@c.d.e", True),
        ("a@b..c", True),
        ("a@.b.c", True),
        ("a@b", False),
        ("a@.b", False),
        ("a@b.", False),
        ("@b.c", False),
        ("a@@b.c", False),
        ("a@b@c.d", False),
        ("a b@c.d", False),
        ("a@b.c\n", False),
        ("a", False),
        ("", False),
    ],
)
def test_what_looks_like_an_address_among_user_ids(text: str, is_one: bool) -> None:
    assert is_address(text) is is_one
