"""Records gather between two hand-overs to the producer; who comes alone does not wait."""

from __future__ import annotations

import asyncio

from services.ingest.gateway.publishing_pause import PublishingPause

LONG_S = 3_600.0


async def _begun(pause: PublishingPause, number: int) -> list[asyncio.Task[None]]:
    tasks = [asyncio.create_task(pause.passed()) for _ in range(number)]
    for _ in range(5):
        await asyncio.sleep(0)
    return tasks


async def test_the_first_goes_at_once_and_those_after_it_wait_for_the_end_of_the_pause() -> None:
    (first, *later) = await _begun(PublishingPause(LONG_S), 4)
    assert first.done()
    assert not any(task.done() for task in later)
    for task in later:
        task.cancel()


async def test_all_that_wait_go_in_one_round_in_the_order_they_came_and_the_next_waits_again() -> (
    None
):
    pause, gone = PublishingPause(0.01), []

    async def hand_over(number: int) -> None:
        await pause.passed()
        gone.append((number, asyncio.get_running_loop().time()))

    async with asyncio.timeout(60):
        await asyncio.gather(*(hand_over(number) for number in range(20)))
        await hand_over(20)
    assert [number for number, _ in gone] == list(range(21))
    assert gone[1][1] - gone[0][1] >= 0.009
    assert gone[20][1] - gone[1][1] >= 0.009


async def test_who_leaves_while_waiting_takes_nobody_along() -> None:
    pause = PublishingPause(0.01)
    _, leaves, stays = await _begun(pause, 3)
    leaves.cancel()
    async with asyncio.timeout(60):
        await stays
    assert leaves.done()


async def test_after_a_pause_with_nobody_waiting_the_next_goes_at_once() -> None:
    pause = PublishingPause(0.001)
    await pause.passed()
    await asyncio.sleep(0.05)
    (task,) = await _begun(pause, 1)
    assert task.done()
