"""The published JSON Schema of the agreement is the one of the models, and editors get from it what
the check says of shapes."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from baton.agreement.language_schema import SCHEMA_FILE, schema_text
from baton.agreement.source.yaml import read_yaml
from baton.contracts.schemas import schema_root

ROOT = Path(__file__).resolve().parents[2]
FILES = [
    *sorted((ROOT / "examples" / "agreements").glob("*.yaml")),
    ROOT / "baton" / "agreement" / "starter.yaml",
]


def published() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((schema_root() / SCHEMA_FILE).read_text(encoding="utf-8"))
    return found


def test_the_published_schema_is_the_one_of_the_models() -> None:
    assert (schema_root() / SCHEMA_FILE).read_text(encoding="utf-8") == schema_text(), (
        "write it anew: baton agreement schema --out schemas/agreement.schema.json"
    )


def test_it_is_a_schema() -> None:
    Draft202012Validator.check_schema(published())


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_agreement_that_ships_is_valid_by_it(file: Path) -> None:
    data = read_yaml(file.read_text(encoding="utf-8")).data
    assert [error.message for error in Draft202012Validator(published()).iter_errors(data)] == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("calender",), "x"),
        (("agreement",), 2),
        (("definitions", "levels", "matrix", "A", "1"), "boiling"),
        (("engagement", "acts", "page_view", "points"), "many"),
        (("engagement", "acts", "page_view", "fast_track"), "yes"),
        (("pools", "sdr", "kind"), "bridge"),
        (("pools", "sdr", "nobody"), "wait"),
        (("slas", "promises", 0, "clock"), "sundial"),
        (("fit", "Student", "when"), {"field": "profile.role", "operator": "is"}),
        (("recycling", "reasons", "student", "outcome"), "forget"),
    ],
)
def test_a_planted_mistake_of_shape_is_seen(path: tuple[str | int, ...], value: Any) -> None:
    data = read_yaml(
        (ROOT / "examples" / "agreements" / "demo.yaml").read_text(encoding="utf-8")
    ).data
    holder = data
    for step in path[:-1]:
        holder = holder[step]
    holder[path[-1]] = value
    assert list(Draft202012Validator(published()).iter_errors(data))
