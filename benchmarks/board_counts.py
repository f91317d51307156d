"""What the board's projection costs an event, without brokers: CPU time, function calls, and a
digest of all tables.

    .venv/bin/python -m benchmarks.board_counts [--mix chain] [--at-once 150] [--calls]

The mix of ``benchmarks.chain`` is played through every reducer on the log in memory; what is public
of it is decoded and put into a new store in transactions of so many events each (half a second at
300 a second are 150; 1,000 are what a board that is behind takes). The first third warms and is not
counted. ``tables`` is the digest of every row of every table: two versions must give the same one.
``--kept`` keeps the records in a file, for the next run on the same machine.
"""

from __future__ import annotations

import argparse
import cProfile
import json
import pickle
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import timedelta
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

from baton.agreement.reference import AgreementBook
from baton.contracts.partitioner import partition_of
from baton.contracts.public_record import PublicRecord
from baton.contracts.topic_names import LEADS_ACCEPTED, LEADS_ACTS, LEADS_INBOX
from baton.engine.memory import MemoryHost, Stored
from baton.engine.task_config import TaskConfig
from baton.flow import all_reducers
from baton.simulation.simulation import inbox_key
from benchmarks.chain_counts import NOON, PARTITIONS, agree
from benchmarks.chain_mixes import Crowd
from services.insights.facts.folds import DEAD_LETTERS, FOLDS
from services.insights.facts.tables import TABLES
from services.insights.projection.dialect import reader
from services.insights.projection.kafka import value_in
from services.insights.projection.projection_store import Place, Store

_ZONE: Final = "Europe/Berlin"
_BODY: Final = 15
_BODY_MS: Final = 50
MIXES: Final = {
    "small": Crowd(events=6_000, people=600, companies=150),
    "company": Crowd(events=6_000, people=500, companies=1),
    "chain": Crowd(events=30_000, people=3_000, companies=750),
}


def published(crowd: Crowd) -> list[Stored]:
    """What the board reads of the crowd's events, at 300 a second of log time, in the order of the
    log."""
    host = MemoryHost(
        all_reducers(),
        AgreementBook(),
        TaskConfig(partitions=PARTITIONS),
        start_ms=round(NOON.timestamp() * 1000),
    )
    agree(host)
    host.settle()
    for body in crowd.lines("board", _BODY, NOON + timedelta(seconds=crowd.events / 300)):
        for line in body.split(b"\n"):
            key = inbox_key(line)
            place = partition_of(key, host.log.partitions_of(LEADS_INBOX))
            host.log.append(LEADS_INBOX, place, key, line)
        host.advance(host.log.now + _BODY_MS)
    host.advance(host.log.now + 60_000)
    return [
        record
        for record in host.log.history
        if record.topic in FOLDS and record.topic != DEAD_LETTERS
    ]


def _transactions(facts: Sequence[Stored], events: int) -> Iterator[list[Stored]]:
    """Facts of so many events each."""
    some: list[Stored] = []
    count = 0
    for fact in facts:
        some.append(fact)
        count += fact.topic in (LEADS_ACCEPTED, LEADS_ACTS)
        if count == events:
            yield some
            some, count = [], 0
    if some:
        yield some


def _taken(stored: Stored) -> PublicRecord:
    """As :class:`~baton.cluster.public_log.PublicLog` makes it."""
    place = (stored.topic, stored.partition, stored.offset)
    return PublicRecord(
        topic=stored.topic,
        partition=stored.partition,
        offset=stored.offset,
        id=dict(stored.headers)["ce_id"].decode() if stored.headers else str(place),
        key=(stored.key or b"").decode(),
        value=value_in(stored.topic, stored.value, place),
        at_ms=stored.timestamp,
        raw=stored.value,
    )


class _Meter:
    """CPU, or function calls, of what is measured."""

    def __init__(self, calls: bool) -> None:
        self.decode_s = self.apply_s = 0.0
        self.profile = cProfile.Profile() if calls else None

    def apply(self, store: Store, some: Sequence[Stored], *, counts: bool) -> None:
        """One transaction."""
        profile = self.profile if counts else None
        if profile is not None:
            profile.enable()
        began = time.process_time()
        batch = [_taken(stored) for stored in some]
        decoded = time.process_time()
        store.apply(batch, {(fact.topic, fact.partition): fact.offset + 1 for fact in batch})
        ended = time.process_time()
        if profile is not None:
            profile.disable()
        if counts:
            self.decode_s += decoded - began
            self.apply_s += ended - decoded


def projected(facts: Sequence[Stored], at_once: int, *, calls: bool = False) -> dict[str, Any]:
    """What an event of the facts costs the projection, in transactions of so many events."""
    meter = _Meter(calls)
    transactions = list(_transactions(facts, at_once))
    warm = len(transactions) // 3
    events = sum(
        fact.topic in (LEADS_ACCEPTED, LEADS_ACTS) for some in transactions[warm:] for fact in some
    )
    with tempfile.TemporaryDirectory(prefix="baton-bench-") as folder:
        path = Path(folder) / "board.sqlite"
        store = Store(path, "bench", _ZONE)
        places = {(fact.topic, fact.partition) for fact in facts}
        store.begin([Place(topic=t, partition=n, next_offset=0) for t, n in sorted(places)])
        for number, some in enumerate(transactions):
            meter.apply(store, some, counts=number >= warm)
        store.close()
        tables = _digest(path)
    found = {
        "at_once": at_once,
        "transactions": len(transactions) - warm,
        "facts_an_event": round(len(facts) * (1 - warm / len(transactions)) / events, 2),
        "decode_us": round(meter.decode_s / events * 1e6, 1),
        "apply_us": round(meter.apply_s / events * 1e6, 1),
        "all_us": round((meter.decode_s + meter.apply_s) / events * 1e6, 1),
        "tables": tables,
    }
    if meter.profile is not None:
        called = sum(entry.callcount for entry in meter.profile.getstats())
        found |= {"calls": round(called / events, 1), "profile": meter.profile}
    return found


def _digest(path: Path) -> str:
    found = blake2b(digest_size=16)
    db = reader(path)
    for name in (*sorted(TABLES), "position"):
        found.update(name.encode())
        for row in sorted(map(repr, db.execute(f"SELECT * FROM {name}"))):
            found.update(row.encode())
    db.close()
    return found.hexdigest()


def _facts(options: argparse.Namespace) -> list[Stored]:
    if options.kept is None:
        return published(MIXES[options.mix])
    if not options.kept.exists():
        options.kept.write_bytes(pickle.dumps(published(MIXES[options.mix])))
    found: list[Stored] = pickle.loads(options.kept.read_bytes())
    return found


def main() -> int:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mix", choices=sorted(MIXES), default="small")
    parser.add_argument("--at-once", type=int, action="append", help="events of a transaction")
    parser.add_argument("--calls", action="store_true", help="count function calls (slow)")
    parser.add_argument("--stats", type=Path, help="file for the profile")
    parser.add_argument("--kept", type=Path, help="file for the records")
    options = parser.parse_args()
    facts = _facts(options)
    for at_once in options.at_once or (150, 1_000):
        found = projected(facts, at_once, calls=options.calls)
        profile = found.pop("profile", None)
        if profile is not None and options.stats is not None:
            profile.dump_stats(f"{options.stats}.{at_once}")
        print(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
