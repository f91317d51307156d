"""Ingest on the engine's log in memory: bytes in the inbox, in any order and repeated, with crashes
between, give the same people."""

from __future__ import annotations

import json
import random
from collections import Counter
from dataclasses import dataclass
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from baton.contracts.codec import codec_for
from baton.contracts.intake import IdentityAlias, LeadEvent, LeadMerge
from baton.contracts.partitioner import partition_of
from baton.contracts.topics import TOPICS
from baton.derived_ids import derived_id
from baton.engine.memory import MemoryHost
from baton.engine.reducer import Event
from baton.engine.task_config import TaskConfig
from baton.intake.keyed_records import event_id_of
from services.ingest.admit.reducer import Admit
from services.ingest.identify.reducer import Identify

T0 = 1_772_445_600_000
PARTITIONS = 3
PEOPLE = 3
IDS = (("crm", "crm:r{}"), ("email", "p{}@x.example"), ("user", "u{}"), ("anonymous", "n{}"))


@dataclass(frozen=True)
class Terms:
    """No agreement matters here."""

    version: str = "0" * 32


class TermsBook:
    """Always the same."""

    topics: tuple[str, ...] = ()

    def add(self, event: Event) -> None:
        del event

    def at(self, now: int) -> Terms:
        del now
        return Terms()


class System:
    """The two reducers over the log in memory."""

    def __init__(self) -> None:
        self.host = MemoryHost(
            (Admit(), Identify()),
            TermsBook(),  # type: ignore[arg-type]
            TaskConfig(partitions=PARTITIONS),
            start_ms=T0,
        )

    def inbox(self, value: bytes, key: bytes) -> None:
        self.host.log.append("leads.inbox.v1", partition_of(key, PARTITIONS), key, value)

    def of(self, topic: str) -> list[Any]:
        decode = codec_for(TOPICS[topic].record or LeadEvent).decode
        return [
            decode(record.value)
            for record in self.host.log.history
            if record.topic == topic and record.value
        ]


@st.composite
def _lines(draw: st.DrawFn) -> list[dict[str, Any]]:
    lines = []
    for number in range(draw(st.integers(1, 8))):
        person = draw(st.integers(0, PEOPLE - 1))
        chosen = draw(st.lists(st.sampled_from(IDS), min_size=1, max_size=3, unique=True))
        lines.append(
            {
                "id": str(number),
                "source": "test",
                "kind": "engagement",
                "occurred_at": T0,
                "identifiers": {scheme: pattern.format(person) for scheme, pattern in chosen},
                "engagement": {"act": "form"},
            }
        )
    return lines


def _people(lines: list[dict[str, Any]]) -> list[set[str]]:
    groups: list[tuple[set[str], set[str]]] = []
    for line in lines:
        names, events = set(line["identifiers"].values()), {event_id_of("test", line["id"])}
        touching = [group for group in groups if group[0] & names]
        groups = [group for group in groups if not group[0] & names]
        groups.append(
            (
                names.union(*(group[0] for group in touching)),
                events.union(*(group[1] for group in touching)),
            )
        )
    return sorted((events for _, events in groups), key=sorted)


@settings(max_examples=40, deadline=None)
@given(_lines(), st.randoms(use_true_random=False))
def test_any_order_repetition_and_crash_gives_the_same_people_and_takes_each_event_once(
    lines: list[dict[str, Any]], order: random.Random
) -> None:
    system = System()
    sent = lines + order.choices(lines, k=len(lines))
    order.shuffle(sent)
    for number, line in enumerate(sent):
        system.inbox(json.dumps(line).encode(), str(order.random()).encode())
        if order.random() < 0.5:
            system.host.settle()
        if order.random() < 0.3:
            task = order.choice(list(system.host.tasks.values()))
            task.crash()
            task.start()
        system.host.advance(T0 + number)
    system.host.settle()
    survivors = {record.loser: record.survivor for record in system.of("leads.merges.v1")}
    found: dict[str, set[str]] = {}
    taken: Counter[str] = Counter()
    for event in system.of("leads.accepted.v1"):
        if event.kind == "engagement":
            lead = event.lead_id
            while lead in survivors:
                lead = survivors[lead]
            found.setdefault(lead, set()).add(event.event_id)
            taken[event.event_id] += 1
    assert sorted(found.values(), key=sorted) == _people(lines)
    assert set(taken.values()) == {1}
    assert all(record.kind != "conflict" for record in system.of("intake.aliases.v1"))


def test_every_event_is_accounted_for_accepted_duplicate_dropped_or_dead() -> None:
    system = System()
    mail = {"email": "ann@x.example"}
    base = {
        "kind": "engagement",
        "occurred_at": T0 - 1,
        "identifiers": mail,
        "engagement": {"act": "form"},
    }
    erasure = {"id": "e", "kind": "erasure", "occurred_at": T0, "identifiers": mail}
    for value in (
        base | {"id": "1"},
        base | {"id": "1"},
        erasure,
        base | {"id": "2"},
        {"kind": "x"},
    ):
        system.inbox(json.dumps(value).encode(), b"k")
        system.host.settle()
    counted = Counter(record.kind for record in system.of("intake.aliases.v1"))
    accepted = {record.event_id for record in system.of("leads.accepted.v1")} & {
        event_id_of("inbox", digit) for digit in "12e"
    }
    dead = [record for record in system.host.log.history if record.topic == "dlq.leads.inbox.v1"]
    assert (len(accepted), counted["duplicate"], counted["dropped"], len(dead)) == (2, 1, 1, 1)


def test_a_merge_is_published_under_both_leads_and_the_loser_is_the_unknown_one() -> None:
    system = System()
    for number, identifiers in enumerate(
        ({"anonymous": "n"}, {"email": "ann@x.example", "anonymous": "n"})
    ):
        line = {
            "id": str(number),
            "kind": "engagement",
            "occurred_at": T0,
            "identifiers": identifiers,
            "engagement": {"act": "x"},
        }
        system.inbox(json.dumps(line).encode(), b"k")
        system.host.settle()
    lead = {
        scheme: derived_id("lead", derived_id("identity", scheme, value))
        for scheme, value in (("anonymous", "n"), ("email", "ann@x.example"))
    }
    merges: list[LeadMerge] = system.of("leads.merges.v1")
    keys = {record.key for record in system.host.log.history if record.topic == "leads.merges.v1"}
    assert {(merge.loser, merge.survivor) for merge in merges} == {
        (lead["anonymous"], lead["email"])
    }
    assert keys == {lead_records.encode() for lead_records in lead.values()}
    assert all(
        isinstance(identity_alias, IdentityAlias)
        for identity_alias in system.of("intake.aliases.v1")
    )
