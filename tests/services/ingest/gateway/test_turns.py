"""The gateway shares the event loop with the worker's reducers: whatever comes in, everything else has its turn."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine, Generator, Iterator, Sequence
from itertools import count
from typing import Any

import httpx
import pytest

from baton.contracts.intake import Identifier, IntakeRecord
from baton.settings import Settings
from services.ingest.gateway import producer
from services.ingest.gateway.app import Gateway
from services.ingest.gateway.producer import Publisher
from services.ingest.gateway.request_body import MAX_BODY_BYTES, MAX_EVENTS
from services.ingest.gateway.time_slices import EVENTS_A_TURN, Turns
from services.ingest.gateway.write_keys import key_ring
from services.ingest.settings import GatewaySettings

NOW = 1_772_445_600_000
TURNS = MAX_EVENTS // EVENTS_A_TURN
LINES = [
    {"kind": "engagement", "id": str(n), "occurred_at": NOW, "identifiers": {"anonymous": f"n{n}"}, "engagement": {"act": "form"}}
    for n in range(MAX_EVENTS)
]
CALLS = [{"type": "track", "messageId": str(n), "anonymousId": f"n{n}", "event": "Form"} for n in range(MAX_EVENTS)]
COMPACT = (",", ":")
BATCHES: dict[str, tuple[str, bytes, str]] = {
    "a list": ("/v1/events", json.dumps(LINES, separators=COMPACT).encode(), "application/json"),
    "lines": ("/v1/events", "\n".join(map(json.dumps, LINES)).encode(), "application/x-ndjson"),
    "Segment's calls": ("/v1/batch", json.dumps({"batch": CALLS}).encode(), "application/json"),
}
SMALL = json.dumps({"event": "Form", "anonymousId": "n"}).encode()


class Order:
    """Takes records as the brokers would, and keeps the sizes of the requests in the order in which they came to it."""

    def __init__(self) -> None:
        self.sizes: list[int] = []

    async def __call__(self, records: Sequence[IntakeRecord], traceparent: str | None) -> None:
        self.sizes.append(len(records))


@pytest.fixture
def order() -> Order:
    return Order()


@pytest.fixture
async def client(order: Order) -> AsyncIterator[httpx.AsyncClient]:
    own = GatewaySettings(insecure=True)
    app = Gateway(order, key_ring(own), own, now_ms=lambda: NOW, seconds=lambda: 0.0).app()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gateway") as found:
        yield found


async def turns_of_the_loop(work: Coroutine[Any, Any, Any]) -> tuple[int, Any]:
    """How often something else on the loop had its turn until ``work`` was done, and what that gave."""
    task, turns = asyncio.ensure_future(work), 0
    while not task.done():
        turns += 1
        await asyncio.sleep(0)
    return turns, task.result()


def _post(client: httpx.AsyncClient, path: str, body: bytes, kind: str) -> Coroutine[Any, Any, httpx.Response]:
    return client.post(path, content=body, headers={"content-type": kind})


@pytest.mark.parametrize(("path", "body", "kind"), BATCHES.values(), ids=BATCHES)
async def test_the_loop_goes_on_turning_while_a_body_of_2500_events_is_taken(
    path: str, body: bytes, kind: str, client: httpx.AsyncClient
) -> None:
    assert len(body) <= MAX_BODY_BYTES
    few, small = await turns_of_the_loop(_post(client, "/v1/track", SMALL, "application/json"))
    many, large = await turns_of_the_loop(_post(client, path, body, kind))
    assert (small.status_code, large.status_code, large.json()["accepted"]) == (202, 202, MAX_EVENTS)
    assert many >= few + TURNS


@pytest.mark.parametrize(("path", "body", "kind"), BATCHES.values(), ids=BATCHES)
async def test_a_small_request_is_answered_before_a_large_one_that_came_first(
    path: str, body: bytes, kind: str, client: httpx.AsyncClient, order: Order
) -> None:
    large = asyncio.create_task(_post(client, path, body, kind))
    await asyncio.sleep(0)
    small = await _post(client, "/v1/track", SMALL, "application/json")
    assert small.status_code == 202
    assert not large.done()
    assert (await large).status_code == 202
    assert order.sizes == [1, MAX_EVENTS]


async def test_a_body_of_bad_events_leaves_the_loop_its_turns_too(client: httpx.AsyncClient) -> None:
    body = b"\n".join([b'{"kind":"gossip","x":1}'] * MAX_EVENTS)
    turns, answer = await turns_of_the_loop(_post(client, "/v1/events", body, "application/x-ndjson"))
    assert (answer.status_code, answer.json()["code"]) == (422, "nothing_taken")
    assert turns >= TURNS


# --- sending


class Room:
    """A producer with room for everything: a send never waits."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []

    async def start(self) -> None: ...

    async def partitions_for(self, topic: str) -> set[int]:
        return {0}

    async def send(self, topic: str, value: bytes, **more: Any) -> asyncio.Future[object]:
        self.sent.append(more["key"])
        future: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        future.set_result(None)
        return future


async def test_the_loop_goes_on_turning_while_2500_records_are_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    room = Room()
    monkeypatch.setattr(producer, "AIOKafkaProducer", lambda **options: room)
    publisher = Publisher(Settings(bootstrap="127.0.0.1:1"))
    await publisher.start()
    who = (Identifier(scheme="user", value="u"),)
    records = [
        IntakeRecord(event_id=f"{n:032}", source="web", kind="link", occurred_at_ms=NOW, identifiers=who)
        for n in range(MAX_EVENTS)
    ]
    turns, _ = await turns_of_the_loop(publisher(records, None))
    assert len(room.sent) == MAX_EVENTS
    assert turns >= TURNS


# --- turns


class Worked:
    """Pieces of work that write down when each step was."""

    def __init__(self) -> None:
        self.steps: list[str] = []

    def work(self, name: str, steps: int, fails: bool = False) -> Generator[None, None, str]:
        for _ in range(steps):
            self.steps.append(name)
            yield
        if fails:
            raise LookupError(name)
        return name

    @property
    def runs(self) -> list[tuple[str, int]]:
        """Steps that came one after the other, together."""
        runs: list[tuple[str, int]] = []
        for each in self.steps:
            if runs and runs[-1][0] == each:
                runs[-1] = (each, runs[-1][1] + 1)
            else:
                runs.append((each, 1))
        return runs


def _still() -> float:
    return 0.0


def _running(by: float) -> Callable[[], float]:
    moments: Iterator[int] = count()
    return lambda: next(moments) * by


async def test_large_bodies_are_worked_on_one_after_the_other_and_small_ones_in_between() -> None:
    worked, turns = Worked(), Turns(_still)
    large = 2 * EVENTS_A_TURN
    found = await asyncio.gather(
        turns.taken(worked.work("a", large), MAX_BODY_BYTES),
        turns.taken(worked.work("b", large), MAX_BODY_BYTES),
        turns.taken(worked.work("c", 1), 100),
    )
    assert list(found) == ["a", "b", "c"]
    assert worked.runs == [("a", EVENTS_A_TURN), ("c", 1), ("a", EVENTS_A_TURN), ("b", large)]


async def test_events_that_take_long_make_shorter_turns() -> None:
    worked, turns = Worked(), Turns(_running(0.0015))
    await asyncio.gather(turns.taken(worked.work("a", 6), 100), turns.taken(worked.work("b", 6), 100))
    assert worked.runs == [(name, 2) for name in "ababab"]


async def test_work_that_fails_says_so_and_lets_the_next_large_body_in() -> None:
    worked, turns = Worked(), Turns(_still)
    with pytest.raises(LookupError, match="a"):
        await turns.taken(worked.work("a", EVENTS_A_TURN + 1, fails=True), MAX_BODY_BYTES)
    assert await turns.taken(worked.work("b", 1), MAX_BODY_BYTES) == "b"


async def test_a_request_that_is_given_up_lets_the_next_large_body_in() -> None:
    worked, turns = Worked(), Turns(_still)
    given_up = asyncio.create_task(turns.taken(worked.work("a", 10 * EVENTS_A_TURN), MAX_BODY_BYTES))
    await asyncio.sleep(0)
    given_up.cancel()
    assert await turns.taken(worked.work("b", 1), MAX_BODY_BYTES) == "b"
    assert worked.runs == [("a", EVENTS_A_TURN), ("b", 1)]
