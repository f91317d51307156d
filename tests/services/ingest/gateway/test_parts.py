"""Small parts of the gateway by themselves: fair shares, the watch over what is processed, the
registry of sources."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import httpx
import pytest
from aiokafka.errors import KafkaConnectionError
from hypothesis import given
from hypothesis import strategies as st

from baton.engine.kafka.cluster import Committed
from baton.intake.line_reading import read_line
from baton.settings import Settings
from services.ingest.gateway.adapters.protocol import (
    Adapter,
    Answer,
    Delivery,
    Endpoint,
    RequestHead,
)
from services.ingest.gateway.adapters.registry import ADAPTERS
from services.ingest.gateway.app import Gateway
from services.ingest.gateway.backlog import BacklogWatch, Progress
from services.ingest.gateway.fair_shares import FairPool
from services.ingest.gateway.parsing import Taken, Unpacked
from services.ingest.gateway.problem_details import Refused
from services.ingest.gateway.process import GatewayProcess
from services.ingest.gateway.write_keys import KeyRing, Scope, WriteKey, key_ring
from services.ingest.settings import GatewaySettings
from tests.services.ingest.gateway.running_gateway import KEYS, WEB, Served

# --- fair shares


@given(
    st.integers(1, 100),
    st.lists(st.tuples(st.sampled_from("abcd"), st.booleans(), st.integers(1, 20)), max_size=200),
)
def test_shares_never_exceed_what_there_is_and_a_newcomer_finds_something(
    capacity: int, moves: list[tuple[str, bool, int]]
) -> None:
    pool, held = FairPool(capacity), dict.fromkeys("abcd", 0)
    for name, takes, amount in moves:
        if takes:
            free = pool.free
            taken = pool.take(name, amount)
            assert taken == (amount <= free and held[name] < free)
            held[name] += amount * taken
        elif held[name]:
            pool.give_back(name, held[name])
            held[name] = 0
        assert pool.free == capacity - sum(held.values()) >= 0


@pytest.mark.parametrize(("senders", "share"), [(1, 32), (2, 21), (3, 16), (7, 8)])
def test_senders_that_take_all_they_can_get_equal_shares_and_leave_one_for_the_next(
    senders: int, share: int
) -> None:
    pool = FairPool(64)
    held = dict.fromkeys(range(senders), 0)
    for _ in range(64):
        for name in held:
            held[name] += pool.take(str(name))
    assert all(share <= number <= share + 1 for number in held.values())
    assert pool.take("next")


# --- whether what is taken is processed

P0, P1 = ("intake.keyed.v1", 0), ("intake.keyed.v1", 1)


@pytest.mark.parametrize(
    ("looks", "stalled"),
    [
        ([(0, 0), (5, 5), (5, 5)], 0),
        ([(5, 0), (9, 0), (12, 0)], 20),
        ([(5, 0), (9, 4), (12, 4)], 10),
        ([(5, 0), (9, 4), (12, 8)], 0),
        ([(5, 0), (9, 0), (9, 9)], 0),
        ([(5, 0), (5, 5), (9, 5)], 0),
        ([(5, 5), (9, 5), (9, 5), (9, 5)], 20),
    ],
    ids=[
        "all processed",
        "none ever",
        "one move in between",
        "slow",
        "caught up",
        "idle before",
        "stopped after an idle time",
    ],
)
def test_what_counts_as_standing_still_is_that_something_waits_and_nothing_moves(
    looks: list[tuple[int, int]], stalled: float
) -> None:
    progress, found = Progress(), 0.0
    for number, (end, committed) in enumerate(looks):
        found = progress.observe({P0: end}, {P0: committed}, 10.0 * number)
    assert found == stalled


def test_a_partition_that_moves_keeps_the_gateway_open_for_all() -> None:
    progress = Progress()
    progress.observe({P0: 5, P1: 5}, {P0: 0, P1: 0}, 0.0)
    assert progress.observe({P0: 9, P1: 9}, {P0: 0, P1: 7}, 100.0) == 0.0


class Brokers:
    """Ends and commits as they are said to be; ``away`` raises."""

    def __init__(self) -> None:
        self.end, self.committed_to, self.away = 0, 0, False

    async def ends(self, places: Any) -> dict[Any, int]:
        if self.away:
            raise KafkaConnectionError("away")
        return dict.fromkeys(places, self.end)

    async def committed(self, reducer: str, places: Any) -> dict[Any, Committed]:
        assert reducer == "identify"
        return {place: Committed(offset=self.committed_to, metadata="") for place in places}


async def test_the_gateway_halts_after_the_limit_and_takes_again_as_soon_as_something_moves() -> (
    None
):
    brokers, clock = Brokers(), {"s": 0.0}
    watch = BacklogWatch(brokers, limit_s=60.0, seconds=lambda: clock["s"])  # type: ignore[arg-type]
    assert watch.unanswered()
    reported: list[tuple[bool, bool]] = []
    for at, end, committed, away in [
        (0, 5, 5, False),
        (10, 9, 5, False),
        (70, 9, 5, False),
        (71, 12, 5, False),
        (75, 12, 5, True),
        (80, 12, 6, False),
        (150, 12, 6, True),
    ]:
        clock["s"], brokers.end, brokers.committed_to, brokers.away = at, end, committed, away
        await watch._look([P0])
        reported.append((watch.halted() is not None, watch.unanswered()))
    assert reported == [
        (False, False),
        (False, False),
        (False, False),
        (True, False),
        (True, False),
        (False, False),
        (False, True),
    ]


async def test_while_it_is_halted_every_request_is_answered_503_with_retry_after_and_nothing_is_taken() -> (
    None
):
    served, own = Served(), GatewaySettings(write_keys=KEYS)
    halted = {"reason": "not processed"}
    app = Gateway(served.publish, key_ring(own), own, halted=lambda: halted.get("reason")).app()
    body = json.dumps({"userId": "u", "event": "x"})
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://127.0.0.1", auth=(WEB, "")
    ) as client:
        answer = await client.post("/v1/track", content=body)
        assert (answer.status_code, answer.json()["code"], answer.headers["retry-after"]) == (
            503,
            "not_processed",
            "10",
        )
        assert served.records == []
        halted.clear()
        assert (await client.post("/v1/track", content=body)).status_code == 202
    assert len(served.records) == 1


# --- sources


def test_no_two_sources_share_an_address_and_each_has_a_name_for_people() -> None:
    endpoints = [endpoint for adapter in ADAPTERS for endpoint in adapter.endpoints]
    paths = [endpoint.path for endpoint in endpoints]
    assert len(paths) == len(set(paths))
    assert all(endpoint.summary and endpoint.method in ("GET", "POST") for endpoint in endpoints)


class Bell:
    """A source of one's own: it authenticates by its body, sends plain words, and wants to read
    "rung"."""

    endpoints = (
        Endpoint(path="/hooks/bell", summary="A bell", content={"text/plain": {"type": "string"}}),
    )

    def authenticate(self, head: RequestHead, keys: KeyRing) -> WriteKey | None:
        return None

    def authenticate_body(self, delivery: Delivery, keys: KeyRing) -> WriteKey:
        if not delivery.body.startswith(b"ding "):
            raise Refused(401, "unauthorized", "No bell.")
        return WriteKey(name="bell", scopes=frozenset({Scope.ENGAGEMENT}))

    def unpack(self, delivery: Delivery) -> Unpacked:
        def read(word: Any) -> Any:
            event: Mapping[str, Any] = {
                "kind": "engagement",
                "occurred_at": delivery.received_at_ms,
                "identifiers": {"user": word},
                "engagement": {"act": "bell"},
            }
            return read_line(event)

        return Unpacked(items=delivery.body.decode().split()[1:], read=read)

    def answer(self, head: RequestHead, taken: Taken) -> Answer:
        return Answer(status=200, content=b"rung", media_type="text/plain")


async def test_a_source_of_ones_own_is_one_class_and_the_rest_is_the_gateways() -> None:
    served, own = Served(), GatewaySettings(write_keys=KEYS)
    bell: Adapter = Bell()
    app = Gateway(served.publish, key_ring(own), own).app((*ADAPTERS, bell))
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://127.0.0.1"
    ) as client:
        rung = await client.post("/hooks/bell", content=b"ding ann ben")
        wrong = await client.post("/hooks/bell", content=b"dong")
        described = (await client.get("/openapi.json")).json()["paths"]
    assert (rung.status_code, rung.text, wrong.status_code) == (200, "rung", 401)
    assert [(record.source, record.identifiers[0].value) for record in served.records] == [
        ("bell", "ann"),
        ("bell", "ben"),
    ]
    assert "/hooks/bell" in described


# --- the producer is not there yet


async def test_before_the_brokers_have_answered_requests_get_503_and_the_process_is_alive_and_not_ready() -> (
    None
):
    settings = Settings(bootstrap="127.0.0.1:1", metrics_port=0)
    process = GatewayProcess(
        settings, GatewaySettings(write_keys=KEYS, gateway_port=0, max_connections=3)
    )
    public, private = (bound.getsockname()[1] for bound in (process._public, process._private))
    up = asyncio.Event()
    running = asyncio.create_task(process.run(up.set))
    async with asyncio.timeout(60):
        await up.wait()
    try:
        held = [await asyncio.open_connection("127.0.0.1", public) for _ in range(3)]
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{private}") as client:
            answers = {
                path: await client.get(path)
                for path in ("/healthz", "/readyz", "/metrics", "/nothing")
            }
            rebound = await client.get("/readyz", headers={"host": "evil.example"})
        for _, writer in held:
            writer.close()
        await asyncio.sleep(0.2)
        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{public}", auth=(WEB, "")
        ) as client:
            taken = await client.post("/v1/track", json={"userId": "u", "event": "x"})
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert {path: response.status_code for path, response in answers.items()} == {
        "/healthz": 200,
        "/readyz": 503,
        "/metrics": 200,
        "/nothing": 404,
    }
    assert rebound.status_code == 403
    assert answers["/readyz"].json()["reasons"] == [
        "not connected to the brokers",
        "the brokers do not answer",
    ]
    assert "baton_http_connections 3.0" in answers["/metrics"].text
    assert 'baton_http_refused_total{status="503"}' in answers["/metrics"].text
    assert (taken.status_code, taken.json()["code"], taken.headers["retry-after"]) == (
        503,
        "not_acknowledged",
        "2",
    )
