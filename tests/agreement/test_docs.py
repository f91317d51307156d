"""The examples of docs/AGREEMENT.md are right, and it has every key of the language."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from baton.agreement.condition_fields import Kind
from baton.agreement.model import agreement as whole
from baton.agreement.model.base import Section
from baton.agreement.model.condition import OPS_OF
from baton.agreement.model.recycling import Outcome
from baton.agreement.source.read import examine
from baton.agreement.source.yaml import read_yaml
from baton.agreement_report.examples import run_examples

ROOT = Path(__file__).resolve().parents[2]
DOC = (ROOT / "docs" / "AGREEMENT.md").read_text(encoding="utf-8")
BASE = (ROOT / "baton" / "agreement" / "starter.yaml").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```yaml\n(.*?)```", DOC, re.DOTALL)
WRONG = re.findall(r"```yaml wrong\n(.*?)```\n\n```text\n(.*?)```", DOC, re.DOTALL)


def merged(base: Any, more: Any, key: str = "") -> Any:
    """``base`` with what ``more`` says; a week's hours are one thing."""
    if key == "hours" or not isinstance(base, dict) or not isinstance(more, dict):
        return more
    return base | {
        item: merged(base[item], value, item) if item in base else value
        for item, value in more.items()
    }


def in_the_starter(block: str) -> list[str]:
    document = read_yaml(block)
    assert document.problems == ()
    text = json.dumps(merged(read_yaml(BASE).data, document.data), ensure_ascii=False)
    return [error.message for error in examine(text, ROOT / "examples" / "books").errors]


@pytest.mark.parametrize("block", BLOCKS, ids=[block.split(":")[0] for block in BLOCKS])
def test_an_example_of_the_reference_fits_into_an_agreement(block: str) -> None:
    assert in_the_starter(block) == []


def test_the_examples_with_acts_of_staff_and_visitors_come_out_as_written() -> None:
    (block,) = [block for block in BLOCKS if "does:" in block]
    text = json.dumps(merged(read_yaml(BASE).data, read_yaml(block).data), ensure_ascii=False)
    model = examine(text, ROOT / "examples" / "books").model
    assert model is not None
    assert [ran.differences for ran in run_examples(model)] == [(), ()]


@pytest.mark.parametrize(("block", "reported"), WRONG)
def test_what_check_is_said_to_say_it_says(block: str, reported: str) -> None:
    assert sorted(in_the_starter(block)) == sorted(reported.splitlines())


def sections(model: type[Section], seen: set[type[Section]]) -> Iterator[type[Section]]:
    if model in seen:
        return
    seen.add(model)
    yield model
    for field in model.model_fields.values():
        for inner in re.findall(r"baton\.agreement\.model\.[\w.]+", repr(field.annotation)):
            module, _, name = inner.rpartition(".")
            found = getattr(__import__(module, fromlist=[name]), name, None)
            if isinstance(found, type) and issubclass(found, Section):
                yield from sections(found, seen)


MODELS = list(sections(whole.Agreement, set()))


def test_all_sections_were_found() -> None:
    assert len(MODELS) > 35


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_key_is_in_an_example_and_none_is_missing_in_the_text(model: type[Section]) -> None:
    written = "\n".join(BLOCKS)
    keys = [field.alias or name for name, field in model.model_fields.items()]
    if model.__name__ == "When":
        pytest.skip("is written as text: after 90 days")
    missing = [key for key in keys if not re.search(rf"\b{key}\b\"?:", written)]
    assert missing == [] or (model.__name__, missing) == ("OverflowModel", ["overflow"])


def test_every_comparison_outcome_and_field_kind_is_named() -> None:
    for ops in OPS_OF.values():
        for op in ops:
            assert f"`{op.value}`" in DOC
    for word in (*Outcome, *Kind):
        assert re.search(rf"\b{word.value}\b", DOC)
