"""The JSON Schema of the language, for editors. It knows shapes, not meaning: ``baton agreement
check`` knows both."""

import json
from typing import Any

from baton.agreement.model.agreement import Agreement
from baton.agreement.quantities import duration_words

SCHEMA_FILE = "agreement.schema.json"


def json_schema() -> dict[str, Any]:
    """JSON Schema 2020-12."""
    schema = _tidy(Agreement.model_json_schema(by_alias=True, mode="validation"))
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Baton: the agreement of marketing and sales",
        **schema,
    }


def schema_text() -> str:
    """The schema as it is published in ``schemas/``."""
    return json.dumps(json_schema(), indent=2) + "\n"


def _tidy(schema: dict[str, Any]) -> dict[str, Any]:
    """Without made-up titles, with texts without markup, and with durations and shares in words
    where they are defaults."""
    tidy: dict[str, Any] = {}
    for key, value in schema.items():
        if key == "title" and isinstance(value, str):
            continue
        if key in ("properties", "$defs"):
            tidy[key] = {name: _tidy(item) for name, item in value.items()}
        elif key == "description":
            tidy[key] = " ".join(value.replace("``", "").split())
        elif key == "default" and schema.get("type") == "string" and isinstance(value, int):
            share = "%" in schema.get("pattern", "")
            tidy[key] = f"{value}%" if share else duration_words(value)
        elif isinstance(value, dict):
            tidy[key] = _tidy(value)
        elif isinstance(value, list):
            tidy[key] = [_tidy(item) if isinstance(item, dict) else item for item in value]
        else:
            tidy[key] = value
    return tidy
