"""The JSON of a body, so read that one bad character costs one event and not its batch. Pure.

A sound body is read at once. One that is not is read a second time with its damage left standing in
place: half a surrogate pair, bytes that are not UTF-8, a raw control character in a text, NaN, a
key that comes twice. Each event is then asked whether it has any (:func:`check_sound`). A body
whose brackets and quotes do not fit cannot be split into events and is refused whole.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from pydantic_core import to_json

from baton.intake.line_reading import LineRefused, read_json
from baton.intake.lines import MAX_EVENT_BYTES
from services.ingest.gateway.problem_details import Refused
from services.ingest.gateway.request_body import MAX_BODY_BYTES

_MAX_CONTAINERS = 100_000
_DAMAGES = frozenset({"malformed", "duplicate_key"})
_STRINGS = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?\Z)', re.DOTALL)
_HALF_PAIR = re.compile("[\ud800-\udfff]")
_RAW_CONTROLS = {code: chr(0xDC00 + code) for code in range(0x20)}
_SAFE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,47}\Z")
_IDENTIFYING = frozenset(
    {
        "userId",
        "anonymousId",
        "previousId",
        "groupId",
        "messageId",
        "email",
        "id",
        "identifiers",
        "retracts",
        "source",
    }
)


class Damage:
    """Stands where a value was that is no JSON."""

    __slots__ = ("code", "reason")

    def __init__(self, code: str, reason: str) -> None:
        self.code = code
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class BodyJson:
    """The value in a body of so many bytes. ``damaged``: something in it is no JSON."""

    value: Any
    length: int
    damaged: bool = False
    has_nul: bool = False

    def event(self, item: Any) -> Any:
        """One event of it, without NUL; raises :class:`LineRefused` where it is damaged or too
        long."""
        if self.damaged:
            check_sound(item)
        if self.length > MAX_EVENT_BYTES and len(to_json(item)) > MAX_EVENT_BYTES:
            raise LineRefused.of("too_long", f"has more than {MAX_EVENT_BYTES} bytes")
        return without_nul(item) if self.has_nul else item


def read_body_json(raw: bytes) -> BodyJson:
    """The value in a body, damage left in place; raises :class:`Refused`."""
    has_nul = b"\\u0000" in raw
    try:
        value = read_json(raw, max_bytes=MAX_BODY_BYTES, max_containers=_MAX_CONTAINERS)
        return BodyJson(value=value, length=len(raw), has_nul=has_nul)
    except LineRefused as refused:
        if refused.code in _DAMAGES:
            value = _read_damaged(raw)
            if isinstance(value, dict | list):
                return BodyJson(value=value, length=len(raw), has_nul=has_nul, damaged=True)
        raise Refused(400, refused.code, f"The body {refused}.") from None


def read_body_object(raw: bytes) -> BodyJson:
    """The same, of an object; raises :class:`Refused`."""
    content = read_body_json(raw)
    if not isinstance(content.value, dict):
        raise Refused(400, "wrong_type", "The body must be a JSON object.")
    return content


def check_sound(item: Any) -> None:
    """Raise :class:`LineRefused` naming a place where an event is damaged."""
    pending: list[tuple[str, Any]] = [("", item)]
    while pending:
        path, value = pending.pop()
        if isinstance(value, str):
            if not value.isascii() and _HALF_PAIR.search(value):
                raise LineRefused.of("malformed", "has a character that is no text", field=path)
        elif isinstance(value, dict):
            for name, member in value.items():
                if not name.isascii() and _HALF_PAIR.search(name):
                    raise LineRefused.of(
                        "malformed", "has a name with a character that is no text", field=path
                    )
                pending.append((_joined(path, name), member))
        elif isinstance(value, list):
            pending += [(path, member) for member in value]
        elif isinstance(value, Damage):
            raise LineRefused.of(value.code, value.reason, field=path)


def without_nul(value: Any) -> Any:
    """The same value without the character NUL, which some forms leave in a text. What identifies
    keeps it, to be refused."""
    if isinstance(value, str):
        return value.replace("\x00", "")
    if isinstance(value, list):
        return [without_nul(member) for member in value]
    if isinstance(value, dict):
        return {
            name: member if name in _IDENTIFYING else without_nul(member)
            for name, member in value.items()
        }
    return value


def _read_damaged(raw: bytes) -> Any:
    text = raw.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape")
    marked = _STRINGS.sub(lambda found: found[0].translate(_RAW_CONTROLS), text)
    try:
        return json.loads(marked, object_pairs_hook=_object, parse_constant=_no_number)
    except (ValueError, RecursionError):
        return None


def _object(pairs: list[tuple[str, Any]]) -> Any:
    found = dict(pairs)
    return found if len(found) == len(pairs) else Damage("duplicate_key", "has a key twice")


def _no_number(_: str) -> Damage:
    return Damage("malformed", "is no number of JSON")


def _joined(path: str, name: str) -> str:
    own = name if _SAFE_NAME.match(name) else "(unnamed)"
    return f"{path}.{own}" if path else own
