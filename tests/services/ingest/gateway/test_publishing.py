"""The gateway's producer: back only when all is acknowledged; one that failed for good is replaced,
also after an outage."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from aiokafka.errors import (
    KafkaConnectionError,
    KafkaTimeoutError,
    NotEnoughReplicasError,
    OutOfOrderSequenceNumber,
)

from baton.contracts.codec import codec_for
from baton.contracts.intake import Identifier, IntakeRecord
from baton.contracts.partitioner import partition_of
from baton.intake.keyed_records import key_of
from baton.settings import Settings
from services.ingest.gateway import producer
from services.ingest.gateway.app import NotPublished
from services.ingest.gateway.producer import Publisher

RECORDS = [
    IntakeRecord(
        event_id=f"{number:032}",
        source="web",
        kind="profile",
        occurred_at_ms=1_772_445_600_125,
        identifiers=(Identifier(scheme="user", value=f"u{number}"),),
    )
    for number in range(3)
]


class Cluster:
    """What producers find: ``fails`` are errors of the next sends, ``away`` of the next starts."""

    def __init__(self) -> None:
        self.started: list[Producer] = []
        self.sent: list[dict[str, Any]] = []
        self.fails: list[Exception] = []
        self.away: list[Exception] = []


class Producer:
    """A producer without a broker."""

    def __init__(self, cluster: Cluster, options: dict[str, Any]) -> None:
        self._cluster = cluster
        self.options = options
        self.stopped = False

    async def start(self) -> None:
        if self._cluster.away:
            raise self._cluster.away.pop(0)
        self._cluster.started.append(self)

    async def stop(self) -> None:
        self.stopped = True

    async def partitions_for(self, topic: str) -> set[int]:
        return {0, 1, 2, 3} if topic == "lab.intake.keyed.v1" else set()

    async def send(self, topic: str, value: bytes, **more: Any) -> asyncio.Future[object]:
        future: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        if self._cluster.fails:
            future.set_exception(self._cluster.fails.pop(0))
        else:
            self._cluster.sent.append({"topic": topic, "value": value, **more})
            future.set_result(None)
        return future


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Cluster:
    found = Cluster()
    monkeypatch.setattr(producer, "AIOKafkaProducer", lambda **options: Producer(found, options))
    return found


@pytest.fixture
async def publisher(cluster: Cluster) -> Publisher:
    made = Publisher(Settings(bootstrap="127.0.0.1:1", namespace="lab"))
    await made.start()
    return made


async def test_each_record_goes_under_its_identity_with_its_headers_by_an_idempotent_producer(
    cluster: Cluster, publisher: Publisher
) -> None:
    await publisher(RECORDS[:1], "00-trace")
    key = key_of(RECORDS[0]).encode()
    assert cluster.sent == [
        {
            "topic": "lab.intake.keyed.v1",
            "value": codec_for(IntakeRecord).encode(RECORDS[0]),
            "key": key,
            "partition": partition_of(key, 4),
            "headers": [
                ("ce_source", b"web"),
                ("ce_type", b"baton.IntakeRecord.v1"),
                ("ce_time", b"2026-03-02T10:00:00.125Z"),
                ("ce_specversion", b"1.0"),
                ("traceparent", b"00-trace"),
            ],
        }
    ]
    options = cluster.started[0].options
    assert (options["acks"], options["enable_idempotence"]) == ("all", True)


@pytest.mark.parametrize(
    ("error", "replaced"),
    [
        (NotEnoughReplicasError(), False),
        (OutOfOrderSequenceNumber(), True),
        (KafkaTimeoutError(), True),
    ],
)
async def test_one_record_that_fails_fails_the_request_and_a_producer_without_a_future_is_replaced(
    error: Exception, replaced: bool, cluster: Cluster, publisher: Publisher
) -> None:
    cluster.fails = [error]
    with pytest.raises(NotPublished, match=type(error).__name__):
        await publisher(RECORDS, None)
    await publisher(RECORDS, None)
    assert len(cluster.sent) == 2 + 3
    assert [started.stopped for started in cluster.started] == (
        [True, False] if replaced else [False]
    )


async def test_an_outage_is_a_request_not_published_until_another_producer_can_be_started(
    cluster: Cluster, publisher: Publisher
) -> None:
    cluster.fails = [OutOfOrderSequenceNumber(), OutOfOrderSequenceNumber()]
    cluster.away = [KafkaConnectionError("away")]
    for _ in range(2):
        with pytest.raises(NotPublished):
            await publisher(RECORDS[:1], None)
    await publisher(RECORDS[:1], None)
    assert [started.stopped for started in cluster.started] == [True, False]


async def test_an_event_that_is_sent_again_is_a_record_of_its_own_and_has_no_id_in_common_with_the_first(
    cluster: Cluster, publisher: Publisher
) -> None:
    again = replace(RECORDS[0], identifiers=(Identifier(scheme="user", value="another"),))
    await publisher([RECORDS[0], again, RECORDS[0]], None)
    assert [row["key"] for row in cluster.sent] == [
        key_of(record).encode() for record in (RECORDS[0], again, RECORDS[0])
    ]
    assert not any("ce_id" in dict(row["headers"]) for row in cluster.sent)
