"""The examples of a source are its tests: what a body must become, field by field, or the code it
is refused with. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from baton.intake.line_reading import LineRefused
from baton.sources.bodies import form_record, read_body
from baton.sources.mapping import SourceMapping, is_no_event
from baton.sources.source_model import Example, SourceModel

RECEIVED_AT_MS = 1_772_445_600_000
"""When the body of an example comes in: 2026-03-02T10:00:00Z."""


def failures_of(source: SourceModel, people: Mapping[str, str] | None = None) -> list[str]:
    """What the examples expect and does not come; empty where all is well."""
    mapping = SourceMapping(source, people)
    return [
        f"{example.name}: {failure}"
        for example in source.examples
        for failure in _failures(source, mapping, example)
    ]


def _failures(source: SourceModel, mapping: SourceMapping, example: Example) -> Iterator[str]:
    try:
        records = mapping.records_in(_body(source, example))
    except LineRefused as refused:
        yield str(refused)
        return
    events = [record for record in records if not is_no_event(source, mapping, record)]
    ignored = len(records) - len(events)
    if ignored != example.ignored:
        yield f"{ignored} records are ignored, {example.ignored} expected"
    if len(events) != len(example.expect):
        yield f"{len(events)} events come of it, {len(example.expect)} expected"
    for number, (record, expected) in enumerate(zip(events, example.expect, strict=False), start=1):
        yield from (
            f"event {number}: {failure}" for failure in _differences(mapping, record, expected)
        )


def _body(source: SourceModel, example: Example) -> Any:
    """The body as the gateway reads it: a text is read in the format of the source."""
    if isinstance(example.body, str):
        return read_body(example.body.encode(), source.format, RECEIVED_AT_MS)
    if source.format == "form":
        return form_record(example.body, RECEIVED_AT_MS)
    return json.loads(json.dumps(example.body, default=str))  # as JSON has it, not as YAML keeps it


def _differences(mapping: SourceMapping, record: Any, expected: Mapping[str, Any]) -> Iterator[str]:
    try:
        line = mapping.line_of(record, RECEIVED_AT_MS)
        mapping.read(record, RECEIVED_AT_MS)
    except LineRefused as refused:
        if expected.get("refused") != refused.code:
            yield f"refused ({refused.code}): {refused}"
        return
    if "refused" in expected:
        yield f"taken, {expected['refused']} expected"
        return
    for name, wanted in expected.items():
        part, _, field = name.partition(".")
        found = line.get(part, {}).get(field) if field else line.get(part)
        if found != wanted:
            yield f"{name} is {found!r}, {wanted!r} expected"
