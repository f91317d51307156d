"""The gateway described as OpenAPI 3.1, from the same models that check what comes in."""

from __future__ import annotations

from functools import cache
from typing import Any

from baton import __version__
from baton.intake.schema import event_line_schema
from services.ingest.gateway.adapters.segment import CALLS
from services.ingest.gateway.request_body import MAX_BODY_BYTES, MAX_EVENTS

_PROBLEM = {
    "type": "object",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"index": {"type": "integer"}, "field": {"type": "string"}, "detail": {"type": "string"}},
            },
        },
    },
}
_TAKEN = {
    "type": "object",
    "required": ["success", "accepted"],
    "properties": {
        "success": {"const": True},
        "accepted": {"type": "integer"},
        "events": {"type": "array", "items": {"type": "string"}, "description": "ids of the events taken, in order"},
        "rejected": {"type": "array", "items": {"type": "object"}, "description": "what is wrong with the others, by index"},
        "rejected_count": {"type": "integer"},
    },
}
_SEGMENT = {"type": "object", "description": "a call as Segment's clients send it"}
_BATCH = {
    "type": "object",
    "required": ["batch"],
    "properties": {"batch": {"type": "array", "maxItems": MAX_EVENTS, "items": {"$ref": "#/components/schemas/Call"}}},
}


@cache
def described() -> dict[str, Any]:
    """The document."""
    line = event_line_schema()
    parts = line.pop("$defs", {})
    line.pop("$schema", None)
    line.pop("$id", None)
    schemas = {**parts, "EventLine": line, "Call": _SEGMENT, "Batch": _BATCH, "Taken": _TAKEN, "Problem": _PROBLEM}
    one = {"$ref": "#/components/schemas/EventLine"}
    several = {"oneOf": [one, {"type": "array", "maxItems": MAX_EVENTS, "items": one}]}
    document: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {
            "title": "Baton gateway",
            "version": __version__,
            "description": f"Events in. A body has at most {MAX_BODY_BYTES} bytes and {MAX_EVENTS} events.",
        },
        "security": [{"writeKey": []}],
        "paths": {
            **{f"/v1/{call}": _post(f"Segment's {call}", _json("Call")) for call in sorted(CALLS)},
            "/v1/batch": _post("Segment's batch", _json("Batch")),
            "/v1/events": _post(
                "Event lines",
                {
                    "application/json": {"schema": several},
                    "application/x-ndjson": {"schema": {"type": "string"}},
                    "application/cloudevents+json": {"schema": {"type": "object"}},
                },
            ),
        },
        "components": {"securitySchemes": {"writeKey": {"type": "http", "scheme": "basic"}}, "schemas": schemas},
    }
    moved: dict[str, Any] = _moved(document)
    return moved


def _json(name: str) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}


def _post(summary: str, content: dict[str, Any]) -> dict[str, Any]:
    problem = {"content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}}
    refusals = {
        "400": "The body cannot be read",
        "401": "No key, or an unknown one",
        "403": "Not with this key",
        "413": "Too much at once",
        "422": "The event is not right",
        "429": "Too many events",
        "503": "Come again",
    }
    return {
        "post": {
            "summary": summary,
            "requestBody": {"required": True, "content": content},
            "responses": {
                "202": {"description": "Acknowledged by the brokers", "content": _json("Taken")},
                **{status: {"description": words, **problem} for status, words in refusals.items()},
            },
        }
    }


def _moved(value: Any) -> Any:
    """References of a JSON Schema, pointing to where OpenAPI keeps schemas."""
    if isinstance(value, dict):
        return {name: _moved(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_moved(each) for each in value]
    return value.replace("#/$defs/", "#/components/schemas/") if isinstance(value, str) else value
