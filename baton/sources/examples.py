"""The examples of a source are its tests: what a body must become, field by field, or the code it
is refused with. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from baton.intake.reading import LineRefused
from baton.sources.mapping import SourceMapping
from baton.sources.model import Example, SourceModel


def failures_of(source: SourceModel) -> list[str]:
    """What the examples expect and does not come; empty where all is well."""
    mapping = SourceMapping(source)
    return [
        f"{example.name}: {failure}"
        for example in source.examples
        for failure in _failures(mapping, example)
    ]


def _failures(mapping: SourceMapping, example: Example) -> Iterator[str]:
    try:
        records = mapping.records_in(example.body)
    except LineRefused as refused:
        yield str(refused)
        return
    events = [record for record in records if not mapping.is_ignored(record)]
    ignored = len(records) - len(events)
    if ignored != example.ignored:
        yield f"{ignored} records are ignored, {example.ignored} expected"
    if len(events) != len(example.expect):
        yield f"{len(events)} events come of it, {len(example.expect)} expected"
    for number, (record, expected) in enumerate(zip(events, example.expect, strict=False), start=1):
        yield from (
            f"event {number}: {failure}" for failure in _differences(mapping, record, expected)
        )


def _differences(mapping: SourceMapping, record: Any, expected: Mapping[str, Any]) -> Iterator[str]:
    try:
        line = mapping.line_of(record)
        mapping.read(record)
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
