"""CloudEvents 1.0 around an event line: structured (one JSON object with ``data``) or binary
(attributes in headers). Pure.

An attribute fills what the line leaves out: ``id``, ``source``, ``time`` as ``occurred_at``. What
the line says itself holds. Extensions and attributes without a meaning here (``subject``,
``dataschema``) are left alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from baton.intake.line_reading import LineRefused

_FILLS = {"id": "id", "source": "source", "time": "occurred_at"}
_MAX_ATTRIBUTE_BYTES = 1_024


def attributes_of(headers: Iterable[tuple[str, bytes]], prefix: str = "ce_") -> dict[str, Any]:
    """The attributes in headers (Kafka: ``ce_``, HTTP: ``ce-``) that matter here; those that are
    not text are left out."""
    found: dict[str, Any] = {}
    for name, value in headers:
        attribute = name.lower().removeprefix(prefix)
        if (
            name.lower().startswith(prefix)
            and attribute in _FILLS
            and value
            and len(value) <= _MAX_ATTRIBUTE_BYTES
        ):
            try:
                found[attribute] = value.decode()
            except UnicodeDecodeError:
                raise LineRefused.of(
                    "malformed", "is not UTF-8", field=prefix + attribute
                ) from None
    return found


def unwrapped(event: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Data and attributes of a structured event; raises :class:`LineRefused`."""
    if event.get("specversion") != "1.0":
        raise LineRefused.of("wrong_version", 'must be "1.0"', field="specversion")
    data = event.get("data")
    if not isinstance(data, dict):
        raise LineRefused.of("invalid", "must be a JSON object, the event", field="data")
    for name in ("id", "source"):
        if not isinstance(event.get(name), str):
            raise LineRefused.of("invalid", "is missing, or no text", field=name)
    return data, {name: event[name] for name in _FILLS if event.get(name) is not None}


def line_of(data: Mapping[str, Any], attributes: Mapping[str, Any]) -> dict[str, Any]:
    """The event line: ``data``, with what it lacks from the attributes."""
    if not attributes:
        return dict(data)
    filled = {_FILLS[name]: value for name, value in attributes.items()}
    return {
        **filled,
        **{name: value for name, value in data.items() if value is not None or name not in filled},
    }
