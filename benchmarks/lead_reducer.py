"""What an event costs in the lead reducer, engine included: an agreement of 60 rules, leads with 30 live entries each.

    .venv/bin/python -m benchmarks.lead_reducer [--leads 10000,100000] [--events 20000] [--json]

Times are CPU time of this process over the engine's core in memory: decode, step, encode, changelog, journal, without a broker.
Each figure is the best of several rounds. The population is restored from a changelog, as a worker does; its leads are copies of
some hundred that were grown by events, a third of them warm or hot. A million leads need about five gigabytes.
"""

from __future__ import annotations

import argparse
import gc
import json
import platform
import random
from collections.abc import Iterator
from time import process_time_ns
from typing import Any

from baton.agreement.canonical import compiled_of, model_of
from baton.agreement.reference import AgreementReference, reference_of
from baton.agreement.yaml_text import read_yaml
from baton.contracts.codec import codec_for
from baton.contracts.intake import Engagement, LeadEvent
from baton.engine.core import Core
from baton.engine.reducer import Event
from baton.ids import derived_id
from benchmarks.engine_core import Fetched
from services.scorer.lead import Lead

START_MS = 1_790_000_000_000
DAY_MS = 86_400_000
TEMPLATES = 200
ENTRIES = 30
BATCH = 2_000
ROUNDS = 5
TOPIC = "leads.accepted.v1"


def agreement() -> AgreementReference:
    """Twenty-five fit criteria and thirty-five acts in five groups, with half-lives, windows, caps and daily limits together."""
    plain: Any = read_yaml(open("examples/agreements/software.yaml", encoding="utf-8").read()).data
    plain.pop("examples", None)
    acts = {f"act_{number}": f"Act {number}" for number in range(35)}
    plain["definitions"]["acts"] = acts
    plain["definitions"]["levels"]["matrix"]["C"] = {"1": "warm", "2": "cold", "3": "cold", "4": "cold"}
    plain["fit"] = {
        f"Criterion {number}": {"points": 4, "when": {"field": "profile.employees", "op": "at_least", "value": number * 40}}
        for number in range(25)
    }
    groups = {
        "reading": {"half_life": "14 days", "window": "90 days", "cap": 30, "per_day": 10},
        "events": {"half_life": "30 days", "window": "180 days", "cap": 40},
        "intent": {"half_life": "30 days", "window": "180 days"},
        "mailing": {"half_life": "10 days", "window": "90 days", "cap": 10},
        "lasting": {"window": "90 days"},
    }
    points = (1, 2, 3, 1, -2)
    names = tuple(groups)
    plain["engagement"] = {
        "groups": groups,
        "acts": {
            act: {"points": points[number % 5], "group": names[number % 5], "per_day": 5} for number, act in enumerate(acts)
        },
    }
    plain["lifecycle"] = {"bridge": "warm leads", "poor_fit": ["D"]}
    return reference_of(compiled_of(model_of(plain)))


class Book:
    """A book of one version."""

    topics: tuple[str, ...] = ()

    def __init__(self) -> None:
        self._only = agreement()

    def add(self, event: Event) -> None:
        """Nothing is ever added."""

    def at(self, now: int) -> AgreementReference:
        """Always the same."""
        return self._only


_ENCODE = codec_for(LeadEvent).encode


def record(offset: int, lead: str, at_ms: int, event: LeadEvent) -> Fetched:
    """A record of ``leads.accepted.v1`` with the headers that matter."""
    headers = (("ce_id", derived_id("ce", event.event_id).encode()), ("received_at", str(at_ms).encode()))
    return Fetched(offset, at_ms, lead.encode(), _ENCODE(event), headers)


def engagement(number: int, lead: str, at_ms: int, draw: random.Random) -> LeadEvent:
    """One act, with what the content says of itself."""
    return LeadEvent(
        event_id=derived_id("event", number), lead_id=lead, source="segment", kind="engagement", occurred_at_ms=at_ms,
        received_at_ms=at_ms,
        engagement=Engagement(
            act=f"act_{draw.randrange(35)}", content_id=f"c-{number % 90}", content_title=f"How to choose, part {number % 90}",
            content_stage=("awareness", "consideration", "decision")[number % 3], topics=("pricing", "security")[: number % 3],
            campaign=f"campaign-{number % 7}",
        ),
    )  # fmt: skip


def grown(book: Book) -> list[list[tuple[bytes, bytes]]]:
    """The changelog records of the template leads, after a profile and thirty acts over sixty days."""
    core = Core(Lead(), book, partition=0, partitions=1)
    draw = random.Random(1)
    stream = []
    for template in range(TEMPLATES):
        lead = f"template-{template:06d}"
        employees = str(draw.randrange(1_100))
        told = LeadEvent(
            event_id=derived_id("profile", template), lead_id=lead, source="segment", kind="profile",
            occurred_at_ms=START_MS - 70 * DAY_MS, received_at_ms=START_MS - 70 * DAY_MS,
            profile={"employees": employees, "country": "NO", "role": "Head of IT", "domain": f"firm{template}.example"},
        )  # fmt: skip
        stream.append((START_MS - 70 * DAY_MS, lead, told))
        for turn in range(ENTRIES):
            at_ms = START_MS - 60 * DAY_MS + turn * 2 * DAY_MS + draw.randrange(DAY_MS)
            stream.append((at_ms, lead, engagement(template * 1_000 + turn, lead, at_ms, draw)))
    changelog: dict[bytes, bytes] = {}
    core.begin(0)
    for offset, (at_ms, lead, event) in enumerate(sorted(stream, key=lambda each: each[0])):
        core.take(TOPIC, record(offset, lead, at_ms, event))
    batch = core.seal()
    assert batch is not None
    changelog.update({key: value for key, value in batch.changelog if value is not None})
    core.fold()
    found: dict[str, list[tuple[bytes, bytes]]] = {}
    for key, value in changelog.items():
        at = key.find(b"template-")
        if at >= 0:
            found.setdefault(key[at : at + 15].decode(), []).append((key, value))
    return list(found.values())


def restored(book: Book, templates: list[list[tuple[bytes, bytes]]], leads: int) -> Core:
    """A task with so many leads."""
    core = Core(Lead(), book, partition=0, partitions=1)
    for number in range(leads):
        name = f"lead{number:011d}".encode()
        for key, value in templates[number % len(templates)]:
            at = key.find(b"template-")
            core.restore(key[:at] + name + key[at + 15 :], bytes(memoryview(value)))
    core.restored()
    return core


def rounds(core: Core, leads: int, count: int) -> Iterator[tuple[float, int]]:
    """Microseconds an event and facts an event, round by round; time goes on between the rounds."""
    draw = random.Random(2)
    offset = 1_000_000
    for turn in range(ROUNDS):
        began_ms = START_MS + DAY_MS + turn * 3_600_000
        stream = []
        for number in range(count):
            lead = f"lead{draw.randrange(leads):011d}"
            at_ms = began_ms + number
            stream.append(record(offset + number, lead, at_ms, engagement(offset + number, lead, at_ms, draw)))
        offset += count
        gc.collect()
        facts = 0
        began = process_time_ns()
        for start in range(0, count, BATCH):
            core.begin(0)
            for each in stream[start : start + BATCH]:
                core.take(TOPIC, each)
            batch = core.seal()
            assert batch is not None
            facts += len(batch.outgoing)
            core.fold()
        yield (process_time_ns() - began) / count / 1_000, facts


def measure(book: Book, templates: list[list[tuple[bytes, bytes]]], leads: int, count: int) -> dict[str, float]:
    """The figures for one size of population."""
    before = resident()
    core = restored(book, templates, leads)
    size = (resident() - before) / leads
    gc.freeze()
    found = list(rounds(core, leads, count))
    gc.unfreeze()
    return {
        "leads": leads,
        "event_us": min(cost for cost, _ in found),
        "facts_an_event": sum(facts for _, facts in found) / count / len(found),
        "bytes_a_lead": size,
    }


def resident() -> int:
    """Resident bytes of this process."""
    gc.collect()
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * 4_096


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--leads", default="10000,100000")
    parser.add_argument("--events", type=int, default=20_000)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    book = Book()
    templates = grown(book)
    changelog = sum(len(key) + len(value) for each in templates for key, value in each) / len(templates)
    figures = [measure(book, templates, int(leads), arguments.events) for leads in arguments.leads.split(",")]
    about = {"python": platform.python_version(), "machine": platform.machine(), "changelog_bytes_a_lead": changelog}
    if arguments.json:
        print(json.dumps({**about, "populations": figures}, indent=2))
        return
    print(f"CPython {about['python']} on {about['machine']}; {ENTRIES} live entries a lead, {changelog:.0f} bytes of changelog")
    for each in figures:
        print(
            f"{each['leads']:>9.0f} leads {each['event_us']:7.1f} us an event, {each['facts_an_event']:.2f} facts an event, "
            f"{each['bytes_a_lead']:.0f} bytes a lead"
        )


if __name__ == "__main__":
    main()
