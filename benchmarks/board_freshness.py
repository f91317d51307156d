"""How fresh the board is: from a fact's commit to its being visible to the pages, at a steady rate
of events, with every fact that Baton publishes about them.

    python -m benchmarks.board_freshness --rate 300 --seconds 60

The facts are those of the demonstration's year, as they were published, in their order: of one
event there are several. The projector is a process of its own. A fact counts as committed when the
brokers have acknowledged it, and as visible when a reader's connection sees the offset after it,
which is written in the transaction that writes its rows. Looked at a hundred times a second.
"""

import argparse
import json
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from subprocess import DEVNULL, Popen
from typing import Any, Final

import apsw
from confluent_kafka import Producer
from rich.console import Console

from baton.cluster.topic_layout import Layout, ensure_topics
from baton.contracts.topic_names import LEADS_ACCEPTED, LEADS_ACTS
from baton.contracts.topics import TOPICS, Audience, physical
from baton.engine.memory import Stored
from baton.local.demo.past import simulate_past
from baton.local.up.preparing import example_agreement
from benchmarks.board_pages import UNTIL_MS
from benchmarks.cluster import clear, kafka
from benchmarks.filling import produce
from benchmarks.pacing import percentiles
from services.insights.facts.folds import DEAD_LETTERS, FOLDS
from services.insights.projection.board_stores import BoardFiles
from services.insights.projection.dialect import reader
from services.insights.projection.kafka import READ_TOPICS

_PARTITIONS: Final = 4
_LOOK_S: Final = 0.01
_PATIENCE_S: Final = 120.0
_PROJECT: Final = """
import sys
from pathlib import Path
from services.insights.projection.board_stores import BoardFiles
from services.insights.projection.projector import Projector
Projector({"bootstrap.servers": sys.argv[1]}, sys.argv[2], BoardFiles(Path(sys.argv[3]))).run()
"""
Place = tuple[str, int, int]


def main() -> int:
    """Print what was measured, as JSON; 1 where a fact did not become visible."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=float, default=300.0, help="events a second")
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--leads", type=int, default=400, help="leads that are simulated")
    asked = parser.parse_args()
    agreement = example_agreement().with_name("demo.yaml").read_text()
    past = simulate_past(agreement, until_ms=UNTIL_MS, leads=asked.leads, seed=1)
    facts = [
        record for record in past.history if record.topic in FOLDS and record.topic != DEAD_LETTERS
    ]
    namespace = f"fresh-{uuid.uuid4().hex[:8]}"
    with kafka(Console(stderr=True)) as (bootstrap, _), tempfile.TemporaryDirectory() as folder:
        specs = [spec for spec in TOPICS.values() if spec.audience is Audience.PUBLIC]
        layout = Layout(namespace=namespace, partitions=_PARTITIONS)
        ensure_topics({"bootstrap.servers": bootstrap}, layout, specs)
        words = [sys.executable, "-c", _PROJECT, bootstrap, namespace, folder]
        try:
            with Popen(words, stdout=DEVNULL) as projector:
                try:
                    found = _measured(bootstrap, namespace, BoardFiles(Path(folder)), facts, asked)
                finally:
                    projector.terminate()
        finally:
            clear(bootstrap, namespace)
    print(json.dumps(found, indent=2))
    return 0 if found["visible"] == found["facts"] else 1


def _measured(
    bootstrap: str, namespace: str, files: BoardFiles, facts: list[Stored], asked: Any
) -> dict[str, Any]:
    watch = _Watch(_opened(files))
    committed: dict[Place, float] = {}
    began = time.monotonic()
    events = 0
    producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 5, "log_level": 0})

    def acknowledged(error: Any, message: Any) -> None:
        if error is None:
            place = (message.topic(), message.partition(), message.offset())
            committed[place] = time.monotonic()

    looking = threading.Thread(target=watch.run, daemon=True)
    looking.start()
    for fact in _paced(facts, asked.rate, asked.seconds):
        events += fact.topic in (LEADS_ACCEPTED, LEADS_ACTS)
        produce(
            producer,
            physical(namespace, fact.topic),
            key=fact.key,
            value=fact.value,
            partition=fact.partition % watch.partitions[fact.topic],
            headers=list(fact.headers),
            on_delivery=acknowledged,
        )
        producer.poll(0)
    producer.flush(60.0)
    took_s = time.monotonic() - began
    logical = {physical(namespace, topic): topic for topic in READ_TOPICS}
    delays = watch.delays({(logical[t], n, offset): at for (t, n, offset), at in committed.items()})
    watch.end()
    return {
        "events_a_second": round(events / took_s, 1),
        "facts_a_second": round(len(committed) / took_s, 1),
        "facts": len(committed),
        "visible": len(delays),
        **percentiles(delays),
    }


def _paced(facts: list[Stored], rate: float, seconds: float) -> Iterator[Stored]:
    """So many events a second, each followed by the facts that came of it."""
    began = time.monotonic()
    events = 0
    for fact in facts:
        if fact.topic in (LEADS_ACCEPTED, LEADS_ACTS):
            events += 1
            if (wait_s := began + events / rate - time.monotonic()) > 0:
                time.sleep(wait_s)
        if time.monotonic() - began > seconds:
            return
        yield fact


def _opened(files: BoardFiles) -> Any:
    """A reader of the store, once there is one."""
    until = time.monotonic() + _PATIENCE_S
    while time.monotonic() < until:
        place = files.current()
        if place is not None:
            return reader(place)
        time.sleep(0.1)
    raise RuntimeError("the board was not built in time")


class _Watch:
    """Notes when offsets become visible to a reader."""

    def __init__(self, db: Any) -> None:
        self._db = db
        self._ended = threading.Event()
        self._seen: dict[tuple[str, int], list[tuple[int, float]]] = {}
        self.partitions: dict[str, int] = dict(
            db.execute("SELECT topic, count(*) FROM position GROUP BY 1")
        )

    def run(self) -> None:
        """Until the end."""
        while not self._ended.is_set():
            try:
                rows = self._db.execute("SELECT topic, partition, next_offset FROM position")
                found = rows.fetchall()
            except apsw.BusyError:
                continue
            now = time.monotonic()
            for topic, partition, following in found:
                steps = self._seen.setdefault((topic, partition), [])
                if not steps or steps[-1][0] < following:
                    steps.append((following, now))
            time.sleep(_LOOK_S)

    def delays(self, committed: Mapping[Place, float]) -> list[float]:
        """From commit to visibility, once everything is visible or patience has run out."""
        until = time.monotonic() + _PATIENCE_S
        while time.monotonic() < until and not all(
            self._at(place) is not None for place in committed
        ):
            time.sleep(0.5)
        times = [(at, self._at(place)) for place, at in committed.items()]
        return [max(0.0, seen - at) for at, seen in times if seen is not None]

    def _at(self, place: Place) -> float | None:
        topic, partition, offset = place
        steps = list(self._seen.get((topic, partition), ()))
        return next((at for following, at in steps if following > offset), None)

    def end(self) -> None:
        """Stop looking."""
        self._ended.set()


if __name__ == "__main__":
    sys.exit(main())
