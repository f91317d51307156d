"""The JSON Schema of the event line, for senders in other languages: ``python -m
baton.intake.schema > schemas/event-line.schema.json``."""

from __future__ import annotations

import json
import sys
from typing import Any

from baton.contracts.intake import EventKind
from baton.intake.lines import CARRIES_PERSON, PART_OF_KIND, EventLine

FILE = "event-line.schema.json"
_ID = "https://baton.example/schemas/" + FILE


def event_line_schema() -> dict[str, Any]:
    """Draft 2020-12, made from the models that check what comes in, with which part belongs to
    which kind."""
    schema = EventLine.model_json_schema()
    schema["allOf"] = [_rule(kind) for kind in EventKind]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": _ID, **schema}


def _rule(kind: EventKind) -> dict[str, Any]:
    needed = PART_OF_KIND.get(kind)
    others = sorted(set(PART_OF_KIND.values()) - {needed})
    if kind not in CARRIES_PERSON:
        others += ["person", "profile"]
    then: dict[str, Any] = {"properties": {name: {"type": "null"} for name in others}}
    if "profile" in others:
        then["properties"]["profile"] = {"maxProperties": 0}
    if needed:
        then["required"] = [needed]
    return {"if": {"properties": {"kind": {"const": kind.value}}}, "then": then}


def written() -> str:
    """The file's content."""
    return json.dumps(event_line_schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(written())
