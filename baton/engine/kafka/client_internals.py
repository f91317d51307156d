"""Every use of a private attribute of aiokafka, prometheus-client and Faust: the only file that may
have one.

Each function says why the public interface does not do. ``tests/engine/test_client_internals.py``
has a test for each that fails when a new version of the library changes what is used here.
"""

from __future__ import annotations

import asyncio
from typing import Any

import faust
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from prometheus_client.metrics import MetricWrapperBase


def disable_prefetch_backoff(consumer: AIOKafkaConsumer) -> None:
    """Let the fetcher go on at once for the other partitions when one is not read out.

    aiokafka would otherwise hold all of them up for 100 ms; there is no option for it.
    """
    consumer._fetcher._prefetch_backoff = 0.0


def set_fetch_max_wait(consumer: AIOKafkaConsumer, wait_ms: int) -> None:
    """Change ``fetch_max_wait_ms`` of a running consumer; the option can only be set at the
    start."""
    consumer._fetcher._fetch_max_wait_ms = wait_ms


def check_group_errors(consumer: AIOKafkaConsumer) -> None:
    """Raise what ended the membership; publicly only ``getmany`` raises it, which paused tasks do
    not call."""
    consumer._coordinator.check_errors()


def member_id(consumer: AIOKafkaConsumer) -> str:
    """Its id in the group, empty while it joins; nothing public gives it."""
    found: str = consumer._coordinator.member_id
    return found


async def stop_joining(consumer: AIOKafkaConsumer) -> None:
    """Be no member any more, and join no more; a member with an instance id does not leave, so
    whoever has the id now stays one. ``stop()`` does this too, but only once everything before it
    has ended."""
    await consumer._coordinator.close()


def partition_state(consumer: AIOKafkaConsumer, at: TopicPartition) -> Any | None:
    """Position, last stable offset and high watermark of a partition; None: it is not assigned any
    more.

    The public accessors assert that it is still assigned, and ``position()`` may wait.
    """
    subscription = consumer._subscription.subscription
    if subscription is None or subscription.assignment is None:
        return None
    return subscription.assignment.state_value(at)


def transaction_end(producer: AIOKafkaProducer) -> asyncio.Future[Any] | None:
    """The future of the open transaction's end, to take its error; nothing public gives it."""
    ending: asyncio.Future[Any] | None = producer._txn_manager.wait_for_transaction_end()
    return ending


def waiters_of_unsent(producer: AIOKafkaProducer) -> list[asyncio.Future[Any]]:
    """What would be set when a batch is taken up for sending, for the batches that were not: a
    producer that fails puts its error there too. Only a full buffer waits for them, so nobody else
    takes the error."""
    held = producer._message_accumulator
    unsent = [batch for batches in held._batches.values() for batch in batches]
    return [batch._drain_waiter for batch in unsent]


def series(metric: MetricWrapperBase) -> dict[tuple[str, ...], Any]:
    """The label values that a metric has had so far; publicly only a whole collection gives
    them."""
    known: dict[tuple[str, ...], Any] = metric._metrics  # type: ignore[assignment]
    return known


class DisklessApp(faust.App):
    """Faust's app without the directories that it makes at its start for tables which Baton does
    not have: a worker that was killed would leave them behind, one set for each start."""

    def _create_directories(self) -> None:
        pass


class QuietWorker(faust.Worker):
    """Faust's worker without a spinner, and without the second that it sleeps at its end for no
    one."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.spinner = None

    async def _sentinel_task(self) -> None:
        await asyncio.sleep(0)
