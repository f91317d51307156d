"""The private attributes of client libraries that the engine uses: each test fails when a new
version changes one."""

import ast
import asyncio
import inspect
from pathlib import Path
from typing import Any

import faust
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.client import AIOKafkaClient
from aiokafka.consumer import consumer as consumer_module
from aiokafka.consumer.fetcher import Fetcher
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.consumer.subscription_state import SubscriptionState
from aiokafka.errors import GroupAuthorizationFailedError, ProducerFenced
from aiokafka.producer.transaction_manager import TransactionManager
from prometheus_client import CollectorRegistry, Counter

from baton.engine.kafka import client_internals as internals

AT = TopicPartition("topic", 0)
ENGINE = Path(internals.__file__).parents[1]
PRIVATE = {
    "_fetcher",
    "_prefetch_backoff",
    "_fetch_max_wait_ms",
    "_coordinator",
    "_subscription",
    "_txn_manager",
    "_message_accumulator",
    "_drain_waiter",
    "_metrics",
    "_sentinel_task",
}


class Holder:
    """A consumer with real parts, without a broker."""

    def __init__(self, **parts: Any) -> None:
        vars(self).update(parts)


@pytest.fixture
async def fetcher() -> Any:
    client = AIOKafkaClient(bootstrap_servers="127.0.0.1:1")
    made = Fetcher(client, SubscriptionState(), fetch_max_wait_ms=500, prefetch_backoff=0.1)
    yield made
    await made.close()


async def test_the_prefetch_backoff_and_the_fetch_wait_of_a_running_fetcher_can_be_set(
    fetcher: Fetcher,
) -> None:
    consumer: Any = Holder(_fetcher=fetcher)
    assert (fetcher._prefetch_backoff, fetcher._fetch_max_wait_ms) == (0.1, 500)
    internals.disable_prefetch_backoff(consumer)
    internals.set_fetch_max_wait(consumer, 50)
    assert (fetcher._prefetch_backoff, fetcher._fetch_max_wait_ms) == (0.0, 50)


def test_the_fetcher_reads_them_again_for_every_fetch() -> None:
    assert "self._fetch_max_wait_ms" in inspect.getsource(Fetcher._get_actions_per_node)
    assert "backoff=self._prefetch_backoff" in inspect.getsource(Fetcher._proc_fetch_request)


def test_a_consumer_keeps_its_fetcher_and_coordinator_under_these_names() -> None:
    source = inspect.getsource(consumer_module)
    assert "self._fetcher = Fetcher(" in source
    assert "self._coordinator = GroupCoordinator(" in source


async def test_check_errors_of_a_coordinator_raises_what_ended_its_membership() -> None:
    client = AIOKafkaClient(bootstrap_servers="127.0.0.1:1")
    coordinator = GroupCoordinator(
        client, SubscriptionState(), group_id="g", enable_auto_commit=False
    )
    consumer: Any = Holder(_coordinator=coordinator)
    internals.check_group_errors(consumer)  # nothing is wrong yet
    coordinator._pending_exception = GroupAuthorizationFailedError("g")
    with pytest.raises(GroupAuthorizationFailedError):
        internals.check_group_errors(consumer)
    await coordinator.close()


async def test_the_member_id_of_a_consumer_is_empty_until_it_has_joined() -> None:
    client = AIOKafkaClient(bootstrap_servers="127.0.0.1:1")
    coordinator = GroupCoordinator(
        client, SubscriptionState(), group_id="g", enable_auto_commit=False
    )
    consumer: Any = Holder(_coordinator=coordinator)
    assert internals.member_id(consumer) == ""
    coordinator.member_id = "toy-1"
    assert internals.member_id(consumer) == "toy-1"
    await coordinator.close()


async def test_who_stops_joining_joins_no_more_and_closing_it_again_is_nothing() -> None:
    client = AIOKafkaClient(bootstrap_servers="127.0.0.1:1")
    coordinator = GroupCoordinator(
        client, SubscriptionState(), group_id="g", enable_auto_commit=False
    )
    consumer: Any = Holder(_coordinator=coordinator)
    assert not coordinator._coordination_task.done()
    await internals.stop_joining(consumer)
    assert coordinator._coordination_task.done()
    await coordinator.close()


async def test_the_state_of_an_assigned_partition_has_its_position_and_ends() -> None:
    consumer = AIOKafkaConsumer(bootstrap_servers="127.0.0.1:1", enable_auto_commit=False)
    consumer._subscription.assign_from_user([AT])
    state = internals.partition_state(consumer, AT)
    assert state is not None
    assert not state.has_valid_position
    state.seek(7)
    assert (state.has_valid_position, state.position) == (True, 7)
    assert (state.highwater, state.lso) == (None, None)
    for no_more in (
        consumer._subscription.unsubscribe,
        lambda: consumer._subscription.subscribe({"topic"}),
    ):
        no_more()
        assert internals.partition_state(consumer, AT) is None


async def test_the_end_of_an_open_transaction_is_a_future() -> None:
    producer = AIOKafkaProducer(bootstrap_servers="127.0.0.1:1", transactional_id="t")
    manager = producer._txn_manager
    assert isinstance(manager, TransactionManager)
    manager.set_pid_and_epoch(1, 0)
    manager.begin_transaction()
    ending = internals.transaction_end(producer)
    assert isinstance(ending, asyncio.Future)
    assert not ending.done()


async def test_the_error_of_a_producer_that_fails_lies_with_batches_that_were_never_sent() -> None:
    producer = AIOKafkaProducer(bootstrap_servers="127.0.0.1:1")
    held = producer._message_accumulator
    builder = producer.create_batch()
    builder.append(timestamp=0, key=b"k", value=b"v")
    delivered = await held.add_batch(builder, AT, 1.0)
    assert [waiter.done() for waiter in internals.waiters_of_unsent(producer)] == [False]
    held.fail_all(ProducerFenced())
    (waiter,) = internals.waiters_of_unsent(producer)
    assert isinstance(waiter.exception(), ProducerFenced)
    with pytest.raises(ProducerFenced):
        await delivered


def test_the_known_series_of_a_metric_are_its_label_values() -> None:
    counter = Counter("probe", "A probe", ("word",), registry=CollectorRegistry())
    assert internals.series(counter) == {}
    counter.labels("a").inc()
    assert list(internals.series(counter)) == [("a",)]


def test_faust_s_worker_still_sleeps_at_its_end_in_a_coroutine_that_can_be_replaced() -> None:
    assert inspect.iscoroutinefunction(faust.Worker._sentinel_task)
    assert "asyncio.sleep(1.0" in inspect.getsource(faust.Worker._sentinel_task)
    assert "spinner" in inspect.getsource(faust.Worker.__init__)


def test_an_app_makes_no_directory(tmp_path: Path) -> None:
    assert "_create_directories()" in inspect.getsource(faust.App.on_first_start)
    for kind, made in ((faust.App, True), (internals.DisklessApp, False)):
        folder = tmp_path / kind.__name__
        kind("probe", broker="kafka://127.0.0.1:1", datadir=folder)._create_directories()
        assert folder.exists() == made


def uses(path: Path) -> set[str]:
    """The private attributes of libraries that a file reads or sets, on anything but itself."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Attribute) and node.attr in PRIVATE:
            own = isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")
            found |= set() if own else {node.attr}
    return found


def test_no_other_file_of_the_engine_uses_one_of_them(tmp_path: Path) -> None:
    others = {
        path.name: used
        for path in ENGINE.rglob("*.py")
        if path.name != "client_internals.py" and (used := uses(path))
    }
    assert others == {}
    planted = tmp_path / "planted.py"
    planted.write_text("def f(consumer):\n    return consumer._fetcher\n")
    assert uses(planted) == {"_fetcher"}
