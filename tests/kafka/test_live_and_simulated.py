"""The same events, live on Kafka and simulated in memory, give the same facts with the same ids.

Log time differs between the two by the pace of the machine, so dates are left out of the
comparison, and points, which fall with time, are compared to a hundredth. Everything else must be
equal: which facts, in which order for each key, with which ids and contents.
"""

import re
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer

from baton.agreement.canonical import canonical_text, version_of
from baton.agreement.source.read import read_agreement
from baton.clients import confluent_options
from baton.cluster.decoded import as_document
from baton.cluster.log import LogReader, Record
from baton.contracts.topics import TOPICS, Audience, physical
from baton.local.demo.company import visitors
from baton.local.up.system import System
from baton.simulation.input_lines import Arrival
from baton.simulation.memory_records import as_record
from baton.simulation.simulation import Simulation, inbox_key
from tests.kafka.conftest import DEMO_AGREEMENT, LiveSystem

PUBLIC = tuple(
    spec.name
    for spec in TOPICS.values()
    if spec.audience is Audience.PUBLIC and spec.writer not in ("outside", "agreement")
)
POINTS_TOLERANCE_MICRO = 10_000
TIMEOUT_S = 60.0
FRESH_S = 15.0
"""Long enough for a proof of the upstream, and so for what a wrong first period would miss."""
MINUTE_MS = 60_000
SPLIT_TIMES = ("system", "queue", "human", "buyer")
"""Whose time a clock ran, in milliseconds: the live system needs some itself."""

Facts = dict[tuple[str, str], list[dict[str, Any]]]


def _script(begins_ms: int) -> list[bytes]:
    return [
        visitor.line for visitor in visitors(leads=5, span_ms=1_000, seed=11, begins_ms=begins_ms)
    ]


def _agreement(folder: Path) -> Path:
    """That of the demonstration, whose people work at any hour, with clocks that do not run out
    while the test does; nobody settles, since the live system's time goes on between two lines,
    and nobody has goals, which are reported by the day as well as by a line."""
    text = (
        DEMO_AGREEMENT.read_text()
        .replace(" seconds elapsed", " hours elapsed")
        .replace("poor_fit:", "settle: 0 seconds\n  poor_fit:")
    )
    text = re.sub(r"^goals:\n(?:  .*\n)+", "goals: {}\n", text, flags=re.MULTILINE)
    path = folder / "slow.yaml"
    path.write_text(re.sub(r"after (\d+) seconds", r"after \1 days", text))
    return path


def _simulated(agreement: Path, lines: list[bytes], at_ms: int) -> Iterator[list[Record]]:
    """The facts of each line."""
    text = canonical_text(read_agreement(agreement))
    simulation = Simulation(text=text, version=version_of(text), start_ms=at_ms, partitions=2)
    for line in lines:
        yield [as_record(stored) for stored in simulation.run([Arrival(at_ms=at_ms, line=line)])]


def _by_key(records: list[Record]) -> Facts:
    facts: Facts = defaultdict(list)
    for record in records:
        document = as_document(record)
        headers = (
            {
                name: document["headers"][name]
                for name in ("ce_id", "ce_type", "baton_cause", "baton_agreement")
            }
            if (not record.topic.startswith("dlq."))
            else {}
        )
        facts[record.topic, document["key"] or ""].append(
            {"headers": headers, "value": document["value"]}
        )
    return facts


def _by_event(values: list[Any]) -> list[Any]:
    """Lines of an explanation in an order of their own: most points first changes with time."""
    if all(isinstance(value, dict) and value.get("event_id") for value in values):
        return sorted(values, key=lambda value: str(value["event_id"]))
    return values


def _differences(live: Any, simulated: Any, name: str = "") -> Iterator[str]:
    """The places in which the two differ, with both values."""
    if isinstance(live, dict) and isinstance(simulated, dict) and live.keys() == simulated.keys():
        for key in live:
            yield from _differences(live[key], simulated[key], key)
    elif isinstance(live, list) and isinstance(simulated, list) and len(live) == len(simulated):
        for here, there in zip(_by_event(live), _by_event(simulated), strict=True):
            yield from _differences(here, there, name)
    elif name.endswith("_ms") or name in SPLIT_TIMES:
        if (live is None) != (simulated is None):
            yield f"{name}: {live} is not {simulated}"
    elif name.endswith("_micro"):
        if abs(live - simulated) > POINTS_TOLERANCE_MICRO:
            yield f"{name}: {live} is not {simulated}"
    elif live != simulated:
        yield f"{name}: {live!r} is not {simulated!r}"


def _live(system: System, lines: list[bytes], expected: list[int]) -> list[Record]:
    """Send line by line, and the next only when as many facts are there as the simulation has."""
    settings = system.settings
    producer = Producer({**confluent_options(settings), "partitioner": "murmur2_random"})
    found: list[Record] = []
    client = confluent_options(settings)
    with LogReader(client, settings.namespace, follows=True) as reader:
        until = [time.monotonic() + TIMEOUT_S]
        places = {topic: list(range(reader.partitions(topic))) for topic in PUBLIC}
        records = reader.read(places, follow=True, until=lambda: time.monotonic() > until[0])
        for line, facts in zip(lines, expected, strict=True):
            producer.produce(physical(settings.namespace, "leads.inbox.v1"), line, inbox_key(line))
            assert producer.flush(30) == 0
            until[0] = time.monotonic() + TIMEOUT_S
            while len(found) < facts:
                record = next(records, None)
                assert record is not None, (
                    f"{facts - len(found)} facts did not come: {line[:200]!r}"
                )
                found.append(record)
    return found


@pytest.mark.kafka
@pytest.mark.slow
def test_the_same_events_live_and_simulated_give_the_same_facts(
    live_system: LiveSystem, tmp_path: Path
) -> None:
    begins_ms = int(time.time() * 1000)
    agreement = _agreement(tmp_path)
    lines = _script(begins_ms - 60_000)
    simulated: list[Record] = []
    expected: list[int] = []
    for facts in _simulated(agreement, lines, begins_ms):
        simulated += facts
        expected.append(len(simulated))
    topics = {record.topic for record in simulated}
    assert {
        "leads.scored.v1",
        "leads.qualified.v1",
        "leads.stages.v1",
        "leads.merges.v1",
        "leads.sla-clocks.v1",
    } <= topics
    assert {"leads.routed.sdr.v1", "leads.routed.sales.v1"} & topics

    with live_system(agreement) as system:
        live = _live(system, lines, expected)

    here, there = _by_key(live), _by_key(simulated)
    assert here.keys() == there.keys()
    for place in there:
        assert len(here[place]) == len(there[place]), place
        for number, (left, right) in enumerate(zip(here[place], there[place], strict=True)):
            assert list(_differences(left, right)) == [], (place, number)


def test_a_fresh_system_opens_its_goals_in_this_month_and_publishes_no_goal_violation(
    live_system: LiveSystem,
) -> None:
    """A simulation hands every task the time first; a live task starts without one."""
    topics = ("goals.progress.v1", "leads.sla-violations.v1")
    began_ms = int(time.time() * 1000)
    found: list[Record] = []
    with live_system(DEMO_AGREEMENT) as system:
        settings = system.settings
        client = confluent_options(settings)
        with LogReader(client, settings.namespace, follows=True) as reader:
            until_s = time.monotonic() + FRESH_S
            places = {topic: list(range(reader.partitions(topic))) for topic in topics}
            found += reader.read(places, follow=True, until=lambda: time.monotonic() > until_s)
    values = [(record.topic, as_document(record)["value"]) for record in found]
    progress = [value for topic, value in values if topic == "goals.progress.v1"]
    goals = read_agreement(DEMO_AGREEMENT).goals
    assert {value["goal"] for value in progress} == goals.keys()
    assert all(value["at_ms"] > began_ms - MINUTE_MS for value in progress)
    assert [
        value
        for topic, value in values
        if topic == "leads.sla-violations.v1" and value["clock"] == "goal"
    ] == []


def test_a_planted_difference_is_seen() -> None:
    value = {"points_micro": 5, "at_ms": 1, "lines": [{"name": "a"}], "done_ms": None}
    assert list(_differences(value, value | {"at_ms": 99, "points_micro": 900})) == []
    assert list(_differences(value, value | {"points_micro": 50_000})) != []
    assert list(_differences(value, value | {"lines": [{"name": "b"}]})) != []
    assert list(_differences(value, value | {"lines": []})) != []
    assert list(_differences(value, value | {"done_ms": 4})) != []
