"""What an event of the whole chain costs, counted: records, bytes and function calls, in memory.

    .venv/bin/python -m benchmarks.chain_counts [--mix company] [--calls] [--stats FOLDER]

The mix of ``benchmarks.chain`` through every reducer on the log in memory, in bodies that arrive at
a steady rate of log time. Records, bytes and calls are the same in every run of the same code, so
two versions can be compared on a busy machine; ``facts`` is the digest of all that is published,
changelogs and journals apart. The CPU time stands beside them for orientation.
"""

from __future__ import annotations

import argparse
import cProfile
import json
import time
from collections import Counter, defaultdict
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

from baton.agreement.canonical import canonical_text, version_of
from baton.agreement.reference import SIDES, AgreementBook
from baton.agreement.source.read import agreement_of
from baton.contracts.partitioner import partition_of
from baton.contracts.reference_records import AgreementRecord
from baton.contracts.topic_names import BATON_AGREEMENTS, LEADS_INBOX
from baton.engine.memory import MemoryHost
from baton.engine.memory.log import Stored
from baton.engine.memory.task import MemoryTask
from baton.engine.reducer import Reducer
from baton.engine.task_config import TaskConfig
from baton.flow import all_reducers
from baton.simulation.simulation import inbox_key
from benchmarks.chain_mixes import Crowd, agreement

PARTITIONS: Final = 4
BODY: Final = 500
BODY_MS: Final = 500
NOON: Final = datetime(2026, 6, 10, 12, tzinfo=UTC)
OWN: Final = (".changelog.v1", ".journal.v1")
MIXES: Final = {
    "small": Crowd(events=2_000, people=200, companies=50),
    "company": Crowd(events=2_000, people=500, companies=1),
}


class _Measured:
    """By reducer: CPU seconds, and function calls where they are counted."""

    def __init__(self, calls: bool) -> None:
        self.cpu_s: defaultdict[str, float] = defaultdict(float)
        self.profiles: dict[str, cProfile.Profile] = {}
        self.counts_calls = calls

    def profile(self, name: str) -> cProfile.Profile | None:
        return self.profiles.setdefault(name, cProfile.Profile()) if self.counts_calls else None


class _Task(MemoryTask):
    measured: _Measured

    def work(self, limit: int = BODY) -> None:
        """One batch, measured."""
        self._timed(lambda: super(_Task, self).work(limit))

    def advance(self) -> None:
        """Timers and adoption, measured."""
        self._timed(super().advance)

    def fire_held(self, *, proven: bool) -> None:
        """Held timers, measured."""
        self._timed(lambda: super(_Task, self).fire_held(proven=proven))

    def _timed(self, act: Any) -> None:
        name, began = self.reducer.name, time.process_time()
        profile = self.measured.profile(name)
        if profile is not None:
            profile.enable()
        try:
            act()
        finally:
            if profile is not None:
                profile.disable()
        self.measured.cpu_s[name] += time.process_time() - began


class _Host(MemoryHost):
    def __init__(self, measured: _Measured, start_ms: int) -> None:
        self._measured = measured
        config = TaskConfig(partitions=PARTITIONS)
        super().__init__(all_reducers(), AgreementBook(), config, start_ms=start_ms)

    def new_task(
        self, reducer: Reducer[Any, Any], partition: int, config: TaskConfig
    ) -> MemoryTask:
        """A task whose work is measured."""
        task = _Task(reducer, partition, self.log, self.book, config)
        task.measured = self._measured
        return task


def agree(host: MemoryHost) -> None:
    """Publish the agreement, signed by both sides."""
    text = canonical_text(agreement_of(agreement()))
    version = version_of(text)
    records = [
        AgreementRecord(record_id=f"{version}:{side}", kind="approved", version=version, side=side)
        for side in sorted(SIDES)
    ]
    published = AgreementRecord(
        record_id=f"{version}:published",
        kind="published",
        version=version,
        effective_at_ms=host.log.now,
        text=text,
    )
    for record in (*records, published):
        host.send(BATON_AGREEMENTS, record.record_id, record)


def _play(host: MemoryHost, name: str, crowd: Crowd) -> None:
    end = NOON
    for body in crowd.lines(name, BODY, end):
        for line in body.split(b"\n"):
            key = inbox_key(line)
            place = partition_of(key, host.log.partitions_of(LEADS_INBOX))
            host.log.append(LEADS_INBOX, place, key, line)
        host.advance(host.log.now + BODY_MS)
    host.advance(host.log.now + 60_000)


def counted(crowd: Crowd, *, calls: bool = False) -> dict[str, Any]:
    """What one event of the crowd costs, after a tenth of it went before."""
    measured = _Measured(calls)
    host = _Host(measured, round(NOON.timestamp() * 1000))
    agree(host)
    host.settle()
    _play(
        host,
        "warm",
        Crowd(events=crowd.events // 10, people=crowd.people, companies=crowd.companies),
    )
    measured.cpu_s.clear()
    measured.profiles.clear()
    began = len(host.log.history)
    _play(host, "real", crowd)
    return _summary(host.log.history[began:], measured, crowd.events)


def _summary(records: list[Stored], measured: _Measured, events: int) -> dict[str, Any]:
    number, volume = Counter[str](), Counter[str]()
    facts = blake2b(digest_size=16)
    for record in records:
        if record.topic == LEADS_INBOX:
            continue
        number[record.topic] += 1
        if not record.topic.endswith(OWN):
            facts.update(repr(record._replace(offset=0)).encode())
        volume[record.topic] += (
            len(record.key or b"")
            + len(record.value or b"")
            + sum(len(name) + len(value) for name, value in record.headers)
        )
    calls = {
        name: round(sum(entry.callcount for entry in profile.getstats()) / events, 1)
        for name, profile in measured.profiles.items()
    }
    return {
        "facts": facts.hexdigest(),
        "records": round(number.total() / events, 3),
        "bytes": round(volume.total() / events),
        "calls": {**calls, "all": round(sum(calls.values()), 1)} if calls else {},
        "cpu_us": {name: round(s / events * 1e6, 1) for name, s in measured.cpu_s.items()},
        "cpu_us_all": round(sum(measured.cpu_s.values()) / events * 1e6, 1),
        "by_topic": {
            topic: [round(count / events, 4), round(volume[topic] / events)]
            for topic, count in number.most_common()
        },
        "profiles": measured.profiles,
    }


def main() -> None:
    """Count, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mix", choices=sorted(MIXES), default="small")
    parser.add_argument("--calls", action="store_true", help="count function calls (slow)")
    parser.add_argument("--stats", help="folder for the profiles")
    options = parser.parse_args()
    found = counted(MIXES[options.mix], calls=options.calls)
    for name, profile in found.pop("profiles").items():
        if options.stats:
            Path(options.stats).mkdir(exist_ok=True)
            profile.dump_stats(str(Path(options.stats) / f"{name}.prof"))
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
