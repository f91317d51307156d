"""Records onto ``intake.keyed.v1``, by an idempotent producer: back when every broker that must
have them has them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from baton.clients import client_options
from baton.contracts.codec import codec_for
from baton.contracts.intake import IntakeRecord
from baton.contracts.partitioner import partition_of
from baton.contracts.topic_names import INTAKE_KEYED, LEADS_INBOX
from baton.contracts.topics import dead_letter_topic, physical
from baton.engine.record_headers import rfc3339
from baton.intake.keyed_records import key_of
from baton.settings import Settings
from services.ingest.gateway.app import NotPublished
from services.ingest.gateway.publishing_pause import PublishingPause
from services.ingest.gateway.source_dead_letters import DeadLetter

log = logging.getLogger(__name__)

_MAX_SOURCE_BYTES = 200


class Publisher:
    """The gateway's producer. One that failed for good (its sequence was lost) is replaced by a new
    one. ``pause_ms``: between two hand-overs of records to it, in which they gather."""

    def __init__(
        self, settings: Settings, *, pause_ms: int = 10, request_timeout_ms: int = 30_000
    ) -> None:
        self._options = {
            **client_options(settings),
            "acks": "all",
            "enable_idempotence": True,
            "compression_type": "zstd",
            "request_timeout_ms": request_timeout_ms,
            "retry_backoff_ms": 20,
        }
        self._topic = physical(settings.namespace, INTAKE_KEYED)
        self._dead = physical(settings.namespace, dead_letter_topic(LEADS_INBOX))
        self._encode = codec_for(IntakeRecord).encode
        self._pause = PublishingPause(pause_ms / 1000)
        self._producer: AIOKafkaProducer | None = None
        self._replacing = asyncio.Lock()

    async def start(self) -> None:
        """Connect."""
        producer = AIOKafkaProducer(**self._options)
        try:
            await producer.start()
        except BaseException:
            await producer.stop()
            raise
        self._producer = producer

    async def stop(self) -> None:
        """Send what is waiting and disconnect."""
        if self._producer is not None:
            await self._producer.stop()

    async def __call__(self, records: Sequence[IntakeRecord], traceparent: str | None) -> None:
        """Publish all; raises :class:`NotPublished` unless each was acknowledged."""
        await self._pause.passed()
        producer = self._producer
        assert producer is not None
        try:
            partitions = len(await producer.partitions_for(self._topic))
            waiting = [
                await self._send(producer, record, traceparent, partitions) for record in records
            ]
            results = await asyncio.gather(*waiting, return_exceptions=True)
        except KafkaError as error:
            await self._replace(producer, error)
            raise NotPublished(type(error).__name__) from None
        failed = next((found for found in results if isinstance(found, BaseException)), None)
        if failed is not None:
            await self._replace(producer, failed)
            raise NotPublished(type(failed).__name__)

    async def keep(self, letters: Sequence[DeadLetter]) -> None:
        """Publish all dead letters; raises :class:`NotPublished` unless each was acknowledged."""
        producer = self._producer
        assert producer is not None
        try:
            waiting = [
                await producer.send(self._dead, letter.value, headers=letter.headers())
                for letter in letters
            ]
            await asyncio.gather(*waiting)
        except KafkaError as error:
            await self._replace(producer, error)
            raise NotPublished(type(error).__name__) from None

    async def _send(
        self,
        producer: AIOKafkaProducer,
        record: IntakeRecord,
        traceparent: str | None,
        partitions: int,
    ) -> asyncio.Future[object]:
        key, headers = key_of(record), headers_of(record, traceparent)
        partition = partition_of(key.encode(), partitions)
        future: asyncio.Future[object] = await producer.send(
            self._topic,
            self._encode(record),
            key=key.encode(),
            partition=partition,
            headers=headers,
        )
        return future

    async def _replace(self, failed: Any, error: BaseException) -> None:
        """A producer that lost its place in the sequence never gets it back; the events' own ids
        make sending again safe."""
        if getattr(error, "retriable", False):
            return
        async with self._replacing:
            if id(self._producer) != id(failed):
                return  # another request has done so
            log.warning(
                "the gateway's producer failed (%s); starting another", type(error).__name__
            )
            try:
                await self.start()
            except KafkaError as still:
                log.warning(
                    "no other producer could be started (%s); the next request tries again",
                    type(still).__name__,
                )
                return
        await failed.stop()


def headers_of(record: IntakeRecord, traceparent: str | None) -> list[tuple[str, bytes]]:
    """The headers of a record of the gateway. It has no id: an event that is sent again is a record
    of its own, whose consequences (the report that it is a duplicate) must not have the ids of the
    first one's, so the place in the log identifies it."""
    headers = [
        ("ce_source", record.source.encode()[:_MAX_SOURCE_BYTES]),
        ("ce_type", b"baton.IntakeRecord.v1"),
        ("ce_time", rfc3339(record.occurred_at_ms).encode()),
        ("ce_specversion", b"1.0"),
    ]
    return headers if traceparent is None else [*headers, ("traceparent", traceparent.encode())]
