"""What an event costs on its way in: reading a line, `admit`, `identify` and the gateway's bodies,
with the demonstration's company.

    .venv/bin/python -m benchmarks.intake [--identities 10000,100000] [--events 10000] [--json]

Times are CPU time of this process, without brokers; each figure is the best of several rounds.
Lines are those of the demonstration's visitors (of five one is new, some come twice, some cannot be
taken) and the deeds of its people. `identify` counts what identities report to each other as part of the
event that was the reason. Its population is restored from a changelog, as a worker does: copies of
some hundred leads that were grown by events.
"""

from __future__ import annotations

import argparse
import gc
import json
import platform
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from random import Random
from time import process_time_ns
from typing import Any

from baton.contracts.routing import LeadRouted
from baton.contracts.topic_names import INTAKE_KEYED, LEADS_INBOX
from baton.derived_ids import derived_id
from baton.engine.core import Core
from baton.engine.kafka.worker import calm_collector
from baton.engine.reducer import Reducer
from baton.intake.keyed_records import to_intake
from baton.intake.line_reading import LineRefused, read_line
from baton.local.demo.company import visitors
from baton.local.demo.staff import deeds
from benchmarks.engine_core import Book
from benchmarks.sample import Fetched
from services.ingest.admit.reducer import Admit
from services.ingest.gateway.adapters.cloudevents import events_in, lines_in
from services.ingest.gateway.adapters.segment import batch_in
from services.ingest.gateway.json_body import read_body_object
from services.ingest.gateway.parsing import take
from services.ingest.gateway.write_keys import Scope, WriteKey
from services.ingest.identify.reducer import Identify

START_MS = 1_790_000_000_000
DAY_MS = 86_400_000
TEMPLATES = 200
BATCH = 2_000
ROUNDS = 5
SOME_LEADS, NEW_SHARE, HANDED_OVER_SHARE = 2_000, 0.2, 0.1
BODIES = (1, 100, 2_500)
BODY_EVENTS = 2_500
_NUMBERED = re.compile(rb"visitor-(\d{5})|lead(\d{5})@firm\d\d|\"([ep]-)(\d+)")
_HEX = re.compile(rb"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Known:
    """How lead ``number`` of the script is called in identifiers."""

    number: int

    @property
    def names(self) -> dict[bytes, bytes]:
        """What the script says of it, in the order of ``visitor``, ``address``, and the keys of the
        two."""
        visitor, address = (
            f"visitor-{self.number:05d}",
            f"lead{self.number:05d}@firm{self.number % 97:02d}.example",
        )
        keys = (
            derived_id("identity", "anonymous", visitor),
            derived_id("identity", "email", address),
        )
        return {
            b"visitor": visitor.encode(),
            b"address": address.encode(),
            b"first": keys[0].encode(),
            b"second": keys[1].encode(),
        }


def script(leads: int, seed: int) -> list[bytes]:
    """The lines of so many visitors, and of the people who deal with some of them."""
    lines = [
        (visitor.after_ms, visitor.line)
        for visitor in visitors(leads=leads, span_ms=3_600_000, seed=seed, begins_ms=START_MS)
    ]
    random = Random(seed)
    for number in range(int(leads * HANDED_OVER_SHARE)):
        at_ms = random.randrange(3_600_000)
        lines += [
            (at_ms + deed.after_ms, deed.encoded)
            for deed in deeds(handed_over(number, seed, START_MS + at_ms))
        ]
    return [line for _, line in sorted(lines)]


def handed_over(number: int, seed: int, at_ms: int) -> LeadRouted:
    """A lead in somebody's hand; what its story says does not matter here."""
    story: Any = None
    return LeadRouted(
        handoff_id=derived_id("handoff", number, seed),
        qualification_id=derived_id("qualification", number, seed),
        attempt=1,
        lead_id=derived_id("lead", Known(number).names[b"second"].decode()),
        cycle=1,
        leg="sdr",
        pool="emea",
        owner="ben",
        level="warm",
        segment=None,
        hand_raised=False,
        routed_at_ms=at_ms,
        qualified_at_ms=at_ms,
        path=(),
        candidates=(),
        rule="",
        turn_used=True,
        qualified=story,
        agreement="",
    )


Piece = tuple[str, bytes, bytes, Any]
"""Topic, key, value and headers of a record."""


class Way:
    """One reducer's core, fed with records; what `identify` sends itself comes back in the next
    batch."""

    def __init__(self, reducer: Reducer[Any, Any]) -> None:
        self.core = Core(reducer, Book())
        self._offsets: dict[str, int] = {}
        self._now_ms = START_MS + DAY_MS
        self.facts: list[Any] = []
        self.changelog: dict[bytes, bytes] = {}

    def batch(self, records: Sequence[Piece], *, keep: bool = False) -> list[Piece]:
        """Take them all; what comes back to this reducer."""
        self.core.begin(0)
        for topic, key, value, headers in records:
            self._now_ms += 1
            offset = self._offsets[topic] = self._offsets.get(topic, -1) + 1
            assert self.core.process(topic, Fetched(offset, self._now_ms, key, value, headers))
        batch = self.core.seal()
        assert batch is not None
        self.core.commit()
        if keep:
            self.facts += batch.outgoing
            self.changelog.update(
                {key: value for key, value in batch.changelog if value is not None}
            )
        inputs = self.core.reducer.inputs
        return [
            (record.topic, record.key or b"", record.value or b"", record.headers)
            for record in batch.outgoing
            if record.topic in inputs
        ]

    def all(self, records: Sequence[Piece], *, keep: bool = False) -> None:
        """Take them in batches, with all that follows."""
        for start in range(0, len(records), BATCH):
            back = self.batch(records[start : start + BATCH], keep=keep)
            while back:
                back = self.batch(back, keep=keep)


def inbox(lines: Sequence[bytes]) -> list[Piece]:
    """Lines as records of the inbox."""
    return [(LEADS_INBOX, b"", line, ()) for line in lines]


def keyed(lines: Sequence[bytes]) -> list[Piece]:
    """What `admit` makes of lines, as records of ``intake.keyed.v1``."""
    admit = Way(Admit())
    admit.all(inbox(lines), keep=True)
    return [
        (INTAKE_KEYED, fact.key or b"", fact.value or b"", fact.headers)
        for fact in admit.facts
        if fact.topic == INTAKE_KEYED
    ]


def grown() -> list[tuple[Known, list[tuple[bytes, bytes]]]]:
    """The changelog of the template leads, by lead."""
    way = Way(Identify())
    way.all(keyed(script(TEMPLATES, seed=1)), keep=True)
    leads = [Known(number) for number in range(TEMPLATES)]
    owner = {
        key: lead.number for lead in leads for key in (lead.names[b"first"], lead.names[b"second"])
    }
    found: list[list[tuple[bytes, bytes]]] = [[] for _ in leads]
    for key, value in way.changelog.items():
        named = _HEX.search(key)
        if named and named[0] in owner:
            found[owner[named[0]]].append((key, value))
    return list(zip(leads, found, strict=True))


def restored(
    templates: Sequence[tuple[Known, list[tuple[bytes, bytes]]]], identities: int
) -> tuple[Way, int]:
    """`identify` with so many identities, and how many leads these are."""
    way, number = Way(Identify()), 0
    while way.core.keys < identities:
        template, records = templates[number % len(templates)]
        swaps = list(zip(template.names.values(), Known(number).names.values(), strict=True))
        swaps += [(_lead(old), _lead(new)) for (_, _, *keys) in [swaps] for old, new in keys]
        for key, value in records:
            for old, new in swaps:
                key, value = key.replace(old, new), value.replace(old, new)
            way.core.restore(key, value)
        number += 1
    way.core.restored()
    return way, number


def _lead(key: bytes) -> bytes:
    return derived_id("lead", key.decode()).encode()


def returning(lines: Sequence[bytes], leads: int, turn: int) -> list[bytes]:
    """The lines with each visitor put in the place of one of so many known leads (of five one is
    new), and ids not seen before."""
    random = Random(turn)
    places: dict[int, int] = {}

    def place(number: int) -> int:
        if number not in places:
            new = random.random() < NEW_SHARE
            places[number] = 99_999 - turn * SOME_LEADS - number if new else random.randrange(leads)
        return places[number]

    def put(found: re.Match[bytes]) -> bytes:
        visitor, lead, prefix, own = found.groups()
        if prefix:
            return b'"%b%d.%b' % (prefix, turn, own)
        names = Known(place(int(visitor or lead))).names
        return names[b"visitor"] if visitor else names[b"address"].removesuffix(b".example")

    return [_NUMBERED.sub(put, line) for line in lines]


# --- the figures


def best(work: Callable[[Any], object], parts: Iterable[tuple[Any, int]]) -> float:
    """Microseconds of CPU an event, of the best round; a part is what a round works on, and how
    many events that is."""
    found = []
    for part, events in parts:
        gc.collect()
        began = process_time_ns()
        work(part)
        found.append((process_time_ns() - began) / 1_000 / events)
    return min(found)


def streams(events: int, leads: int) -> Iterator[list[bytes]]:
    """Lines for each round."""
    lines = script(SOME_LEADS, seed=2)[:events]
    for turn in range(ROUNDS):
        yield returning(lines, leads, turn)


def strangers(events: int) -> Iterator[list[bytes]]:
    """A list of people nobody has seen, for each round: nothing that was put in order before
    helps."""
    for turn in range(ROUNDS):
        numbers = range(turn * events, (turn + 1) * events)
        yield [
            f'{{"kind":"profile","id":"row-{n}","source":"list","occurred_at":"2026-09-21T14:13:20Z","identifiers":'
            f'{{"email":"p{n}@firm{n % 1_009}.example"}},"profile":{{"country":"Germany","role":"Head of IT"}},'
            f'"person":{{"phone":"+49 30 {10_000_000 + n}","first_name":"Row","last_name":"{n}"}}}}'.encode()
            for n in numbers
        ]


def reading(lines: Sequence[bytes]) -> None:
    """Lines to records, alone."""
    for line in lines:
        try:
            to_intake(read_line(line))
        except LineRefused:
            continue


def reading_us(events: int) -> float:
    """Reading alone."""
    return best(reading, ((lines, len(lines)) for lines in streams(events, 5_000)))


def strangers_us(events: int) -> float:
    """Reading a list of strangers with their phone numbers."""
    return best(reading, ((lines, len(lines)) for lines in strangers(events)))


def admit_us(events: int) -> float:
    """`admit` through the engine's core."""
    return best(Way(Admit()).all, ((inbox(lines), len(lines)) for lines in streams(events, 5_000)))


def identify_us(events: int, identities: int, templates: Any) -> float:
    """`identify` through the engine's core."""
    way, leads = restored(templates, identities)
    gc.freeze()
    found = best(way.all, ((keyed(lines), len(lines)) for lines in streams(events, leads)))
    gc.unfreeze()
    return found


KEY = WriteKey(name="bench", scopes=frozenset(Scope))
TAKES: dict[str, Callable[[bytes], object]] = {
    "list": lambda body: take(events_in(body, {}), KEY),
    "lines": lambda body: take(lines_in(body), KEY),
    "segment": lambda body: take(batch_in(read_body_object(body), START_MS), KEY),
}


def body_of(way: str, count: int) -> bytes:
    """So many events in one body; a body has a limit, so each says little."""
    if way == "segment":
        calls = [
            {
                "type": "track",
                "messageId": f"m{n}",
                "anonymousId": f"v-{n:05d}",
                "event": "Page View",
            }
            for n in range(count)
        ]
        return json.dumps({"batch": calls}).encode()
    lines = [
        f'{{"kind":"engagement","id":"e-{n}","occurred_at":"2026-09-21T14:13:20Z","identifiers":{{"anonymous":"v-{n:05d}"}},'
        f'"engagement":{{"act":"page_view","campaign":"search"}}}}'
        for n in range(count)
    ]
    return ("\n".join(lines) if way == "lines" else f"[{','.join(lines)}]").encode()


def body_us(way: str, count: int, events: int, rounds: int) -> float:
    """Taking what a body has, without the request around it; so many ``events`` a round, or one
    body."""
    repeats = max(1, events // count)
    body, take = body_of(way, count), TAKES[way]
    return best(
        lambda times: [take(body) for _ in range(times)], [(repeats, repeats * count)] * rounds
    )


def measured(options: dict[str, Any]) -> dict[str, Any]:
    """Microseconds an event by what is done with it; so many ``events`` a round, populations of so
    many ``identities``; bodies with so many ``body_events`` a round, ``body_rounds`` times."""
    calm_collector()
    figures = {
        "read": reading_us(options["events"]),
        "read, a list of strangers": strangers_us(options["events"]),
        "admit": admit_us(options["events"]),
    }
    templates = grown()
    for option in options["identities"]:
        figures[f"identify, {option:,} identities"] = identify_us(
            options["events"], option, templates
        )
    return figures | {
        f"body: {way} of {count:,}": body_us(
            way, count, options["body_events"], options["body_rounds"]
        )
        for way in TAKES
        for count in BODIES
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--identities", default="10000,100000")
    parser.add_argument("--events", type=int, default=10_000)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    options = {
        "identities": [int(part) for part in arguments.identities.split(",")],
        "events": arguments.events,
        "body_events": BODY_EVENTS,
        "body_rounds": ROUNDS,
    }
    figures = measured(options)
    about = {"python": platform.python_version(), "machine": platform.machine()}
    if arguments.json:
        print(json.dumps({**about, "us_an_event": figures}, indent=2))
        return
    print(f"CPython {about['python']} on {about['machine']}; microseconds of CPU an event")
    for name, value in figures.items():
        print(f"{name:<32} {value:8.1f}")


if __name__ == "__main__":
    main()
