"""What the engine promises about Kafka itself: each test fails when its rule is taken out."""

import asyncio
import gc
from collections.abc import AsyncIterator
from time import monotonic
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.admin.records_to_delete import RecordsToDelete
from aiokafka.errors import RequestTimedOutError
from aiokafka.structs import OffsetAndMetadata
from prometheus_client import REGISTRY

from baton.contracts.codec import codec_for
from baton.contracts.topics import changelog_topic, dead_letter_topic
from baton.engine.errors import EngineError, ReducerFailed, StateMismatch
from baton.engine.kafka.batch_filler import BatchFiller
from baton.engine.kafka.batch_size import LEAST
from baton.engine.kafka.failpoints import Point
from baton.engine.kafka.host import WrongPartitions
from baton.engine.kafka.input_buffer import LostRange
from baton.engine.kafka.status import TaskState
from baton.engine.kafka.task import Flooded, Task
from baton.engine.kafka.task_startup import Memory
from baton.engine.kafka.task_supervisor import TaskSupervisor
from baton.engine.kafka.transaction import TaskLost
from baton.engine.records import Did
from tests.engine.conformance import values
from tests.engine.toys import (
    TERMS_LEAD_MS,
    Counter,
    Door,
    Fan,
    Judge,
    Session,
    ToyClick,
    ToyLine,
    ToyNumber,
    ToyOrder,
    ToySession,
    ToyStart,
    ToyTermsRecord,
    ToyVerdict,
)
from tests.kafka.kafka_bench import KafkaBench

pytestmark = pytest.mark.kafka

HOUR_MS = 3_600_000


@pytest.fixture
async def bench(bootstrap: str, namespace: str) -> AsyncIterator[KafkaBench]:
    """A host whose tasks give up waiting soon, so that refusals can be seen."""
    host = KafkaBench(
        bootstrap, namespace, position_wait_s=0.5, upstream_limit_s=1.0, dead_letter_run=20
    )
    yield host
    await host.close()


@pytest.fixture
async def patient(bootstrap: str, namespace: str) -> AsyncIterator[KafkaBench]:
    """A host that waits for a proof as long as it takes."""
    host = KafkaBench(bootstrap, namespace)
    yield host
    await host.close()


@pytest.fixture
async def outsider(bootstrap: str) -> AsyncIterator[AIOKafkaProducer]:
    """Another program that writes in transactions."""
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap, transactional_id="an-outsider", transaction_timeout_ms=60_000
    )
    await producer.start()
    yield producer
    await producer.stop()


async def stopped(host: KafkaBench, reducer: str) -> EngineError:
    """Why the reducer's only task stopped, once it has."""

    async def has() -> bool:
        return bool(await host.failures())

    await host._until(has)
    ((_, failure),) = (await host.failures()).items()
    assert isinstance(failure, EngineError)
    return failure


async def truncate(bootstrap: str, host: KafkaBench, topic: str, before: int | None = None) -> None:
    """Delete a topic's first records, or all of them."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        end = (await host.cluster.ends([(topic, 0)]))[topic, 0] if before is None else before
        await admin.delete_records({host.cluster.at((topic, 0)): RecordsToDelete(end)})
    finally:
        await admin.close()


async def configure(bootstrap: str, host: KafkaBench, topic: str, **settings: str) -> None:
    """Change a topic's settings, dots written as underscores."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        named = {name.replace("_", "."): value for name, value in settings.items()}
        resource = ConfigResource(
            ConfigResourceType.TOPIC, host.cluster.at((topic, 0)).topic, configs=named
        )
        await admin.alter_configs([resource])
    finally:
        await admin.close()


def the_supervisor(host: KafkaBench, reducer: str) -> TaskSupervisor:
    """The only task supervisor of a reducer."""
    (supervisor,) = host.supervisors(reducer)
    return supervisor


# ---------------------------------------------------------------------- restoring


async def test_state_that_would_start_empty_is_refused(bench: KafkaBench, bootstrap: str) -> None:
    await bench.start(Counter(), partitions=1)
    await bench.publish("v1")
    await bench.send("toy.numbers.v1", "k", ToyNumber(amount=1))
    await bench.settle()
    await bench.halt("counter")
    await configure(bootstrap, bench, changelog_topic("counter"), cleanup_policy="compact,delete")
    await truncate(bootstrap, bench, changelog_topic("counter"))
    await bench.resume("counter")
    failure = await stopped(bench, "counter")
    assert isinstance(failure, StateMismatch)
    assert "refuses to run" in str(failure)
    assert "the changelog has no position record" in str(failure)


async def test_offsets_that_somebody_moved_are_refused(
    bench: KafkaBench, outsider: AIOKafkaProducer
) -> None:
    await bench.start(Counter(), partitions=1)
    await bench.publish("v1")
    for _ in range(3):
        await bench.send("toy.numbers.v1", "k", ToyNumber(amount=1))
    await bench.settle()
    await bench.halt("counter")
    await outsider.begin_transaction()
    await outsider.send_offsets_to_transaction(
        {bench.cluster.at(("toy.numbers.v1", 0)): 1}, bench.cluster.group("counter")
    )
    await outsider.commit_transaction()
    await bench.resume("counter")
    failure = await stopped(bench, "counter")
    assert isinstance(failure, StateMismatch)
    assert "the state is at toy.numbers.v1@3, the group at 1" in str(failure)


async def test_a_group_that_has_forgotten_commits_is_reported_where_the_state_stands(
    bench: KafkaBench, outsider: AIOKafkaProducer, caplog: pytest.LogCaptureFixture
) -> None:
    """Seen in a chaos run: a group coordinator that came back from a kill with a part of its
    log."""
    await bench.start(Counter(), partitions=1)
    await bench.publish("v1")
    await bench.send("toy.numbers.v1", "k", ToyNumber(amount=1))
    await bench.settle()
    earlier, batch = await bench.committed("counter", 0)
    for _ in range(2):
        await bench.send("toy.numbers.v1", "k", ToyNumber(amount=1))
        await bench.settle()
    latest, _ = await bench.committed("counter", 0)
    await bench.halt("counter")
    places = {
        bench.cluster.at((topic, 0)): OffsetAndMetadata(offset, batch)
        for topic, offset in earlier.items()
    }
    await outsider.begin_transaction()
    await outsider.send_offsets_to_transaction(places, bench.cluster.group("counter"))
    await outsider.commit_transaction()
    await bench.resume("counter")

    async def mended() -> bool:
        offsets, noted = await bench.committed("counter", 0)
        return all(offsets[topic] >= offset for topic, offset in latest.items()) and int(
            noted
        ) > int(batch)

    async with asyncio.timeout(60):
        while not await mended():  # noqa: ASYNC110 - it happens at the brokers; and without a record, since others wait for this group
            await asyncio.sleep(0.05)
    assert "the brokers have lost committed offsets: the group is at batch" in caplog.text
    await bench.send("toy.numbers.v1", "k", ToyNumber(amount=1))
    await bench.settle()
    assert [value.count for value in values(await bench.read("toy.totals.v1"))] == [1, 2, 3, 4]


async def test_offsets_that_are_only_late_are_waited_for(
    patient: KafkaBench, outsider: AIOKafkaProducer
) -> None:
    bench = patient
    await bench.start(Counter(), partitions=1)
    await bench.publish("v1")
    await bench.send("toy.numbers.v1", "k", ToyNumber(amount=1))
    await bench.settle()
    offsets, metadata = await bench.committed("counter", 0)
    await bench.halt("counter")
    at, group = bench.cluster.at(("toy.numbers.v1", 0)), bench.cluster.group("counter")
    for offset, noted in ((0, ""), (offsets["toy.numbers.v1"], metadata)):
        await outsider.begin_transaction()
        await outsider.send_offsets_to_transaction({at: OffsetAndMetadata(offset, noted)}, group)
        await outsider.commit_transaction()
        if not offset:
            await bench.resume("counter")
            await asyncio.sleep(1.0)
            assert the_supervisor(bench, "counter").status.state is TaskState.RESTORING
    await bench.send("toy.numbers.v1", "k", ToyNumber(amount=1))
    await bench.settle()
    assert [value.count for value in values(await bench.read("toy.totals.v1"))] == [1, 2]


async def test_a_batch_of_which_something_cannot_be_written_is_not_committed(
    bench: KafkaBench, bootstrap: str
) -> None:
    await bench.start(Counter(), partitions=1)
    await bench.publish("v1")
    await bench.settle()
    before = await bench.committed("counter", 0)
    await configure(bootstrap, bench, "toy.totals.v1", max_message_bytes="70")
    await bench.send("toy.numbers.v1", "k", ToyNumber(amount=1))
    failure = await stopped(bench, "counter")
    assert "a record that no broker takes" in str(failure)
    assert await bench.committed("counter", 0) == before


async def test_a_topic_with_another_number_of_partitions_is_refused(bench: KafkaBench) -> None:
    await bench.start(Counter(), partitions=1)
    await bench.halt("counter")
    bench.partitions = 2
    with pytest.raises(
        WrongPartitions, match=r"toy.numbers.v1 has 1 partitions, the tasks of counter expect 2"
    ):
        await bench.resume("counter")
    del bench._running["counter"]


async def test_a_range_that_is_deleted_under_a_running_task_is_never_skipped_silently(
    bench: KafkaBench, bootstrap: str
) -> None:
    await bench.start(Counter(), partitions=1)
    for _ in range(4):
        await bench.send("toy.numbers.v1", "k", ToyNumber(amount=1))

    async def waiting() -> bool:
        return the_supervisor(bench, "counter").status.state is TaskState.WAITING

    await bench._until(waiting)
    await truncate(bootstrap, bench, "toy.numbers.v1", before=3)
    await bench.publish("v1")
    failure = await stopped(bench, "counter")
    assert isinstance(failure, LostRange)
    assert failure.place == "lost:toy.numbers.v1@0"
    assert await bench.read("toy.totals.v1") == []


async def test_a_range_that_was_deleted_before_it_was_processed_stops_the_task_and_is_named(
    bench: KafkaBench, bootstrap: str
) -> None:
    await bench.start(Counter(), partitions=1)
    await bench.publish("v1")
    await bench.send("toy.numbers.v1", "k", ToyNumber(amount=1))
    await bench.settle()
    await bench.halt("counter")
    for _ in range(4):
        await bench.send("toy.numbers.v1", "k", ToyNumber(amount=10))
    await truncate(bootstrap, bench, "toy.numbers.v1", before=3)
    await bench.resume("counter")
    failure = await stopped(bench, "counter")
    assert isinstance(failure, LostRange)
    assert "toy.numbers.v1 is lost from offset 1 to 2" in str(failure)
    await bench.skip("counter", 0, failure.place)
    await bench.settle()
    assert [value.total for value in values(await bench.read("toy.totals.v1"))] == [1, 11, 21]


async def test_an_input_that_was_made_anew_stops_the_task_and_starts_over_when_the_loss_is_skipped(
    bench: KafkaBench, bootstrap: str
) -> None:
    await bench.start(Counter(), partitions=1)
    await bench.publish("v1")
    for _ in range(3):
        await bench.send("toy.numbers.v1", "k", ToyNumber(amount=1))
    await bench.settle()
    await bench.halt("counter")
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        name = bench.cluster.at(("toy.numbers.v1", 0)).topic
        await admin.delete_topics([name])
        made = NewTopic(name, 1, 1, topic_configs={"message.timestamp.type": "LogAppendTime"})
        async with asyncio.timeout(60):
            while (await admin.create_topics([made])).topic_errors[0][1]:  # noqa: ASYNC110 - a deletion takes a moment
                await asyncio.sleep(0.1)
    finally:
        await admin.close()
    await bench.send("toy.numbers.v1", "k", ToyNumber(amount=10))
    await bench.resume("counter")
    failure = await stopped(bench, "counter")
    assert isinstance(failure, LostRange)
    assert (
        "ends at offset 1, before offset 3 that is next: the topic was deleted and made anew"
        in str(failure)
    )
    await bench.skip("counter", 0, failure.place)
    await bench.settle()
    assert [value.total for value in values(await bench.read("toy.totals.v1"))] == [1, 2, 3, 13]
    await bench.restart("counter", 0)  # the order is there for good, and means nothing any more
    await bench.send("toy.numbers.v1", "k", ToyNumber(amount=100))
    await bench.settle()
    assert [value.total for value in values(await bench.read("toy.totals.v1"))][-1] == 113


async def take_seat(bench: KafkaBench) -> None:
    """Give the counter its partition, with what its process has kept of it."""
    (group,) = bench.hosts["counter"].groups
    await group.on_partitions_assigned({bench.cluster.at(("toy.numbers.v1", 0))})


async def test_a_return_restores_only_what_is_new(bench: KafkaBench) -> None:
    await bench.start(Counter(), partitions=1)
    await bench.publish("v1")
    # two batches: the position kept with the second is behind what the first one wrote
    for half in (range(10), range(10, 20)):
        for number in half:
            await bench.send("toy.numbers.v1", f"k{number}", ToyNumber(amount=1))
        await bench.settle()
    (group,) = bench.hosts["counter"].groups
    await group.on_partitions_revoked(set())
    kept = group._kept[0][1]
    began_at = kept.next_offset
    end = (await bench.cluster.ends([(changelog_topic("counter"), 0)]))[
        changelog_topic("counter"), 0
    ]
    assert began_at is not None
    assert 0 < began_at < end
    await take_seat(bench)
    await bench.send("toy.numbers.v1", "k0", ToyNumber(amount=1))
    await bench.settle()
    assert the_supervisor(bench, "counter").memory is kept
    assert values(await bench.read("toy.totals.v1"))[-1].count == 2


async def one_counted_and_more_lost(
    bench: KafkaBench, monkeypatch: pytest.MonkeyPatch, more: int
) -> Memory:
    """A counter in whose kept state there is a batch of so many numbers whose commit was
    acknowledged, and then its transaction aborted, as after a restart of a broker without copies;
    its supervisor is stopped."""
    await bench.start(Counter(), partitions=1)
    await bench.publish("v1")
    (group,) = bench.hosts["counter"].groups
    await bench.send("toy.numbers.v1", "k", ToyNumber(amount=1))
    await bench.settle()
    # and back: the kept state has met the position record of the number before
    await group.on_partitions_revoked(set())
    await take_seat(bench)
    await bench.settle()
    kept = the_supervisor(bench, "counter").memory
    assert kept is not None
    batch = kept.core.number
    with monkeypatch.context() as patched:
        patched.setattr(AIOKafkaProducer, "commit_transaction", AIOKafkaProducer.abort_transaction)
        patched.setattr(Task, "_wait_s", lambda task: 0.0 if task._inputs.count >= more else 0.01)
        for number in range(more):
            await bench.send("toy.numbers.v1", f"k{number}", ToyNumber(amount=1))
        async with asyncio.timeout(60):
            while kept.core.number == batch:  # noqa: ASYNC110 - it happens in another task
                await asyncio.sleep(0.01)
        await group.on_partitions_revoked(set())
    assert kept.core.number == batch + 1
    return kept


def lost_commits() -> float:
    """What is reported of the counter; from the start, so that the first is an increase."""
    reported = REGISTRY.get_sample_value("baton_lost_commits_total", {"reducer": "counter"})
    assert reported is not None
    return reported


async def test_a_state_that_is_ahead_of_the_log_is_restored_whole(
    bench: KafkaBench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Read on from there, its record was counted a second time, or the task refused to run."""
    kept = await one_counted_and_more_lost(bench, monkeypatch, 1)
    lost = lost_commits()
    await take_seat(bench)
    await bench.send("toy.numbers.v1", "k0", ToyNumber(amount=1))
    await bench.settle()
    assert await bench.failures() == {}
    assert [(record.key, record.value.count) for record in await bench.read("toy.totals.v1")] == [
        ("k", 1),
        ("k0", 1),
        ("k0", 2),
    ]
    assert the_supervisor(bench, "counter").memory is not kept
    assert "it is ahead of its changelog: the brokers have lost batch" in caplog.text
    assert lost_commits() == lost + 1


async def test_a_state_is_restored_whole_where_another_owner_did_a_part_of_a_lost_batch_again(
    bench: KafkaBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = await one_counted_and_more_lost(bench, monkeypatch, 3)
    lost = lost_commits()
    (group,) = bench.hosts["counter"].groups
    del group._kept[0]
    take, done = BatchFiller._take_records, asyncio.Event()

    def once(at: Point, name: str, number: int) -> None:
        if at is Point.COMMITTED:
            bench.failpoints.arm(None)
            done.set()
            raise TaskLost("it ends after its first batch")

    with monkeypatch.context() as patched:
        patched.setattr(
            BatchFiller, "_take_records", lambda filler, _, *more: take(filler, 1, *more)
        )
        bench.failpoints.arm(once)
        await take_seat(bench)
        async with asyncio.timeout(60):
            await done.wait()
        await group.on_partitions_revoked(set())
    group._kept[0] = (monotonic(), kept)
    await take_seat(bench)
    await bench.settle()
    reported = [(record.key, record.value.count) for record in await bench.read("toy.totals.v1")]
    assert reported == [("k", 1), ("k0", 1), ("k1", 1), ("k2", 1)]
    assert the_supervisor(bench, "counter").memory is not kept
    assert lost_commits() == lost + 1


async def test_a_task_waits_until_all_its_inputs_are_with_one_process(bench: KafkaBench) -> None:
    await bench.start(Judge(), partitions=1)
    (group,) = bench.hosts["judge"].groups
    places = {topic: bench.cluster.at((topic, 0)) for topic in Judge.inputs}
    await group.on_partitions_revoked(set())
    await group.on_partitions_assigned({places["toy.lines.v1"]})
    assert group.supervisors == {}
    (status,) = bench.hosts["judge"].statuses()
    assert (status.state, "toy.starts.v1 of this partition" in status.reason) == (
        TaskState.INCOMPLETE,
        True,
    )
    assert not bench.hosts["judge"].ready
    assert (
        REGISTRY.get_sample_value("baton_tasks", {"reducer": "judge", "state": "incomplete"}) == 1
    )
    await group.on_partitions_assigned(set(places.values()))
    assert set(group.supervisors) == {0}


async def test_a_task_that_cannot_commit_for_longer_than_a_session_is_not_ready_and_says_why(
    bench: KafkaBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bench.start(Counter(), partitions=1)
    await bench.publish("v1")
    await bench.settle()
    host = bench.hosts["counter"]
    assert host.ready

    async def refuse(*_: object) -> None:
        raise RequestTimedOutError

    async def unready() -> bool:
        return not host.ready

    with monkeypatch.context() as patched:
        patched.setattr(AIOKafkaProducer, "send_offsets_to_transaction", refuse)
        await bench.send("toy.numbers.v1", "k", ToyNumber(amount=1))
        await bench._until(unready)
        (status,) = host.statuses()
        assert (status.state, status.stalled) == (TaskState.RUNNING, True)
        assert "no batch was committed for" in status.reason
        gauge = REGISTRY.get_sample_value(
            "baton_stalled_seconds", {"reducer": "counter", "partition": "0"}
        )
        assert gauge is not None
        assert gauge > 6
        memory = the_supervisor(bench, "counter").memory
        assert memory is not None
        assert memory.size.records == LEAST
    await bench.settle()
    assert host.ready
    assert [value.total for value in values(await bench.read("toy.totals.v1"))] == [1]


# ---------------------------------------------------------------------- log time


async def test_a_topic_without_the_brokers_time_stops_the_task(
    bench: KafkaBench, bootstrap: str
) -> None:
    await bench.start(Counter(), partitions=1)
    await bench.publish("v1")
    await configure(bootstrap, bench, "toy.numbers.v1", message_timestamp_type="CreateTime")
    await bench.send("toy.numbers.v1", "k", ToyNumber(amount=1))
    failure = await stopped(bench, "counter")
    assert isinstance(failure, ReducerFailed)
    assert failure.place == "record:toy.numbers.v1@0"
    assert "message.timestamp.type of its topic must be LogAppendTime" in str(failure)
    assert await bench.read("toy.totals.v1") == []
    await configure(bootstrap, bench, "toy.numbers.v1", message_timestamp_type="LogAppendTime")
    await bench.send("toy.numbers.v1", "k", ToyNumber(amount=7))
    await bench.skip("counter", 0, failure.place)
    await bench.settle()
    assert [total.total for total in values(await bench.read("toy.totals.v1"))] == [7]


@pytest.mark.parametrize("jump_ms", [-HOUR_MS, HOUR_MS])
async def test_a_wrong_clock_of_the_worker_fires_no_timer_early_and_none_never(
    bench: KafkaBench, jump_ms: int
) -> None:
    right = bench.wall
    bench.wall = lambda: right() + jump_ms
    await bench.start(Session(), partitions=1)
    await bench.publish("v1")
    click = await bench.send("toy.clicks.v1", "k", ToyClick(gap_ms=700))
    await bench.settle()
    bench.wall = lambda: right() - jump_ms
    await bench.pass_time(1_000)
    (fact,) = await bench.read("toy.sessions.v1")
    assert fact.value == ToySession(
        clicks=1, first_ms=click.at_ms, last_ms=click.at_ms, ended_ms=click.at_ms + 700
    )
    assert fact.at_ms >= click.at_ms + 700


async def test_a_worker_that_starts_with_a_slow_clock_wakes_its_timers_all_the_same(
    bench: KafkaBench,
) -> None:
    await bench.start(Session(), partitions=1)
    await bench.publish("v1")
    click = await bench.send("toy.clicks.v1", "k", ToyClick(gap_ms=1_500))
    await bench.settle()
    await bench.halt("session")
    right = bench.wall
    bench.wall = lambda: right() - HOUR_MS
    await bench.resume("session")
    await bench.pass_time(1_500)
    assert [value.ended_ms for value in values(await bench.read("toy.sessions.v1"))] == [
        click.at_ms + 1_500
    ]


async def test_an_open_transaction_makes_a_timer_late_never_wrong(
    bench: KafkaBench, outsider: AIOKafkaProducer
) -> None:
    await bench.start(Session(), partitions=1)
    await bench.publish("v1")
    first = await bench.send("toy.clicks.v1", "k", ToyClick(gap_ms=500))
    await outsider.begin_transaction()
    at = bench.cluster.at(("toy.clicks.v1", 0))
    second = await outsider.send_and_wait(
        at.topic, codec_for(ToyClick).encode(ToyClick(gap_ms=300)), key=b"k", partition=0
    )
    await asyncio.sleep(2.0)
    assert await bench.read("toy.sessions.v1") == []
    await outsider.commit_transaction()
    await bench.pass_time(100)
    assert values(await bench.read("toy.sessions.v1")) == [
        ToySession(
            clicks=2,
            first_ms=first.at_ms,
            last_ms=second.timestamp,
            ended_ms=second.timestamp + 300,
        )
    ]


async def test_an_idle_task_asks_for_the_time_only_when_something_could_be_due(
    bench: KafkaBench,
) -> None:
    await bench.start(Session(), partitions=1)
    await bench.publish("v1")
    await bench.send("toy.clicks.v1", "k", ToyClick(gap_ms=HOUR_MS))
    await bench.settle()
    await asyncio.sleep(2.0)
    calibrating = 1
    assert (await bench.cluster.ends([("session.ticks.v1", 0)]))[
        "session.ticks.v1", 0
    ] <= calibrating


async def test_positions_that_moved_over_markers_alone_are_committed(
    bench: KafkaBench, outsider: AIOKafkaProducer
) -> None:
    await bench.start(Counter(), partitions=1)
    await bench.publish("v1")
    await bench.send("toy.numbers.v1", "k", ToyNumber(amount=1))
    await bench.settle()
    await outsider.begin_transaction()
    number = codec_for(ToyNumber).encode(ToyNumber(amount=1))
    await outsider.send_and_wait(
        bench.cluster.at(("toy.numbers.v1", 0)).topic, number, key=b"k", partition=0
    )
    await outsider.abort_transaction()
    await bench.settle()  # would wait for ever
    offsets, _ = await bench.committed("counter", 0)
    assert offsets == {"toy.numbers.v1": 3}
    assert len(await bench.read("toy.totals.v1")) == 1


async def test_an_input_that_has_more_than_was_fetched_is_waited_for(
    bootstrap: str, namespace: str
) -> None:
    bench = KafkaBench(
        bootstrap,
        namespace,
        buffer_records=20,
        batch_records=1_000,
        merge_wait_ms=30_000,  # on a busy machine a fetch takes long
    )
    await bench.start(Judge(), partitions=1)
    # three lines come before each start, so that they are fetched much further apart than appended
    for number in range(40):
        for order in ("a", "b", "c"):
            await bench.send(
                "toy.lines.v1", f"k{number}", ToyLine(order=order, remove=False, ordered_at_ms=0)
            )
        await bench.send("toy.starts.v1", f"k{number}", ToyStart(within_ms=HOUR_MS))
    await bench.publish("v1")
    await bench.settle()
    verdicts = await bench.read("toy.verdicts.v1")
    taken = [
        line
        for batch in await bench.journal("judge", 0)
        for line in batch.lines
        if line.did == Did.TAKE
    ]
    appended = [*await bench.read("toy.lines.v1"), *await bench.read("toy.starts.v1")]
    await bench.close()
    assert verdicts == []
    in_order = [
        record.topic
        for record in sorted(
            appended, key=lambda record: (record.at_ms, record.topic, record.offset)
        )
    ]
    assert [topic for line in taken for topic in [line.topic] * line.count] == in_order
    assert len(in_order) == 160


# ---------------------------------------------------------------------- the upstream and the
# reference


async def test_a_deadline_fires_unproven_after_the_limit_and_proven_when_the_upstream_is_back(
    bench: KafkaBench,
) -> None:
    await bench.start(Fan(), Judge(), partitions=1)
    await bench.publish("v1")
    await bench.settle()
    await bench.halt("fan")
    start = await bench.send("toy.starts.v1", "k", ToyStart(within_ms=300))
    await bench.send("toy.orders.v1", "o", ToyOrder(lines=("other",)))

    async def reported() -> bool:
        return bool(await bench.read("toy.verdicts.v1"))

    await bench._until(reported)
    await bench.resume("fan")
    await bench.pass_time(500)
    verdicts = values(await bench.read("toy.verdicts.v1"))
    deadline = start.at_ms + 300
    assert verdicts == [
        ToyVerdict(verdict=said, deadline_ms=deadline, at_ms=verdict.at_ms)
        for said, verdict in zip(("unproven", "breached"), verdicts, strict=True)
    ]


async def test_records_that_never_end_starve_neither_timers_nor_adoption(
    bootstrap: str, namespace: str
) -> None:
    bench = KafkaBench(bootstrap, namespace, batch_records=3, gather_ms=0)
    await bench.start(Fan(), Judge(), Counter(), partitions=1)
    await bench.publish("v1")
    await bench.send("toy.numbers.v1", "idle", ToyNumber(amount=1))
    await bench.settle()
    await bench.publish("v2")
    shortest = {"judge": 1_000, "counter": 1_000}

    async def keep_ahead(reducer: str, topic: str, value: Any) -> None:
        while True:
            task = the_supervisor(bench, reducer).task
            assert task is not None
            if task._inputs.count < 60:
                await asyncio.gather(*(bench.send(topic, "others", value) for _ in range(40)))
            shortest[reducer] = min(shortest[reducer], task._inputs.lag())
            await asyncio.sleep(0.005)

    feeding = [
        asyncio.create_task(keep_ahead("judge", "toy.starts.v1", ToyStart(within_ms=HOUR_MS))),
        asyncio.create_task(keep_ahead("counter", "toy.numbers.v1", ToyNumber(amount=1))),
    ]
    await asyncio.sleep(1.0)
    shortest.update(judge=1_000, counter=1_000)
    await bench.send("toy.starts.v1", "k", ToyStart(within_ms=300))

    async def both() -> bool:
        return bool(await bench.read("toy.verdicts.v1")) and "idle" in {
            record.key for record in await bench.read("toy.adopted.v1")
        }

    await bench._until(both)
    for feeder in feeding:
        feeder.cancel()
    await asyncio.gather(*feeding, return_exceptions=True)
    await bench.close()
    assert min(shortest.values()) > 3, "the records did end"


async def test_the_proof_ends_with_the_inputs_of_the_task_itself(
    patient: KafkaBench, outsider: AIOKafkaProducer
) -> None:
    bench = patient
    await bench.start(Fan(), Judge(), partitions=1)
    await bench.publish("v1")
    start = await bench.send("toy.starts.v1", "k", ToyStart(within_ms=2_000))
    await bench.settle()
    await outsider.begin_transaction()  # as an instance upstream that has not committed yet
    line = codec_for(ToyLine).encode(ToyLine(order="o", remove=False, ordered_at_ms=0))
    reported = await outsider.send_and_wait(
        bench.cluster.at(("toy.lines.v1", 0)).topic, line, key=b"k", partition=0
    )
    assert reported.timestamp < start.at_ms + 2_000
    await asyncio.sleep(2.1)
    # moves the time past the deadline
    await bench.send("toy.starts.v1", "later", ToyStart(within_ms=HOUR_MS))

    async def held() -> bool:
        return the_supervisor(bench, "judge").memory.core.held == 1  # type: ignore[union-attr]

    await bench._until(held)
    await asyncio.sleep(1.0)
    assert await bench.read("toy.verdicts.v1") == []
    await outsider.commit_transaction()
    await bench.pass_time(100)
    assert [
        (record.key, record.value.verdict) for record in await bench.read("toy.verdicts.v1")
    ] == [("k", "met")]


async def test_waiting_for_the_proof_keeps_no_record_waiting(patient: KafkaBench) -> None:
    bench = patient
    await bench.start(Fan(), Judge(), partitions=1)
    await bench.publish("v1")
    await bench.settle()
    await bench.halt("fan")
    await bench.send("toy.starts.v1", "k", ToyStart(within_ms=100))
    await bench.send("toy.orders.v1", "o", ToyOrder(lines=("other",)))

    async def held() -> bool:
        return (await bench.cluster.tick("judge", 0)) > 0 and the_supervisor(
            bench, "judge"
        ).memory.core.held == 1  # type: ignore[union-attr]

    await bench._until(held)
    await bench.send("toy.starts.v1", "another", ToyStart(within_ms=HOUR_MS))
    await bench.settle()
    offsets, _ = await bench.committed("judge", 0)
    assert offsets["toy.starts.v1"] == 2
    assert await bench.read("toy.verdicts.v1") == []


async def test_no_task_decides_before_it_knows_what_was_agreed_by_then(
    bench: KafkaBench, outsider: AIOKafkaProducer
) -> None:
    await bench.start(Counter(), partitions=1)
    await bench.publish("v1")
    await bench.send("toy.numbers.v1", "k", ToyNumber(amount=1))
    await bench.settle()
    await outsider.begin_transaction()
    terms = codec_for(ToyTermsRecord).encode(ToyTermsRecord(version="v2"))
    topic = bench.cluster.at(("toy.terms.v1", 0)).topic
    await outsider.send_and_wait(topic, terms, key=b"v2", partition=0)
    await asyncio.sleep((TERMS_LEAD_MS + 500) / 1000)
    await bench.send("toy.numbers.v1", "k", ToyNumber(amount=1))
    await asyncio.sleep(1.0)
    assert len(await bench.read("toy.totals.v1")) == 1
    await outsider.commit_transaction()
    await bench.settle()
    assert [value.terms for value in values(await bench.read("toy.totals.v1"))] == ["v1", "v2"]


# ---------------------------------------------------------------------- supervision


async def test_a_fenced_task_starts_again_where_it_still_is_the_owner(
    bench: KafkaBench, bootstrap: str
) -> None:
    """And no error of the producer it had is left for asyncio to report as one that nobody took."""
    reported: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context))
    await bench.start(Counter(), partitions=1)
    await bench.publish("v1")
    await bench.send("toy.numbers.v1", "k", ToyNumber(amount=1))
    await bench.settle()
    intruder = AIOKafkaProducer(
        bootstrap_servers=bootstrap, transactional_id=f"{bench.cluster.group('counter')}-0"
    )
    await intruder.start()
    await intruder.stop()
    for _ in range(3):
        await bench.send("toy.numbers.v1", "k", ToyNumber(amount=1))
    await bench.settle()
    assert [value.count for value in values(await bench.read("toy.totals.v1"))] == [1, 2, 3, 4]
    gc.collect()
    assert reported == []


async def test_a_fenced_task_that_the_group_gave_away_does_not_start_again(
    bench: KafkaBench, bootstrap: str
) -> None:
    await bench.start(Counter(), partitions=1)
    await bench.publish("v1")
    await bench.settle()
    supervisor = the_supervisor(bench, "counter")
    # what this process is not assigned
    supervisor._reducer = type("Elsewhere", (Counter,), {"inputs": ("toy.clicks.v1",)})()
    intruder = AIOKafkaProducer(
        bootstrap_servers=bootstrap, transactional_id=f"{bench.cluster.group('counter')}-0"
    )
    await intruder.start()
    await bench.send("toy.numbers.v1", "k", ToyNumber(amount=1))
    await asyncio.sleep(2.0)
    assert supervisor.status.state is TaskState.LOST
    await intruder.begin_transaction()  # nobody has fenced it back
    at = bench.cluster.at((changelog_topic("counter"), 0))
    await intruder.send_and_wait(at.topic, b"", key=b"x", partition=0)
    await intruder.abort_transaction()
    await intruder.stop()


async def test_a_flood_of_dead_letters_stops_the_service_and_commits_none_of_it(
    bench: KafkaBench,
) -> None:
    await bench.start(Door(), partitions=1)
    await bench.publish("v1")
    await bench.send_raw("toy.outside.v1", b"k", b"12")
    await bench.settle()
    await bench.halt("door")
    for _ in range(30):
        await bench.send_raw("toy.outside.v1", b"k", b"nonsense")
    await bench.resume("door")
    running = bench._running.pop("door")
    with pytest.raises(Flooded, match="the last 20 records were all rejected"):
        await running
    assert await bench.raw(dead_letter_topic("toy.outside.v1"), 0) == []
