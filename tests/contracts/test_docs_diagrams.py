"""The diagrams and tables of the documents are what the code does: flow, reducers, lifecycle.

Each check is shown to fail on a document that was changed.
"""

from __future__ import annotations

import re
from pathlib import Path
from types import ModuleType

import pytest

from baton.contracts.leads import Actor, Stage, StageEvent
from baton.contracts.topics import REDUCERS, TOPICS, Audience
from baton.flow import all_reducers
from services.scorer.lead.transitions import Refused, moved
from tests.tool_modules import tool_module

ROOT = Path(__file__).resolve().parents[2]
ARCHITECTURE = (ROOT / "docs" / "ARCHITECTURE.md").read_text()
SENDING = (ROOT / "docs" / "SENDING.md").read_text()
LIFECYCLE = (ROOT / "docs" / "LIFECYCLE.md").read_text()

Edge = tuple[str, str, str]
Move = tuple[str, str, str, str]

_EDGE = re.compile(r"^ *([\w& ]+?) +-- +\"([^\"]+)\" +--> +([\w& ]+?) *$", re.MULTILINE)
_ARROW = re.compile(r"^ +(\w+) --> (\w+) :", re.MULTILINE)
_REDUCER = re.compile(r"^\| \[(\w+)\]\(\.\./services/(\w+)/(\w+)/reducer\.py\) \|", re.MULTILINE)
_ROW = re.compile(r"^\| `(\w+)` \| ([\w, ]+) \| ([\w, ]+) \| (\w+) \|$", re.MULTILINE)


def edges_drawn(text: str) -> set[Edge]:
    """``(writer, topic, reader)`` of the flow in ``text``, where topics have no version."""
    return {
        (writer.strip(), f"{topic}.v1", reader.strip())
        for writers, topics, readers in _EDGE.findall(text)
        for writer in writers.split("&")
        for topic in topics.split("<br/>")
        for reader in readers.split("&")
    }


def edges_there() -> set[Edge]:
    """The same by the reducers' own inputs and outputs."""
    reducers = all_reducers()
    found = {
        (writer.name, topic, reader.name)
        for writer in reducers
        for reader in reducers
        for topic in {*writer.outputs} & {*reader.inputs}
    }
    return found | {
        ("gateway", "intake.keyed.v1", "identify"),
        ("client", "leads.inbox.v1", "admit"),
        ("insights", "leads.inbox.v1", "admit"),
        ("delivery", "leads.inbox.v1", "admit"),
    }


def moves_written(text: str) -> set[Move]:
    """``(event, actor, from, to)`` of the table in ``text``."""
    section = text.split("<!-- moves: begin (make readme) -->")[1].split("<!-- moves: end -->")[0]
    return {
        (event, actor, stage, stage if to == "unchanged" else to)
        for event, actors, stages, to in _ROW.findall(section)
        for actor in actors.split(", ")
        for stage in ([stage.value for stage in Stage] if stages == "any" else stages.split(", "))
    }


def moves_there() -> set[Move]:
    """The same by the table of the code."""
    return {
        (event.value, actor.value, stage.value, to.value)
        for event in StageEvent
        for actor in Actor
        for stage in Stage
        if not isinstance(to := moved(stage, event, actor), Refused)
    }


def test_the_flow_that_is_drawn_is_that_of_the_reducers() -> None:
    assert edges_drawn(ARCHITECTURE) == edges_there()


def test_every_reducer_has_its_row() -> None:
    rows = _REDUCER.findall(ARCHITECTURE)
    assert [(name, service) for name, service, _ in rows] == list(REDUCERS.items())
    assert all(name == folder for name, _, folder in rows)


def test_the_readers_in_the_catalogue_are_the_reducers_that_read() -> None:
    flow = [spec for spec in TOPICS.values() if spec.audience is not Audience.ENGINE]
    listed = {(reader, spec.name) for spec in flow for reader in spec.readers}
    assert listed == {
        (reducer.name, topic) for reducer in all_reducers() for topic in reducer.inputs
    }


def test_the_moves_that_are_written_are_those_of_the_code() -> None:
    assert moves_written(LIFECYCLE) == moves_there()


def test_each_arrow_of_the_lifecycle_is_a_move() -> None:
    arrows = set(_ARROW.findall(LIFECYCLE))
    assert arrows
    assert arrows <= {(stage, to) for _, _, stage, to in moves_there()}


@pytest.mark.parametrize(
    "changed",
    ["| `won` | sales |", "| `won` | sales, manager, sdr |", "| `lost` | sales, manager |"],
)
def test_a_move_that_is_written_wrongly_is_found(changed: str) -> None:
    text = LIFECYCLE.replace("| `won` | sales, manager |", changed)
    assert text != LIFECYCLE
    assert moves_written(text) != moves_there()


@pytest.mark.parametrize(
    ("drawn", "changed"),
    [
        ('-- "scorer.releases" -->', '-- "scorer.backlog" -->'),
        ('-- "sla.leads" --> lead & ', '-- "sla.leads" --> '),
    ],
)
def test_an_edge_that_is_missing_or_made_up_is_found(drawn: str, changed: str) -> None:
    assert drawn in ARCHITECTURE
    assert edges_drawn(ARCHITECTURE.replace(drawn, changed)) != edges_there()


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    return tool_module("lifecycle")


@pytest.fixture(scope="module")
def written(tool: ModuleType) -> str:
    return str(tool.with_sections(LIFECYCLE, tool.SECTIONS[tool.LIFECYCLE]))


def test_the_sample_story_is_what_a_run_prints(written: str) -> None:
    assert written == LIFECYCLE


def test_a_story_that_was_changed_by_hand_is_written_anew(tool: ModuleType, written: str) -> None:
    changed = LIFECYCLE.replace("route met", "route missed").replace("| sdr | mql | tal |", "")
    assert changed != LIFECYCLE
    assert tool.with_sections(changed, tool.SECTIONS[tool.LIFECYCLE]) == written


def test_who_may_say_what_is_written_for_senders_as_the_code_has_it(tool: ModuleType) -> None:
    assert tool.with_sections(SENDING, tool.SECTIONS[tool.SENDING]) == SENDING


_REASON = re.compile(
    r'(?:Refused\(|Refusal\(reason=|return |: )"([a-z]+(?:_[a-z]+)*)"(?=[\s,)}]|$)', re.MULTILINE
)
_DECIDE = (
    "services/scorer/lead/transitions.py",
    "services/scorer/lead/handlers/dispositions.py",
    "services/scorer/lead/handlers/acting_role.py",
    "services/scorer/lead/lead_deals.py",
    "services/router/dispatch/command_authorization.py",
)
_NEVER_SENT = {"unknown_command"}
"""The gateway takes no such command."""


def test_every_reason_of_a_refusal_is_explained_to_senders() -> None:
    given = {
        reason for path in _DECIDE for reason in _REASON.findall((ROOT / path).read_text())
    } - _NEVER_SENT
    assert {"held_by_sales", "not_the_manager", "reason_missing", "disqualified"} <= given
    assert [reason for reason in sorted(given) if f"`{reason}`" not in SENDING] == []
