"""The AsyncAPI document: made from the catalogue, checked in as made, and valid by the official
parser, which finds a planted error."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from baton import __version__
from baton.contracts.schemas import schema_root, shelf
from baton.contracts.topics import TOPICS, Audience
from baton.registry.asyncapi import asyncapi
from tests.npm_packages import installed
from tests.tool_modules import tool_module

ROOT = Path(__file__).resolve().parents[2]

HERE = Path(__file__).parent / "asyncapi"


def document(*, inline: bool) -> dict[str, Any]:
    return asyncapi(shelf(), namespace="baton", version=__version__, inline=inline)


def schemas_tool() -> ModuleType:
    """``tools/schemas.py``."""
    return tool_module("schemas")


def test_the_document_that_is_checked_in_is_the_catalogues() -> None:
    text = (schema_root() / "asyncapi.json").read_text(encoding="utf-8")
    assert text == schemas_tool().asyncapi_text(), "write it anew with: make schemas"


def test_the_page_beside_the_schemas_is_the_one_that_make_schemas_writes() -> None:
    text = (schema_root() / "README.md").read_text(encoding="utf-8")
    assert text == schemas_tool().README_TEXT, "write it anew with: make schemas"


def test_every_public_topic_is_a_channel_with_its_schema_and_settings() -> None:
    found = document(inline=True)
    public = [spec for spec in TOPICS.values() if spec.audience is Audience.PUBLIC]
    assert {channel["title"] for channel in found["channels"].values()} == {
        spec.name for spec in public
    }
    channel = found["channels"]["leads_persons_v1"]
    assert channel["bindings"]["kafka"]["topicConfiguration"] == {"cleanup.policy": ["compact"]}
    payload = found["components"]["messages"]["LeadPerson"]["payload"]
    assert payload["schema"] == shelf().newest("LeadPerson").schema
    actions = {name: one["action"] for name, one in found["operations"].items()}
    assert actions["receive_leads_inbox_v1"] == "receive"
    assert sorted(set(actions.values())) == ["receive", "send"]


def test_references_are_to_files_that_are_there() -> None:
    messages = document(inline=False)["components"]["messages"].values()
    refs = [m["payload"]["schema"]["$ref"] for m in messages if "schema" in m.get("payload", {})]
    assert len(refs) > 20
    assert [ref for ref in refs if not (schema_root() / ref).is_file()] == []


@pytest.fixture(scope="module")
def modules(broker_cache: Path) -> Path:
    """The official parser, installed once for all runs of this user."""
    return installed(
        HERE / "package.json",
        broker_cache / "asyncapi-parser",
        "the AsyncAPI document is not validated",
    )


def validated(modules: Path, file: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["node", str(HERE / "validate.mjs"), str(modules), str(file)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.timeout(420)
def test_the_official_parser_takes_both_forms_and_finds_a_planted_error(
    modules: Path, tmp_path: Path
) -> None:
    checked_in = validated(modules, schema_root() / "asyncapi.json")
    public = sum(spec.audience is Audience.PUBLIC for spec in TOPICS.values())
    said = f"{public} channels, {public} operations\n"
    assert (checked_in.returncode, checked_in.stdout) == (0, said), checked_in.stderr
    whole = document(inline=True)
    (tmp_path / "whole.json").write_text(json.dumps(whole))
    printed = validated(modules, tmp_path / "whole.json")
    assert (printed.returncode, printed.stdout) == (0, said), printed.stderr
    whole["components"]["messages"]["LeadAct"]["payload"]["schema"]["type"] = "recort"
    (tmp_path / "broken.json").write_text(json.dumps(whole))
    broken = validated(modules, tmp_path / "broken.json")
    assert broken.returncode == 1
    assert "components/messages/LeadAct/payload" in broken.stdout
