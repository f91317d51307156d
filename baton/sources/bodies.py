"""A body in the format of its source, as the value that expressions are computed over. Pure.

JSON is as it is. XML becomes objects: the name of an element without its namespace, a text where it
has nothing but text, a list where it comes several times. A form becomes ``{"fields": {name: text},
"all": {name: [texts]}, "received_at": milliseconds}``. What is too long, too deep, has too many
parts or declares entities is refused at bounded cost.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl
from xml.etree.ElementTree import ParseError

from defusedxml import DefusedXmlException  # type: ignore[import-untyped]  # has none
from defusedxml.ElementTree import DefusedXMLParser  # type: ignore[import-untyped]
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import create_form_parser

from baton.intake.line_reading import LineRefused, read_json

MAX_BODY_BYTES = 512_000
MAX_DEPTH = 40
MAX_PARTS = 50_000
MAX_FIELDS = 500


def read_body(raw: bytes, kind: str, received_at_ms: int) -> Any:
    """The value of a body; raises :class:`LineRefused`."""
    match kind:
        case "xml":
            return read_xml(raw)
        case "form":
            return read_form(raw, received_at_ms)
        case "ndjson":
            return [_line(line) for line in raw.split(b"\n") if line.strip()]
        case _:
            return read_json(raw, max_bytes=MAX_BODY_BYTES, max_containers=MAX_PARTS)


def _line(raw: bytes) -> Any:
    try:
        return read_json(raw)
    except LineRefused:
        return raw.decode("utf-8", "replace")  # no object, so it is refused by itself


def read_form(raw: bytes, received_at_ms: int) -> dict[str, Any]:
    """The fields of a form (``application/x-www-form-urlencoded``)."""
    try:
        pairs = parse_qsl(
            raw.decode("utf-8"), keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS
        )
    except (UnicodeDecodeError, ValueError):
        raise LineRefused.of(
            "malformed", f"is no form in UTF-8 with at most {MAX_FIELDS} fields"
        ) from None
    several: dict[str, list[str]] = {}
    for name, value in pairs:
        several.setdefault(name, []).append(value)
    return form_record(several, received_at_ms)


def read_multipart(raw: bytes, content_type: str, received_at_ms: int) -> dict[str, Any]:
    """The fields of a form as ``multipart/form-data``; its files are left out."""
    several: dict[str, list[str]] = {}

    def on_field(found: Any) -> None:
        if sum(map(len, several.values())) >= MAX_FIELDS:
            raise ValueError("too many fields")
        name, value = (found.field_name or b"").decode(), (found.value or b"").decode()
        several.setdefault(name, []).append(value)

    try:
        parser = create_form_parser(
            {"Content-Type": content_type.encode()}, on_field, lambda _: None
        )
        parser.write(raw)
        parser.finalize()
    except (FormParserError, ValueError):
        raise LineRefused.of(
            "malformed", f"is no form in UTF-8 with at most {MAX_FIELDS} fields"
        ) from None
    return form_record(several, received_at_ms)


def form_record(fields: Mapping[str, Any], received_at_ms: int) -> dict[str, Any]:
    """The record of a form: its first values, all of them, and when it came."""
    several = {
        name: value if isinstance(value, list) else [value] for name, value in fields.items()
    }
    return {
        "fields": {name: values[0] for name, values in several.items() if values},
        "all": several,
        "received_at": received_at_ms,
    }


def read_xml(raw: bytes) -> Any:
    """The root element as an object; entities and document types are refused."""
    if len(raw) > MAX_BODY_BYTES:
        raise LineRefused.of("too_long", f"has more than {MAX_BODY_BYTES} bytes")
    parser = DefusedXMLParser(target=_Builder(), forbid_dtd=True)
    try:
        parser.feed(raw)
        return parser.close()
    except LineRefused:
        raise
    except DefusedXmlException:
        raise LineRefused.of("malformed", "declares entities or a document type") from None
    except (ParseError, ValueError):
        raise LineRefused.of("malformed", "is no XML") from None


class _Builder:
    """Makes objects of elements as they come, so that a bomb ends at the first that is too many."""

    def __init__(self) -> None:
        self._open: list[tuple[dict[str, Any], list[str]]] = [({}, [])]
        self._parts = 0

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        """An element begins; its attributes say nothing here."""
        del tag, attributes
        self._parts += 1
        if len(self._open) > MAX_DEPTH or self._parts > MAX_PARTS:
            reason = f"has more than {MAX_DEPTH} levels or {MAX_PARTS} elements"
            raise LineRefused.of("too_nested", reason)
        self._open.append(({}, []))

    def data(self, text: str) -> None:
        """Text of the element that is open."""
        self._open[-1][1].append(text)

    def end(self, tag: str) -> None:
        """The element is whole."""
        members, texts = self._open.pop()
        value = members or "".join(texts).strip() or None
        parent, name = self._open[-1][0], tag.rpartition("}")[2]
        if name not in parent:
            parent[name] = value
        elif isinstance(parent[name], list):
            parent[name].append(value)
        else:
            parent[name] = [parent[name], value]

    def close(self) -> dict[str, Any]:
        """The root element by its name."""
        return self._open[0][0]


def as_bytes(record: Any) -> bytes:
    """A record as it is kept when it cannot be taken."""
    return record if isinstance(record, bytes) else json.dumps(record, ensure_ascii=False).encode()
