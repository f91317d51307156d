"""Whole logs of the flow, as a build wrote them: inputs, journals and facts of every task.

``logs/<name>.jsonl.xz`` has a record a line: topic, partition, append time, key, value, headers
(bytes as Latin-1). A later build follows the journals over the same inputs and has to come to the
same facts, compared as it reads them, so that a field that was added with a default changes
nothing. After a change of a decision that is meant: ``python -m tests.histories.recorded_logs``,
and say in the commit what changed.
"""

from __future__ import annotations

import json
import lzma
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from baton.agreement.reference import AgreementBook
from baton.cluster.log import Record
from baton.contracts.codec import codec_for
from baton.contracts.topics import DLQ_PREFIX, TOPICS, changelog_topic, journal_topic, ticks_topic
from baton.engine.batch import UNLIMITED, Outgoing
from baton.engine.core import Core
from baton.engine.rebuild import rebuild
from baton.engine.records import BatchJournal
from baton.engine.reducer import Reducer
from baton.engine.task_config import TaskConfig
from baton.flow import all_reducers
from baton.proof.audit.rebuilding import read_book
from tests.simulation.coverage import WANTED, came_about
from tests.simulation.scheduler import PARTITIONS, agreement, play

FOLDER = Path(__file__).with_name("logs")
_SEEDS, _KEPT = range(30), 8
_FROM_OUTSIDE = "intake.keyed"  # the gateway writes it too
_INFORMATION_ONLY = {"made_at", "__dlq.errors.version"}


def files() -> list[Path]:
    """All recorded logs."""
    return sorted(FOLDER.glob("*.jsonl.xz"))


class RecordedLog:
    """A log that was recorded; a source as the audit reads one, as far as a replay needs it."""

    def __init__(self, file: Path) -> None:
        self._records: dict[tuple[str, int], list[Record]] = defaultdict(list)
        with lzma.open(file, "rt", encoding="utf-8") as lines:
            for line in lines:
                topic, partition, at_ms, key, value, headers = json.loads(line)
                held = self._records[topic, partition]
                named = tuple((name, _bytes(data) or b"") for name, data in headers)
                held.append(
                    Record(topic, partition, len(held), _bytes(key), _bytes(value), named, at_ms)
                )

    def read(self, topic: str, partition: int, start: int | None = None) -> Iterator[Record]:
        """The records of a partition from an offset on."""
        yield from self._records[topic, partition][start or 0 :]

    def facts(self, topic: str, partition: int) -> list[Record]:
        """The records of a partition."""
        return self._records[topic, partition]


def differences(log: RecordedLog) -> list[str]:
    """What this build decides otherwise than the one that wrote the log."""
    book = read_book(log)  # type: ignore[arg-type]  # it only reads
    found: list[str] = []
    recorded: Counter[str] = Counter()
    replayed: Counter[str] = Counter()
    for reducer in all_reducers():
        for partition in range(PARTITIONS):
            for fact in _facts_again(log, reducer, partition, book):
                replayed[_said(fact.topic, fact.partition, fact)] += 1
    outputs = {topic for reducer in all_reducers() for topic in reducer.outputs}
    for topic in outputs | {name for name in TOPICS if name.startswith(DLQ_PREFIX)}:
        for partition in range(TOPICS[topic].partitions or PARTITIONS):
            for record in log.facts(topic, partition):
                recorded[_said(topic, partition, record)] += 1
    gone = recorded - replayed
    found += [
        f"not decided any more: {said}" for said in sorted(gone) if said[:12] != _FROM_OUTSIDE
    ]
    found += [f"decided now: {said}" for said in sorted(replayed - recorded)]
    return found


def _facts_again(
    log: RecordedLog, reducer: Reducer[Any, Any], partition: int, book: AgreementBook
) -> Iterator[Outgoing]:
    config = TaskConfig(partitions=PARTITIONS, limits=UNLIMITED)
    core = Core(reducer, book, config, partition=partition)
    decode = codec_for(BatchJournal).decode
    entries = (
        decode(record.value or b"") for record in log.read(journal_topic(reducer.name), partition)
    )
    for batch in rebuild(core, entries, lambda topic, start: log.read(topic, partition, start)):
        yield from batch.outgoing


def _said(topic: str, partition: int, fact: Record | Outgoing) -> str:
    """A fact as this build reads it."""
    record_type = TOPICS[topic].record
    value: Any = fact.value
    if value is not None and record_type is not None:
        value = codec_for(record_type).decode(value)
    headers = {name: data for name, data in fact.headers if name not in _INFORMATION_ONLY}
    return f"{topic}/{partition} {fact.key!r} {value!r} {headers!r}"


def record(seed: int, file: Path) -> Counter[str]:
    """Play a seed and write its log; what came about in it."""
    log = play(seed, *agreement()).host.log
    left_out = {
        name
        for reducer in all_reducers()
        for name in (changelog_topic(reducer.name), ticks_topic(reducer.name))
    }
    with lzma.open(file, "wt", encoding="utf-8", preset=9) as out:
        for stored in log.history:
            if stored.topic not in left_out:
                headers = [(name, _text(data)) for name, data in stored.headers]
                row = (stored.topic, stored.partition, stored.timestamp)
                out.write(json.dumps([*row, _text(stored.key), _text(stored.value), headers]))
                out.write("\n")
    return came_about(log)


def main() -> None:
    """Record the fewest seeds that meet most of what seeds are held to meeting."""
    for old in files():
        old.unlink()
    FOLDER.mkdir(exist_ok=True)
    met = {seed: came_about(play(seed, *agreement()).host.log).keys() & WANTED for seed in _SEEDS}
    missing: set[str] = set(WANTED)
    for _ in range(_KEPT):
        best = max(met, key=lambda seed: len(met[seed] & missing))
        if not met[best] & missing:
            break
        missing -= met[best]
        record(best, FOLDER / f"seed-{best:04d}.jsonl.xz")
    size = sum(file.stat().st_size for file in files())
    print(f"{len(files())} logs, {size >> 10} KB; not in them: {', '.join(sorted(missing))}")


def _text(data: bytes | None) -> str | None:
    return None if data is None else data.decode("latin-1")


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else text.encode("latin-1")


if __name__ == "__main__":
    main()
