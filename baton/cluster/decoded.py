"""A record of the log as JSON: decoded where its contract is known, as text or base64 where it is
not. Shared by ``tail`` and ``dlq``."""

import base64
import json
from typing import Any

from baton.cluster.log import Record
from baton.contracts.codec import ContractError, decode_any
from baton.contracts.topics import TOPICS, Audience


def as_document(record: Record) -> dict[str, Any]:
    """Place, key, headers and value; nothing in it is lost, and all of it is JSON."""
    return {
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "at_ms": record.at_ms,
        "key": _text(record.key),
        "headers": {name: _text(value) for name, value in record.headers},
        **value_of(record),
    }


def value_of(record: Record) -> dict[str, Any]:
    """What it holds, with the name of its contract where that is known."""
    if record.value is None:
        return {"value": None}
    spec = TOPICS.get(record.topic)
    if spec is not None and spec.audience is Audience.ENGINE:
        return _engine_value(record)
    if spec is None or spec.record is None:
        return _outside_value(record.value)
    try:
        name, value = decode_any(record.value)
    except ContractError as error:
        return {"value": _text(record.value), "trouble": error.reason}
    return {"record": name, "value": value}


def _outside_value(value: bytes) -> dict[str, Any]:
    try:
        return {"value": json.loads(value)}
    except (ValueError, RecursionError):
        return {"value": _text(value)}


def _engine_value(record: Record) -> dict[str, Any]:
    assert record.value is not None, "a tombstone was handled before"
    try:
        name, value = decode_any(record.value)
    except ContractError:
        return {"value": _text(record.value)}
    return {"record": name, "value": value}


def _text(data: bytes | None) -> str | None:
    if data is None:
        return None
    try:
        return data.decode()
    except UnicodeDecodeError:
        return "base64:" + base64.b64encode(data).decode()


def as_line(record: Record) -> str:
    """The document on one line."""
    return json.dumps(as_document(record), ensure_ascii=False, default=_jsonable)


def _jsonable(value: object) -> object:
    if isinstance(value, bytes):
        return _text(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")
