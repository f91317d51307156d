"""Worker processes that are killed, paused, joined and asked to stop, while numbers come in: every
sum must be exact."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from baton.cli import task
from baton.engine.kafka.failpoints import Point
from baton.settings import load_settings
from tests.engine.toys import Counter, Session, ToyClick, ToyNumber
from tests.kafka.kafka_bench import FLOW, KafkaBench
from tests.kafka.numbers import Stream, assert_exact
from tests.kafka.nursery import Nursery
from tests.kafka.toy_worker import INNER_POINTS
from tests.kafka.workers import WorkerProcess, killed_at

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

OPENING = (Point.RESTORING, Point.RESTORED, Point.CHECKED, Point.FENCED)
WORKING = tuple(point for point in Point if point not in OPENING)
Workers = Callable[..., WorkerProcess]


@pytest.fixture
async def bench(bootstrap: str, namespace: str) -> AsyncIterator[KafkaBench]:
    """The topics and what tests look at them with; its reducers run in processes of their own."""
    host = KafkaBench(bootstrap, namespace)
    yield host
    await host.close()


@pytest.fixture
def workers(nursery: Nursery, bootstrap: str, namespace: str, tmp_path: Path) -> Iterator[Workers]:
    """Makes worker processes and ends those that are left."""
    made: list[WorkerProcess] = []

    def make(*reducers: str, **settings: object) -> WorkerProcess:
        log = tmp_path / f"{len(made)}.log"
        made.append(
            WorkerProcess(nursery, bootstrap, namespace, log, *reducers, partitions=2, **settings)
        )
        return made[-1]

    yield make
    for worker_process in made:
        worker_process.kill()


async def prepared(bench: KafkaBench, *reducers: Counter | Session) -> None:
    """Topics and terms; nobody runs in this process."""
    await bench.start(*reducers)
    for reducer in reducers:
        await bench.halt(reducer.name)
    await bench.publish("v1")


async def processed(bench: KafkaBench, reducer: str = "counter") -> None:
    """Wait until the reducer's group has committed past everything in its inputs."""
    places = [(topic, n) for topic in FLOW[reducer] for n in range(bench.partitions)]

    async def done() -> bool:
        committed = await bench.cluster.committed(reducer, places)
        ends = await bench.cluster.ends(places)
        return all(
            place in committed and committed[place].offset >= end for place, end in ends.items()
        )

    await bench._until(done)


async def test_a_process_killed_at_any_moment_neither_loses_nor_doubles(
    bench: KafkaBench, workers: Workers
) -> None:
    await prepared(bench, Counter())
    # the one that comes after it need not wait for its session to end
    worker = workers("counter", instance_id="toy")
    stream = Stream(bench)
    times: dict[str, int] = (
        dict.fromkeys(WORKING, 3) | dict.fromkeys(INNER_POINTS, 40) | dict.fromkeys(OPENING, 1)
    )
    await killed_at(worker, times)
    worker.start()
    sent = await stream.end()
    await processed(bench)
    await assert_exact(bench, sent)


async def test_a_paused_owner_that_comes_back_is_fenced_and_fences_nobody(
    bench: KafkaBench, workers: Workers
) -> None:
    await prepared(bench, Counter())
    paused, other = workers("counter"), workers("counter")
    stream = Stream(bench)
    paused.start()
    await paused.ready()
    other.start()
    await other.ready()
    paused.signal(signal.SIGSTOP)

    async def taken_over() -> bool:
        return len(await asyncio.to_thread(other.tasks)) == 2 and all(
            item["state"] == "running" for item in (await asyncio.to_thread(other.tasks)).values()
        )

    await bench._until(taken_over)
    before = stream.sent
    await asyncio.sleep(1.0)
    paused.signal(signal.SIGCONT)

    async def shared() -> bool:
        counts = [len(await asyncio.to_thread(process.tasks)) for process in (paused, other)]
        return counts == [1, 1] and stream.sent > before

    await bench._until(shared)
    await paused.ready()
    sent = await stream.end()
    await processed(bench)
    assert other.metric('baton_task_restarts_total{reducer="counter"}') == 0
    await assert_exact(bench, sent)


async def test_workers_that_come_and_go_in_mid_batch_share_the_work(
    bench: KafkaBench, workers: Workers
) -> None:
    await prepared(bench, Counter())
    stream = Stream(bench)
    # whoever ends without leaving the group keeps its partitions so long
    patient = {"session_timeout_ms": 300_000}
    first, second = workers("counter", **patient), workers("counter", **patient)
    first.start()
    await first.ready()

    async def shared() -> bool:
        return (
            len(await asyncio.to_thread(first.tasks))
            == 1
            == len(await asyncio.to_thread(second.tasks))
        )

    for _ in range(2):
        second.start()
        await second.ready()  # which it is before it has a partition, too
        await bench._until(shared)
        second.signal(signal.SIGTERM)
        assert await second.ended() == 0

        async def back() -> bool:
            return len(await asyncio.to_thread(first.tasks)) == 2

        await bench._until(back)
    sent = await stream.end()
    await processed(bench)
    await assert_exact(bench, sent)


async def test_timers_fire_once_and_at_their_time_though_the_process_was_killed(
    bench: KafkaBench, workers: Workers
) -> None:
    await prepared(bench, Session())
    worker = workers("session", instance_id="toy").start()
    await worker.ready()
    clicks = [
        await bench.send("toy.clicks.v1", f"k{number}", ToyClick(gap_ms=1_500))
        for number in range(10)
    ]
    await processed(bench, "session")
    worker.kill()
    await worker.ended()
    worker.start("committing:2")  # the timers' own batch among them
    await worker.ended()
    worker.start()

    async def reported() -> bool:
        return len(await bench.read("toy.sessions.v1")) >= len(clicks)

    await bench._until(reported)
    ended = {record.key: record.value.ended_ms for record in await bench.read("toy.sessions.v1")}
    assert ended == {click.key: click.at_ms + 1_500 for click in clicks}
    assert len(await bench.read("toy.sessions.v1")) == len(clicks)


async def test_a_static_member_that_restarts_disturbs_nobody(
    bench: KafkaBench, workers: Workers
) -> None:
    await prepared(bench, Counter())
    stream = Stream(bench)
    restarted, other = workers("counter", instance_id="a"), workers("counter", instance_id="b")
    for process in (restarted, other):
        process.start()
    for process in (restarted, other):
        await process.ready()

    async def shared() -> bool:
        return (
            len(await asyncio.to_thread(restarted.tasks))
            == len(await asyncio.to_thread(other.tasks))
            == 1
        )

    await bench._until(shared)
    ((reducer, partition),) = other.tasks()
    line = f'baton_restore_seconds{{partition="{partition}",reducer="{reducer}"}}'
    restored = other.metric(line)
    restarted.signal(signal.SIGTERM)
    assert await restarted.ended() == 0
    restarted.start()
    await restarted.ready()
    await bench._until(shared)
    assert other.metric(line) == restored > 0
    sent = await stream.end()
    await processed(bench)
    await assert_exact(bench, sent)


async def test_of_two_workers_with_one_instance_id_one_stops_and_names_it(
    bench: KafkaBench, workers: Workers
) -> None:
    await prepared(bench, Counter())
    stream = Stream(bench)
    both = [workers("counter", instance_id="same") for _ in range(2)]
    await both[0].start().ready()
    both[1].start()

    async def stopped() -> bool:
        return any(worker.code is not None for worker in both)

    await bench._until(stopped)
    (ended,) = [worker for worker in both if worker.code is not None]
    (left,) = [worker for worker in both if worker is not ended]
    assert ended.code == 1
    assert "with BATON_INSTANCE_ID=same, the id of this one" in ended.log.read_text()
    await left.ready()
    sent = await stream.end()
    await processed(bench)
    await assert_exact(bench, sent)


async def test_a_worker_on_the_loopback_answers_no_page_of_another_site(
    bench: KafkaBench, workers: Workers
) -> None:
    await prepared(bench, Counter())
    worker = workers("counter").start()
    await worker.ready()
    for path in ("/tasks", "/metrics", "/healthz", "/readyz", "/", "/graph", "/router/"):
        for headers in ({"Host": "rebound.example"}, {"Origin": "https://elsewhere.example"}):
            assert worker.get(path, headers)[0] == 403, (path, headers)
    assert worker.get("/tasks")[0] == 200


async def test_a_worker_reports_how_it_is(
    bench: KafkaBench,
    workers: Workers,
    bootstrap: str,
    namespace: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await bench.start(Counter())
    await bench.halt("counter")
    worker = workers("counter", idle_commit_ms=50).start()

    async def waiting() -> bool:
        return worker.get("/healthz")[0] == 200 and {
            task["state"] for task in worker.tasks().values()
        } == {"waiting"}

    await bench._until(waiting)
    assert worker.get("/readyz")[0] == 503
    await bench.publish("v1")
    await worker.ready()
    await bench.send("toy.numbers.v1", "k", ToyNumber(amount=1))
    poison = await bench.send("toy.numbers.v1", "k", ToyNumber(amount=666))

    async def stopped() -> bool:
        return "stopped" in {task["state"] for task in worker.tasks().values()}

    await bench._until(stopped)
    place = f"record:toy.numbers.v1@{poison.offset}"
    reported = worker.tasks()["counter", poison.partition]
    assert (reported["state"], reported["place"]) == ("stopped", place)
    assert f"baton task skip counter {poison.partition} '{place}'" in reported["reason"]
    assert (
        "example.com"
        not in worker.get("/tasks")[1] + worker.get("/metrics")[1] + worker.log.read_text()
    )
    assert worker.get("/readyz")[0] == 200
    assert worker.metric('baton_tasks{reducer="counter",state="stopped"}') == 1
    assert worker.metric('baton_records_total{reducer="counter",topic="toy.numbers.v1"}') == 1
    listed = CliRunner().invoke(task.app, ["list", "--worker", f"http://127.0.0.1:{worker.port}"])
    assert listed.exit_code == 1
    assert place in listed.output.replace("\n", "")
    monkeypatch.setenv("BATON_BOOTSTRAP", bootstrap)
    monkeypatch.setenv("BATON_NAMESPACE", namespace)
    load_settings.cache_clear()
    monkeypatch.setattr(task, "REDUCERS", ("counter",))
    ordered = CliRunner().invoke(
        task.app, ["skip", "counter", str(poison.partition), place, "--why", "a test"]
    )
    load_settings.cache_clear()
    assert ordered.exit_code == 0, ordered.output
    await processed(bench)
    assert (
        CliRunner()
        .invoke(task.app, ["list", "--worker", f"http://127.0.0.1:{worker.port}"])
        .exit_code
        == 0
    )
    assert worker.metric('baton_skipped_total{reducer="counter"}') == 1
    worker.signal(signal.SIGTERM)
    assert await worker.ended() == 0
