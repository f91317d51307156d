"""What the engine on Kafka asks of its clients where only the client can show it: how long a
transaction may stay open, how partitions are shared out, and how far behind a tick an idle task
stays."""

import inspect

from baton.engine.kafka import group
from baton.engine.kafka.broker_clock import GRACE_MS, BrokerClock, ask
from baton.engine.kafka.transaction import TRANSACTION_TIMEOUT_MS, Transactions


def test_a_transaction_that_its_owner_left_open_ends_after_ten_seconds() -> None:
    assert TRANSACTION_TIMEOUT_MS == 10_000
    assert "transaction_timeout_ms=TRANSACTION_TIMEOUT_MS" in inspect.getsource(Transactions)


def test_partitions_of_one_number_stay_together() -> None:
    """Only the range assignor gives the k-th partition of every input to one member."""
    assert "partition_assignment_strategy=(RangePartitionAssignor,)" in inspect.getsource(group)


async def test_the_time_of_an_idle_task_is_that_of_its_tick_less_a_second() -> None:
    assert GRACE_MS == 1_000

    class Cluster:
        async def tick(self, reducer: str, partition: int) -> int:
            return 50_000

        async def ends(self, places: list[tuple[str, int]]) -> dict[tuple[str, int], int]:
            return dict.fromkeys(places, 7)

    clock = BrokerClock(monotonic=lambda: 0.0)
    horizon = await ask(Cluster(), clock, "counter", ("in.v1",), 0)  # type: ignore[arg-type]  # what it asks of a cluster
    assert (horizon.to_ms, dict(horizon.ends)) == (49_000, {"in.v1": 7})
