"""State on disk beside a real log: a process that is killed at any moment, partitions that go away
and come back, and a directory that is behind, ahead or of something else."""

from __future__ import annotations

import asyncio
import shutil
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from baton.contracts.topics import changelog_topic
from baton.engine.disk.disk_store import DiskStore
from baton.engine.kafka.failpoints import Point
from tests.engine.toys import Counter, ToyNumber
from tests.kafka.kafka_bench import KafkaBench
from tests.kafka.numbers import Stream, assert_exact
from tests.kafka.nursery import Nursery
from tests.kafka.test_engine_processes import prepared, processed
from tests.kafka.test_engine_promises import take_seat, the_supervisor
from tests.kafka.workers import WorkerProcess, killed_at

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

KILLED_AT = {
    Point.PRODUCED: 3,
    Point.COMMITTED: 3,
    Point.FOLDED: 3,
    Point.RESTORING: 1,
    Point.RESTORED: 1,
    Point.CHECKED: 1,
}
"""``COMMITTED``: the log has the batch and the disk has not. ``FOLDED``: both have it."""
Workers = Callable[..., WorkerProcess]


@pytest.fixture
async def bench(bootstrap: str, namespace: str, tmp_path: Path) -> AsyncIterator[KafkaBench]:
    host = KafkaBench(bootstrap, namespace, state_dir=tmp_path / "bench")
    yield host
    await host.close()


@pytest.fixture
def workers(nursery: Nursery, bootstrap: str, namespace: str, tmp_path: Path) -> Iterator[Workers]:
    made: list[WorkerProcess] = []

    def make(folder: str, **settings: object) -> WorkerProcess:
        log = tmp_path / f"{len(made)}.log"
        settings |= {"partitions": 2, "state_dir": tmp_path / folder}
        made.append(WorkerProcess(nursery, bootstrap, namespace, log, "counter", **settings))
        return made[-1]

    yield make
    for worker in made:
        worker.kill()


async def appended(bench: KafkaBench) -> int:
    """The end of both changelogs."""
    places = [(changelog_topic("counter"), number) for number in range(bench.partitions)]
    return sum((await bench.cluster.ends(places)).values())


async def restored(worker: WorkerProcess) -> int:
    """How many changelog records its tasks read when they started, all of them with state on
    disk."""
    await worker.ready()
    tasks = (await asyncio.to_thread(worker.tasks)).values()
    assert [task["on_disk"] for task in tasks] == [True] * 2
    names = [f'baton_restore_records{{partition="{n}",reducer="counter"}}' for n in range(2)]
    return int(sum([await asyncio.to_thread(worker.metric, name) for name in names]))


async def test_a_process_with_state_on_disk_killed_at_any_moment_neither_loses_nor_doubles(
    bench: KafkaBench, workers: Workers
) -> None:
    await prepared(bench, Counter())
    worker = workers("one", instance_id="toy")
    stream = Stream(bench)
    await killed_at(worker, KILLED_AT)
    worker.start()
    sent = await stream.end()
    await processed(bench)
    worker.kill()
    await worker.ended()
    worker.start()
    # the last batch of a partition is read again to compare it, and no more
    assert 0 < await restored(worker) <= 2 * (7 + 1) < await appended(bench)
    await assert_exact(bench, sent)


async def test_a_partition_that_goes_to_another_worker_and_back_reads_what_is_new(
    bench: KafkaBench, workers: Workers
) -> None:
    await prepared(bench, Counter())
    here, there = workers("here"), workers("there")
    stream = Stream(bench)
    for worker in (here, there):
        worker.start()
        await worker.ready()
        before = stream.sent
        await bench._until(lambda before=before: _is_past(stream, before + 100))
        worker.signal(signal.SIGTERM)
        assert await worker.ended() == 0
    here.start()
    read = await restored(here)
    assert 0 < read < await appended(bench)
    sent = await stream.end()
    await processed(bench)
    await assert_exact(bench, sent)


async def _is_past(stream: Stream, count: int) -> bool:
    return stream.sent > count


async def test_a_second_process_waits_for_a_directory_that_a_hung_one_has_open(
    bench: KafkaBench, workers: Workers
) -> None:
    await prepared(bench, Counter())
    hung, other = workers("shared"), workers("shared")
    stream = Stream(bench)
    hung.start()
    await hung.ready()
    hung.signal(signal.SIGSTOP)
    other.start()

    async def waits() -> bool:
        tasks = (await asyncio.to_thread(other.tasks)).values()
        return len(tasks) == 2 and all("another process has" in task["reason"] for task in tasks)

    await bench._until(waits)
    hung.kill()
    await other.ready()
    sent = await stream.end()
    await processed(bench)
    await assert_exact(bench, sent)


async def one_number(bench: KafkaBench, key: str = "k") -> None:
    await bench.send("toy.numbers.v1", key, ToyNumber(amount=1))
    await bench.settle()


async def test_a_directory_that_is_ahead_of_the_log_is_restored_from_it(
    bench: KafkaBench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The brokers acknowledged a batch and have lost it; the disk has it."""
    await bench.start(Counter(), partitions=1)
    await bench.publish("v1")
    await one_number(bench)
    (group,) = bench.hosts["counter"].groups
    memory = the_supervisor(bench, "counter").memory
    assert memory is not None
    batch = memory.core.number
    with monkeypatch.context() as patched:
        patched.setattr(AIOKafkaProducer, "commit_transaction", AIOKafkaProducer.abort_transaction)
        await bench.send("toy.numbers.v1", "lost", ToyNumber(amount=1))
        async with asyncio.timeout(60):
            while memory.core.number == batch:  # noqa: ASYNC110 - it happens in another task
                await asyncio.sleep(0.01)
        await group.on_partitions_revoked(set())
    await take_seat(bench)
    await one_number(bench, "lost")
    assert await bench.failures() == {}
    assert "it is ahead of its changelog" in caplog.text
    totals = [(record.key, record.value.count) for record in await bench.read("toy.totals.v1")]
    assert totals == [("k", 1), ("lost", 1), ("lost", 2)]


async def test_a_directory_of_an_earlier_day_catches_up(bench: KafkaBench, tmp_path: Path) -> None:
    """A copy that is put back later is behind the log, and never beside it."""
    await bench.start(Counter(), partitions=1)
    await bench.publish("v1")
    await one_number(bench)
    (group,) = bench.hosts["counter"].groups
    await group.on_partitions_revoked(set())
    (folder,) = (tmp_path / "bench").iterdir()
    shutil.copytree(folder, tmp_path / "copy")
    await take_seat(bench)
    for _ in range(3):
        await one_number(bench)
    await group.on_partitions_revoked(set())
    shutil.rmtree(folder)
    shutil.copytree(tmp_path / "copy", folder)
    await take_seat(bench)
    await one_number(bench)
    totals = [record.value.count for record in await bench.read("toy.totals.v1")]
    assert totals == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("act", ["get", "write"])
async def test_a_disk_that_fails_is_no_fault_of_the_reducer(
    bench: KafkaBench, monkeypatch: pytest.MonkeyPatch, act: str
) -> None:
    """A block that cannot be read; a disk that is full when the batch is committed already."""
    await bench.start(Counter(), partitions=1)
    await bench.publish("v1")
    await one_number(bench)
    memory = the_supervisor(bench, "counter").memory
    assert memory is not None
    store = memory.core.store
    assert isinstance(store, DiskStore)
    text = "No space left on device" if act == "write" else "Corruption: block checksum mismatch"
    monkeypatch.setattr(store, "_db", Failing(store._db, act, text))
    store._heads.clear()
    store._read_before.clear()
    await one_number(bench)
    await one_number(bench)
    assert the_supervisor(bench, "counter").memory is not memory
    assert await bench.failures() == {}
    assert [record.value.count for record in await bench.read("toy.totals.v1")] == [1, 2, 3]


class Failing:
    """A database of which one function fails."""

    def __init__(self, database: Any, name: str, text: str) -> None:
        self._database, self._name, self._text = database, name, text

    def __getattr__(self, name: str) -> Any:
        if name == self._name:
            raise OSError(self._text)
        return getattr(self._database, name)
