"""The proof of the groups upstream: every group is waited for, the last one too, and a group that
feeds itself is asked twice."""

import asyncio
from collections.abc import Collection

import pytest

from baton.engine.kafka.cluster import Committed, Place
from baton.engine.kafka.upstream_proof import UpstreamGroup, UpstreamProof

pytestmark = pytest.mark.timeout(120)

GROUPS = (
    UpstreamGroup(reducer="first", inputs=("a",)),
    UpstreamGroup(reducer="second", inputs=("b",), again=True),
    UpstreamGroup(reducer="last", inputs=("c",)),
)


class FakeCluster:
    """Three topics of one partition with ten records each. ``behind``: a group that has committed
    only nine of them."""

    def __init__(self, behind: str | None = None) -> None:
        self.behind = behind
        self.asked: list[str] = []

    async def partitions(self, topic: str) -> int:
        return 1

    async def ends(self, places: Collection[Place]) -> dict[Place, int]:
        return dict.fromkeys(places, 10)

    async def ends_at(self, places: Collection[Place], at_ms: int) -> dict[Place, int]:
        return dict.fromkeys(places, 10)

    async def committed(self, reducer: str, places: Collection[Place]) -> dict[Place, Committed]:
        self.asked.append(reducer)
        return dict.fromkeys(
            places, Committed(offset=9 if reducer == self.behind else 10, metadata="")
        )


async def test_every_group_upstream_is_asked_in_the_order_of_the_flow() -> None:
    cluster = FakeCluster()
    await UpstreamProof(cluster, GROUPS).prove(1_000)  # type: ignore[arg-type]  # what it asks of a cluster
    assert cluster.asked == ["first", "second", "second", "last"]


@pytest.mark.parametrize("behind", ["first", "second", "last"])
async def test_nothing_is_proven_while_any_group_upstream_is_behind(behind: str) -> None:
    cluster = FakeCluster(behind)
    proof = UpstreamProof(cluster, GROUPS)  # type: ignore[arg-type]  # what it asks of a cluster
    waiting = asyncio.create_task(proof.prove(1_000))
    async with asyncio.timeout(60):
        while cluster.asked.count(behind) < 3:  # noqa: ASYNC110 - what it waits for is only counted
            await asyncio.sleep(0.01)
    assert not waiting.done()
    cluster.behind = None
    await asyncio.wait_for(waiting, 5)
    await proof.close()
