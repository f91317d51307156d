"""Two thousand leads through the scorer on real Kafka, ten thousand with ``-m chaos``: the live
engine, the host in memory and a rebuild come to the same bytes.

The host in memory is given what Kafka has, with the same append times, and takes it in the order
that the journal says the live tasks took it in; its batches are its own. Offsets differ where a
transaction left its marker, so the position record is left out there.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import Producer

from baton.agreement.canonical import canonical_text, version_of
from baton.agreement.compiled.agreement import CompiledAgreement
from baton.agreement.reference import SIDES, AgreementBook
from baton.cluster.log import LogReader, Record
from baton.cluster.topic_layout import Layout, ensure_topics
from baton.contracts.codec import codec_for
from baton.contracts.partitioner import partition_of
from baton.contracts.reference_records import AgreementRecord
from baton.contracts.topic_names import BATON_AGREEMENTS
from baton.contracts.topics import (
    REFERENCE_TOPICS,
    TOPICS,
    changelog_topic,
    engine_topics,
    journal_topic,
    physical,
)
from baton.engine.batch import Batch, Limits
from baton.engine.changelog import POSITION_KEY
from baton.engine.kafka.broker_clock import wall_ms
from baton.engine.kafka.cluster import Cluster
from baton.engine.kafka.host import HostConfig, KafkaHost
from baton.engine.kafka.settings import EngineSettings
from baton.engine.kafka.task_supervisor import TaskSupervisor
from baton.engine.memory import MemoryLog, MemoryTask
from baton.engine.records import BatchJournal, Did, JournalLine, Position
from baton.engine.reducer import Reducer
from baton.engine.task_config import TaskConfig
from baton.proof.audit.findings import Finding
from baton.proof.audit.rebuilding import TaskAudit, digest, read_book
from baton.proof.audit.source import Source
from services.scorer.app import SERVICE
from tests.services.scorer.scorer_crowd import busy
from tests.services.scorer.scorer_world import DAY, LIFECYCLE, World, agreement

PARTITIONS = 2
PATIENCE_S = 120.0
REDUCERS: Mapping[str, Reducer[Any, Any]] = {reducer.name: reducer for reducer in SERVICE.reducers}
PLACES = [(name, number) for name in REDUCERS for number in range(PARTITIONS)]
NAMES = sorted(
    {topic for reducer in REDUCERS.values() for topic in (*reducer.inputs, *reducer.outputs)}
    | {
        spec.name
        for reducer in REDUCERS.values()
        for spec in engine_topics(reducer.name, reducer.service)
    }
    | {*REFERENCE_TOPICS, "baton.skips.v1"}
)


def _gates(people: int) -> dict[str, Any]:
    return {
        "Enough of them": {
            "when": {"field": "account.engaged_people", "op": "at_least", "value": people}
        }
    }


FIRST = agreement(lifecycle={**LIFECYCLE, "gates": _gates(2)})
SECOND = agreement(lifecycle={"bridge": "every lead", "drip": 2, "gates": _gates(1)})
"""It lets in whom the first held back, so that a backlog forms and drips."""


class Script(World):
    """What the crowd does, as records of Kafka: the world's words, sent nowhere else."""

    def __init__(self, bootstrap: str, namespace: str) -> None:
        self.host: Any = SimpleNamespace(
            log=SimpleNamespace(now=wall_ms() - 30 * DAY), send=self._put, settle=self._flush
        )
        self.sent = 0
        self._number = 0
        self._namespace = namespace
        self._producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 5})

    def work(self) -> None:
        """The live scorer works by itself."""

    def agree(self, terms: CompiledAgreement) -> None:
        """Both sides sign the version and it is published: the first holds at once, a later one ten
        seconds after."""
        text = canonical_text(terms.raw)
        version = version_of(text)
        records = [
            AgreementRecord(record_id=f"{version}:{s}", kind="approved", version=version, side=s)
            for s in sorted(SIDES)
        ]
        records.append(
            AgreementRecord(record_id=version, kind="published", version=version, text=text)
        )
        for record in records:
            self._produce(BATON_AGREEMENTS, record.record_id, record, 0, [])
        self._flush()

    def _put(self, topic: str, key: str, value: Any, *, received_at_ms: int | None = None) -> None:
        self.sent += 1
        headers = [("ce_id", f"{self.sent:032x}".encode())]
        if received_at_ms is not None:
            headers.append(("received_at", str(received_at_ms).encode()))
        self._produce(topic, key, value, partition_of(key.encode(), PARTITIONS), headers)

    def _produce(
        self, topic: str, key: str, value: Any, partition: int, headers: list[tuple[str, bytes]]
    ) -> None:
        name = physical(self._namespace, topic)
        self._producer.produce(
            name, codec_for(type(value)).encode(value), key.encode(), partition, headers=headers
        )
        self._producer.poll(0)

    def _flush(self) -> None:
        self._producer.flush(30)


class Deaf(MemoryLog):
    """A log whose tasks read what was put there before, not what they say: that is kept in
    ``said``."""

    def __init__(self) -> None:
        super().__init__(TOPICS, PARTITIONS)
        self.said: Counter[bytes] = Counter()

    def commit(
        self, group: str, partition: int, epoch: int, batch: Batch, changelog: str, journal: str
    ) -> None:
        self.said.update(
            said(record.topic, record.key, record.value, record.headers)
            for record in batch.outgoing
        )
        batch = Batch(
            **{name: getattr(batch, name) for name in Batch.__dataclass_fields__} | {"outgoing": ()}
        )
        super().commit(group, partition, epoch, batch, changelog, journal)


def said(topic: str, key: bytes | None, value: bytes | None, headers: Any) -> bytes:
    return topic.encode() + digest(key, value, headers)


def prepare(bootstrap: str, namespace: str) -> None:
    names = {
        topic for reducer in REDUCERS.values() for topic in (*reducer.inputs, *reducer.outputs)
    } | {
        *REFERENCE_TOPICS,
        "baton.skips.v1",
    }
    names |= {
        spec.name
        for reducer in REDUCERS.values()
        for spec in engine_topics(reducer.name, reducer.service)
    }
    specs = [TOPICS[name] for name in sorted(names)]
    ensure_topics(
        {"bootstrap.servers": bootstrap}, Layout(namespace=namespace, partitions=PARTITIONS), specs
    )


async def live(bootstrap: str, namespace: str, leads: int) -> None:
    """Run the scorer beside the crowd, until all is taken and every key has adopted the second
    agreement, which is published once the whole crowd is in the log."""
    client = {"bootstrap_servers": bootstrap}
    host = KafkaHost(
        SERVICE.reducers,
        AgreementBook(),
        TaskConfig(partitions=PARTITIONS, namespace=namespace),
        HostConfig(client=client, settings=EngineSettings(gather_ms=10)),
    )
    cluster = Cluster(client, namespace=namespace, client_id="looks")
    script = Script(bootstrap, namespace)
    script.agree(FIRST)
    await cluster.start()
    running = asyncio.create_task(host.run())
    try:
        await asyncio.to_thread(busy, script, leads)
        await asyncio.to_thread(script.host.settle)
        await asyncio.to_thread(script.agree, SECOND)
        async with asyncio.timeout(PATIENCE_S):
            while not await _done(host, cluster):
                assert not running.done()
                await asyncio.sleep(0.3)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await cluster.stop()


async def _done(host: KafkaHost, cluster: Cluster) -> bool:
    supervisors = [supervisor for group in host.groups for supervisor in group.supervisors.values()]
    assert [
        supervisor.failure for supervisor in supervisors if supervisor.failure is not None
    ] == []
    if len(supervisors) < len(PLACES) or not all(map(_has_adopted, supervisors)):
        return False
    committed = {name: await cluster.committed(name, _inputs(name)) for name in REDUCERS}
    for name in REDUCERS:
        ends = await cluster.ends(_inputs(name))
        if any(
            place not in committed[name] or committed[name][place].offset < end
            for place, end in ends.items()
        ):
            return False
    return True


def _has_adopted(supervisor: TaskSupervisor) -> bool:
    if supervisor.memory is None:
        return False
    core = supervisor.memory.core
    return core.adopted == SECOND.version or not core.reducer.adopts


def _inputs(name: str) -> list[tuple[str, int]]:
    return [(topic, number) for topic in REDUCERS[name].inputs for number in range(PARTITIONS)]


class Replay:
    """One task of the host in memory, given what Kafka has."""

    def __init__(self, source: Source, name: str, partition: int, limits: Limits) -> None:
        self.log = Deaf()
        for topic in REDUCERS[name].inputs:
            for record in source.read(topic, partition):
                self.log.now = record.at_ms
                self.log.append(topic, partition, record.key, record.value, record.headers)
        book = read_book(source)
        self.task = MemoryTask(
            REDUCERS[name],
            partition,
            self.log,
            book,
            TaskConfig(partitions=PARTITIONS, limits=limits),
        )
        self.task.sees = dict.fromkeys(REDUCERS[name].inputs, 0)
        self.task.start()

    def follow(self, journal: Iterator[BatchJournal]) -> None:
        for number, entry in enumerate(journal):
            for line in entry.lines:
                self._follow(line)
            if number == 20:
                self.task.crash()
                self.task.start()

    def _follow(self, line: JournalLine) -> None:
        task = self.task
        match Did(line.did):
            case Did.TAKE:
                task.sees[line.topic] += line.count
                while task.unread():
                    task.work()
                    assert task.failed is None
            case Did.ADVANCE:
                task._all(lambda: task.core.advance(line.at_ms))
            case Did.WAKE:
                task._batch(lambda: task.core.advance(line.at_ms, limit=line.count))
            case Did.ADOPT:
                self._adopt(line.count)
            case Did.PASS:
                pass
            case other:
                raise AssertionError(f"the scorer's journal says {other}")

    def _adopt(self, keys: int) -> None:
        """So many keys, in as many batches as that takes; none is a sweep that comes to its end."""
        task = self.task
        left = keys - task._batch(lambda: task.core.adopt_slice(keys))
        while left:
            number = left
            left -= task._batch(lambda: task.core.adopt_slice(number))  # noqa: B023 - called at once


class Snapshot:
    """Every record that the scorer has to do with, read once: a
    :class:`~baton.proof.audit.source.Source`."""

    def __init__(self, bootstrap: str, namespace: str) -> None:
        self._records: dict[tuple[str, int], list[Record]] = {}
        with LogReader({"bootstrap.servers": bootstrap}, namespace) as reader:
            for record in reader.read(
                {name: list(range(reader.partitions(name))) for name in NAMES}
            ):
                self._records.setdefault((record.topic, record.partition), []).append(record)

    def partitions(self, topic: str) -> int:
        return TOPICS[topic].partitions or PARTITIONS

    def first(self, topic: str, partition: int) -> int:
        return 0

    def read(self, topic: str, partition: int, start: int | None = None) -> Iterator[Record]:
        return (
            record
            for record in self._records.get((topic, partition), [])
            if record.offset >= (start or 0)
        )


def held(records: Iterator[Record] | list[Any]) -> dict[bytes, bytes]:
    """What a compacted changelog holds."""
    found: dict[bytes, bytes] = {}
    for record in records:
        assert record.key is not None
        found.pop(record.key, None)
        if record.value is not None:
            found[record.key] = record.value
    return found


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("leads", [2_000, pytest.param(10_000, marks=pytest.mark.chaos)])
def test_thousands_of_leads_come_to_the_same_bytes_live_in_memory_and_rebuilt(
    bootstrap: str, namespace: str, leads: int
) -> None:
    prepare(bootstrap, namespace)
    asyncio.run(live(bootstrap, namespace, leads))
    _compare(Snapshot(bootstrap, namespace), namespace, leads)


def _compare(source: Source, namespace: str, leads: int) -> None:
    book, keys, published = read_book(source), 0, Counter[bytes]()
    there: Counter[bytes] = Counter()
    for name, partition in PLACES:
        findings: list[Finding] = []
        TaskAudit(source, REDUCERS[name], partition, book, namespace).run(
            lambda *_: None, findings.append
        )
        assert findings == []
        live_state = held(source.read(changelog_topic(name), partition))
        replay = Replay(source, name, partition, Limits(outputs=700, wakes=5_000))
        decode = codec_for(BatchJournal).decode
        replay.follow(
            decode(record.value or b"") for record in source.read(journal_topic(name), partition)
        )
        state = held(replay.log.records(changelog_topic(name), partition))
        position, own = (
            codec_for(Position).decode(states.pop(POSITION_KEY)) for states in (live_state, state)
        )
        assert (own.now_ms, own.adopted) == (position.now_ms, position.adopted)
        assert state == live_state
        keys += len(state)
        published += replay.log.said
    for topic in {topic for reducer in REDUCERS.values() for topic in reducer.outputs}:
        for partition in range(PARTITIONS):
            ours = (
                record
                for record in source.read(topic, partition)
                if record.header("baton_cause") is not None
            )
            there.update(said(topic, record.key, record.value, record.headers) for record in ours)
    assert published == there
    assert keys > leads
    assert len(there) > leads
    topics = Counter(element[:-16].decode() for element in there.elements())
    assert (
        min(
            topics[entry]
            for entry in (
                "scorer.transfers.v1",
                "scorer.buying.v1",
                "scorer.backlog.v1",
                "leads.stages.v1",
            )
        )
        > 5
    )


def test_a_difference_of_one_byte_in_one_state_would_be_seen() -> None:
    log = Deaf()
    log.append(changelog_topic("lead"), 0, b"hl1", b"state")
    log.append(changelog_topic("lead"), 0, b"hl2", b"gone")
    log.append(changelog_topic("lead"), 0, b"hl2", None)
    assert held(log.records(changelog_topic("lead"), 0)) == {b"hl1": b"state"}
    assert said("leads.scored.v1", b"k", b"v", [("ce_id", b"1")]) != said(
        "leads.scored.v1", b"k", b"w", [("ce_id", b"1")]
    )
