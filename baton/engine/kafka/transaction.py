"""One task's transactional producer: it fences former owners, and writes a batch whole or not at
all.

Safety rests on the one transactional id per input partition: the last producer to start it is the
only one that can commit. aiokafka's ``flush`` and ``commit`` are silent about sends that failed, so
every send's future is awaited before the commit is asked for.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import (
    DuplicateSequenceNumber,
    IllegalOperation,
    InvalidProducerEpoch,
    InvalidProducerIdMapping,
    InvalidTxnState,
    KafkaError,
    NotEnoughReplicasError,
    OutOfOrderSequenceNumber,
    ProducerFenced,
    TransactionalIdAuthorizationFailed,
)
from aiokafka.structs import OffsetAndMetadata

from baton.contracts.topics import changelog_topic, journal_topic
from baton.engine.batch import Batch, Headers
from baton.engine.kafka.client_internals import transaction_end, waiters_of_unsent
from baton.engine.kafka.cluster import Place
from baton.engine.kafka.failpoints import Point
from baton.engine.kafka.host_context import TaskContext
from baton.engine.kafka.loop_share import LoopShare

TRANSACTION_TIMEOUT_MS = 10_000
_BATCH_BYTES = 512 * 1024
_PACKED_A_LOOK = 1_000
_PRODUCE_LIMIT_S = TRANSACTION_TIMEOUT_MS / 1000
_COMMIT_LIMIT_S = 30.0
_ABORT_LIMIT_S = 5.0
_CLOSE_LIMIT_S = 5.0
_REQUEST_TIMEOUT_MS = 10_000
_COMPRESSION = "zstd"
_NO_HEADERS: Headers = []
_RETRY_BACKOFF_MS = 10
"""With the default of 100 every transaction waits that long while the broker writes the markers of
the one before."""

_ENDED = (
    ProducerFenced,
    InvalidProducerEpoch,
    OutOfOrderSequenceNumber,
    DuplicateSequenceNumber,
    InvalidProducerIdMapping,
    InvalidTxnState,
    IllegalOperation,
    TransactionalIdAuthorizationFailed,
)
"""After these errors the producer is useless: another owner has the id, or the broker's view and
ours differ."""


class _MarkersPending(logging.Filter):
    """Keeps a warning out of the log that every busy broker causes: while it writes the markers of
    the last transaction it answers NOT_ENOUGH_REPLICAS, and the client retries."""

    def filter(self, record: logging.LogRecord) -> bool:
        return NotEnoughReplicasError not in (record.args or ())


logging.getLogger("aiokafka.producer.sender").addFilter(_MarkersPending())


class BatchAborted(Exception):
    """Nothing of the batch was committed or will be; it can be tried again."""


class TaskLost(Exception):
    """The producer was fenced, or whether the batch was committed is unknown: only a new start can
    report."""


class Transactions:
    """The producer of one task. :meth:`open` fences every former owner and ends the transaction
    that it left open."""

    def __init__(self, task: TaskContext) -> None:
        reducer, partition = task.reducer.name, task.partition
        self._task, self._cluster, self._partition = task, task.host.cluster, partition
        self._group = self._cluster.group(reducer)
        self._changelog, self._journal = (
            (changelog_topic(reducer), partition),
            (journal_topic(reducer), partition),
        )
        self._log = task.log(__name__)
        self._producer: AIOKafkaProducer | None = None

    async def open(self) -> None:
        """``InitProducerId``: returns when no former owner can commit and its last transaction is
        settled."""
        self._producer = AIOKafkaProducer(
            **self._cluster.client,
            transactional_id=f"{self._group}-{self._partition}",
            transaction_timeout_ms=TRANSACTION_TIMEOUT_MS,
            request_timeout_ms=_REQUEST_TIMEOUT_MS,
            retry_backoff_ms=_RETRY_BACKOFF_MS,
            max_batch_size=_BATCH_BYTES,
            compression_type=_COMPRESSION,
        )
        await self._producer.start()

    async def write(self, batch: Batch) -> int | None:
        """Commit everything of ``batch`` in one transaction; raises :class:`BatchAborted` or
        :class:`TaskLost`.

        Gives the offset at which this batch begins in the changelog: a kept state is restored from
        there, and that restore reads the position record of this batch again.
        """
        assert self._producer is not None
        self._task.reached(Point.PRODUCING)
        try:
            await self._producer.begin_transaction()
            began_at = await self._produce(batch)
            self._task.reached(Point.COMMITTING)
        except Exception as error:  # the one place where a failed transaction is judged
            await self._abort(error)
            if not isinstance(error, KafkaError | TimeoutError | OSError):
                raise  # not the brokers' doing: trying again would give the same
            raise BatchAborted(type(error).__name__) from error
        try:
            async with asyncio.timeout(_COMMIT_LIMIT_S):
                await self._producer.commit_transaction()
        except Exception as error:
            raise TaskLost(
                f"it is unknown whether batch {batch.number} was committed: {_said(error)}"
            ) from error
        self._task.reached(Point.COMMITTED)
        return began_at

    async def close(self) -> None:
        """Close the producer; an open transaction is left to time out or to be fenced."""
        producer, self._producer = self._producer, None
        if producer is None:
            return
        ending = transaction_end(producer)
        for waiter in (*([] if ending is None else [ending]), *waiters_of_unsent(producer)):
            _take_error(waiter)
        try:
            async with asyncio.timeout(_CLOSE_LIMIT_S):
                await producer.stop()
        except TimeoutError:  # it waits for a broker that does not answer
            await producer.client.close()
        except KafkaError as error:  # its sender ended with an error that was handled already
            self._log.debug("closing the producer: %s", _said(error))
            await producer.client.close()

    async def _produce(self, batch: Batch) -> int | None:
        producer = self._producer
        assert producer is not None
        sends: list[asyncio.Future[Any]] = []
        try:
            async with asyncio.timeout(_PRODUCE_LIMIT_S):
                await self._send(sends, batch)
                self._task.reached(Point.PRODUCED)
                await producer.send_offsets_to_transaction(self._offsets(batch), self._group)
                self._task.reached(Point.OFFSETS)
                acknowledged = await asyncio.gather(*sends)
        except BaseException:
            for send in sends:  # nobody waits for them any more
                send.add_done_callback(_take_error)
            raise
        changelog = self._cluster.at(self._changelog)
        return min(
            (int(sent.offset) for sent in acknowledged if sent.topic_partition == changelog),
            default=None,
        )

    def _offsets(self, batch: Batch) -> dict[TopicPartition, OffsetAndMetadata]:
        places = {topic: self._cluster.at((topic, self._partition)) for topic in batch.offsets}
        return {
            places[topic]: OffsetAndMetadata(offset, batch.metadata)
            for topic, offset in batch.offsets.items()
        }

    async def _send(self, sends: list[asyncio.Future[Any]], batch: Batch) -> None:
        producer = self._producer
        assert producer is not None
        share = self._task.host.share
        async with share:
            packed = await self._packed(batch, share)
        for place, builder in packed:
            at = self._cluster.at(place)
            sends.append(await producer.send_batch(builder, at.topic, partition=at.partition))

    async def _packed(self, batch: Batch, share: LoopShare) -> list[tuple[Place, Any]]:
        """Everything the batch writes, as batches of the protocol, in the order of each place.

        Packing them ourselves costs a tenth of ``send()``, which hashes and waits record by record.
        """
        assert self._producer is not None
        create, packed, open_ = (
            self._producer.create_batch,
            list[tuple[Place, Any]](),
            dict[Place, Any](),
        )

        def add(place: Place, key: bytes | None, value: bytes | None, headers: Headers) -> None:
            builder = open_.get(place)
            # none or full
            if (
                builder is None
                or builder.append(timestamp=0, key=key, value=value, headers=headers) is None
            ):
                open_[place] = builder = create()
                packed.append((place, builder))
                builder.append(timestamp=0, key=key, value=value, headers=headers)

        for start in range(0, len(batch.outgoing), _PACKED_A_LOOK):
            for out in batch.outgoing[start : start + _PACKED_A_LOOK]:
                add((out.topic, out.partition), out.key, out.value, out.headers)
            await share.rest()
        for start in range(0, len(batch.changelog), _PACKED_A_LOOK):
            for key, value in batch.changelog[start : start + _PACKED_A_LOOK]:
                add(self._changelog, key, value, _NO_HEADERS)
            await share.rest()
        add(self._journal, *batch.journal, _NO_HEADERS)
        return packed

    async def _abort(self, error: Exception) -> None:
        assert self._producer is not None
        if isinstance(error, _ENDED):
            raise TaskLost(
                f"the transactional id has another owner, or is broken: {_said(error)}"
            ) from error
        try:
            async with asyncio.timeout(_ABORT_LIMIT_S):
                await self._producer.abort_transaction()
        except Exception as also:
            raise TaskLost(
                f"the transaction could not be aborted after {_said(error)}: {_said(also)}"
            ) from also


def _take_error(future: asyncio.Future[Any]) -> None:
    """Retrieve the error of a future whose failure was handled already, so that asyncio does not
    log it."""
    if future.done() and not future.cancelled():
        future.exception()


def _said(error: BaseException) -> str:
    return (
        f"{type(error).__name__}: {error}"
        if isinstance(error, KafkaError)
        else type(error).__name__
    )
