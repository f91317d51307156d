"""The gateway described as OpenAPI 3.1, from the same models that check what comes in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from baton import __version__
from baton.intake.schema import event_line_schema
from services.ingest.gateway.adapters.protocol import Adapter, Endpoint
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
                "properties": {
                    "index": {"type": "integer"},
                    "field": {"type": "string"},
                    "detail": {"type": "string"},
                },
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
        "events": {
            "type": "array",
            "items": {"type": "string"},
            "description": "ids of the events taken, in order",
        },
        "rejected": {
            "type": "array",
            "items": {"type": "object"},
            "description": "what is wrong with the others, by index",
        },
        "rejected_count": {"type": "integer"},
    },
}
_SEGMENT = {"type": "object", "description": "a call as Segment's clients send it"}
_BATCH = {
    "type": "object",
    "required": ["batch"],
    "properties": {
        "batch": {
            "type": "array",
            "maxItems": MAX_EVENTS,
            "items": {"$ref": "#/components/schemas/Call"},
        }
    },
}


def describe(adapters: Sequence[Adapter]) -> dict[str, Any]:
    """The document for these sources."""
    line = event_line_schema()
    parts = line.pop("$defs", {})
    line.pop("$schema", None)
    line.pop("$id", None)
    schemas = {
        **parts,
        "EventLine": line,
        "Call": _SEGMENT,
        "Batch": _BATCH,
        "Taken": _TAKEN,
        "Problem": _PROBLEM,
    }
    endpoints = sorted(
        (endpoint for adapter in adapters for endpoint in adapter.endpoints),
        key=lambda endpoint: endpoint.path,
    )
    document: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {
            "title": "Baton gateway",
            "version": __version__,
            "description": f"Events in. A body has at most {MAX_BODY_BYTES} bytes and {MAX_EVENTS} events.",
        },
        "security": [{"writeKey": []}],
        "paths": {
            endpoint.path: {endpoint.method.lower(): _operation(endpoint)} for endpoint in endpoints
        },
        "components": {
            "securitySchemes": {"writeKey": {"type": "http", "scheme": "basic"}},
            "schemas": schemas,
        },
    }
    moved: dict[str, Any] = _moved(document)
    return moved


_REFUSALS = {
    "400": "The body cannot be read",
    "401": "No key, or an unknown one",
    "403": "Not with this key",
    "413": "Too much at once",
    "422": "The event is not right",
    "429": "Too many events",
    "503": "Retry later",
}


def _operation(endpoint: Endpoint) -> dict[str, Any]:
    problem = {
        "content": {
            "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
        }
    }
    taken = {"application/json": {"schema": {"$ref": "#/components/schemas/Taken"}}}
    operation: dict[str, Any] = {
        "summary": endpoint.summary,
        "responses": {
            "202": {"description": "Acknowledged by the brokers", "content": taken},
            **{status: {"description": words, **problem} for status, words in _REFUSALS.items()},
        },
    }
    if endpoint.content:
        content = {kind: {"schema": schema} for kind, schema in endpoint.content.items()}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _moved(value: Any) -> Any:
    """References of a JSON Schema, pointing to where OpenAPI keeps schemas."""
    if isinstance(value, dict):
        return {name: _moved(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_moved(member) for member in value]
    return value.replace("#/$defs/", "#/components/schemas/") if isinstance(value, str) else value
