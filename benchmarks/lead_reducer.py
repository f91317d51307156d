"""What an event costs in the lead reducer, engine included: an agreement of 60 rules, leads with 30
live entries each.

    .venv/bin/python -m benchmarks.lead_reducer [--leads 10000,100000] [--events 20000] [--json]

Times are CPU time of this process over the engine's core in memory: decode, step, encode,
changelog, journal, without a broker. Each figure is the best of several rounds. The population is
restored from a changelog, as a worker does; its leads are copies of some hundred that were grown by
events, a third of them warm or hot. A million leads need about six gigabytes.
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

from baton.engine.core import Core
from baton.engine.kafka.worker import calm_collector
from benchmarks.meter import resident
from benchmarks.sample import DAY_MS, START_MS, TOPIC, Book, engagement, fetched, grown, renamed
from services.scorer.lead.reducer import Lead

ENTRIES = 30
BATCH = 2_000
ROUNDS = 5


def lead_name(number: int) -> str:
    """A lead's name, as long as an id is."""
    return f"lead{number:028d}"


def restored(book: Book, templates: list[list[tuple[bytes, bytes]]], leads: int) -> Core:
    """A task with so many leads."""
    core = Core(Lead(), book)
    for number in range(leads):
        name = lead_name(number).encode()
        for key, value in templates[number % len(templates)]:
            # a copy, as each fetched record brings its own bytes
            core.restore(renamed(key, name), bytes(bytearray(value)))
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
            lead, at_ms = lead_name(draw.randrange(leads)), began_ms + number
            stream.append(
                fetched(offset + number, at_ms, engagement(offset + number, lead, at_ms, draw))
            )
        offset += count
        gc.collect()
        facts = 0
        began = process_time_ns()
        for start in range(0, count, BATCH):
            core.begin(0)
            for event in stream[start : start + BATCH]:
                core.process(TOPIC, event)
            batch = core.seal()
            assert batch is not None
            facts += len(batch.outgoing)
            core.commit()
        yield (process_time_ns() - began) / count / 1_000, facts


def measure(
    book: Book, templates: list[list[tuple[bytes, bytes]]], leads: int, count: int
) -> dict[str, float]:
    """The figures for one size of population."""
    gc.collect()
    before = resident()
    core = restored(book, templates, leads)
    size = (resident() - before) / leads
    calm_collector()
    found = list(rounds(core, leads, count))
    gc.unfreeze()
    return {
        "leads": leads,
        "event_us": min(cost for cost, _ in found),
        "facts_an_event": sum(facts for _, facts in found) / count / len(found),
        "bytes_a_lead": size,
    }


def measured(options: dict[str, Any]) -> dict[str, Any]:
    """The figures for each size of population in ``leads``, by ``events`` events each."""
    book = Book()
    templates = grown(book, ENTRIES)
    changelog = sum(
        len(key) + len(value) for template in templates for key, value in template
    ) / len(templates)
    found = [measure(book, templates, leads, options["events"]) for leads in options["leads"]]
    return {"entries": ENTRIES, "changelog_bytes_a_lead": changelog, "populations": found}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--leads", default="10000,100000")
    parser.add_argument("--events", type=int, default=20_000)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    about = {"python": platform.python_version(), "machine": platform.machine()}
    found = measured(
        {"leads": [int(leads) for leads in arguments.leads.split(",")], "events": arguments.events}
    )
    if arguments.json:
        print(json.dumps(about | found, indent=2))
        return
    print(
        f"CPython {about['python']} on {about['machine']}; {found['entries']} live entries a lead, "
        f"{found['changelog_bytes_a_lead']:.0f} bytes of changelog"
    )
    for row in found["populations"]:
        print(
            f"{row['leads']:>9.0f} leads {row['event_us']:7.1f} us an event, "
            f"{row['facts_an_event']:.2f} facts an event, "
            f"{row['bytes_a_lead']:.0f} bytes a lead"
        )


if __name__ == "__main__":
    main()
