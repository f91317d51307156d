"""The walls around the gateway, each against the running server by plain sockets: what is ended,
with what answer, and counted."""

from __future__ import annotations

import asyncio
import json
import tracemalloc
from typing import Any

import pytest
from prometheus_client import REGISTRY
from starlette.requests import Request

from services.ingest.gateway.request_body import MAX_BODY_BYTES, read_body
from tests.cpu_cost import cpu_passes
from tests.services.ingest.gateway.running_gateway import (
    CRM,
    WEB,
    Connection,
    Served,
    post,
    serving,
)

TRACK = json.dumps({"userId": "u", "event": "x", "messageId": "m"}).encode()


def counted(limit: str) -> float:
    return REGISTRY.get_sample_value("baton_http_limited_total", {"limit": limit}) or 0.0


async def still_serves(served: Served) -> None:
    client = await served.connect()
    await client.send(post("/v1/track", TRACK, key=CRM))
    assert (await client.answer(within_s=2.0))[0] == 202
    await client.close()


HEAD = b"POST /v1/track HTTP/1.1\r\nhost: 127.0.0.1\r\n"
TOO_MUCH: dict[str, tuple[bytes, int, str]] = {
    "an endless header": (HEAD + b"x-a: " + b"a" * 400_000, 431, "header_bytes"),
    "an endless name of a header": (HEAD + b"a" * 400_000, 431, "header_bytes"),
    "many short headers": (HEAD + b"".join(b"x-%d: 1\r\n" % n for n in range(101)), 431, "headers"),
    "headers that are too long together": (
        HEAD + b"".join(b"x-%d: %b\r\n" % (n, b"a" * 900) for n in range(20)),
        431,
        "header_bytes",
    ),
    "an endless address": (b"GET /" + b"a" * 400_000, 414, "url"),
    "a long address": (b"GET /" + b"a" * 9_000 + b" HTTP/1.1\r\nhost: x\r\n\r\n", 414, "url"),
    "line breaks without end": (b"\r\n" * 100_000, 431, "header_bytes"),
    "no HTTP": (b"\x16\x03\x01\x02\x00\x01\x00", 400, "malformed"),
    "another version": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, "malformed"),
    "no version": (post("/v1/track", TRACK).replace(b" HTTP/1.1", b"", 1), 400, "malformed"),
    "line feeds alone": (post("/v1/track", TRACK).replace(b"\r\n", b"\n"), 400, "malformed"),
    "a return inside a value": (
        post("/v1/track", TRACK, more=b"x-a: b\rtransfer-encoding: chunked\r\n"),
        400,
        "malformed",
    ),
    "a NUL in a value": (post("/v1/track", TRACK, more=b"x-a: b\0c\r\n"), 400, "malformed"),
    "an upgrade to HTTP/2": (
        post("/v1/track", TRACK, more=b"connection: Upgrade\r\nupgrade: h2c\r\n"),
        400,
        "upgrade",
    ),
    "no host": (
        post("/v1/track", TRACK).replace(b"host: 127.0.0.1\r\n", b""),
        400,
        "malformed",
    ),
    "two hosts": (post("/v1/track", TRACK, more=b"host: other.example\r\n"), 400, "malformed"),
    "a blank before a colon": (
        HEAD + b"transfer-encoding : chunked\r\n\r\n0\r\n\r\n",
        400,
        "malformed",
    ),
    "a coding that is no chunks": (
        HEAD + b"transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        400,
        "malformed",
    ),
    "chunks twice": (
        HEAD + b"transfer-encoding: chunked\r\n" * 2 + b"\r\n0\r\n\r\n",
        400,
        "malformed",
    ),
    "a parameter of chunks": (
        HEAD + b"transfer-encoding: chunked;q=1\r\n\r\n0\r\n\r\n",
        400,
        "malformed",
    ),
    **{
        f"a length of {length!r}": (
            HEAD + b"content-length: " + length + b"\r\n\r\n{}",
            400,
            "malformed",
        )
        for length in (b"+2", b"-1", b"0x2", b"2,2", b"2 2", b"2_0", b"2;", b"9" * 24, b"")
    },
    "a folded header": (HEAD + b"x-a: b\r\n c: d\r\n\r\n", 400, "malformed"),
    "two lengths": (post("/v1/track", TRACK, more=b"content-length: 5\r\n"), 400, "malformed"),
    "a length and chunks": (
        post("/v1/track", TRACK, more=b"transfer-encoding: chunked\r\n"),
        400,
        "malformed",
    ),
}


@pytest.mark.parametrize(("content", "status", "limit"), TOO_MUCH.values(), ids=TOO_MUCH)
async def test_a_head_that_is_too_much_is_answered_ended_and_counted(
    content: bytes, status: int, limit: str
) -> None:
    before = counted(limit)
    async with serving() as served:
        client = await served.connect()
        await client.send(content)
        found, headers, problem = await client.answer()
        assert (found, problem["code"], problem["status"]) == (status, limit, status)
        assert headers["content-type"] == "application/problem+json"
        assert headers["connection"] == "close"
        assert await client.ended(within_s=3.0)
        await still_serves(served)
    assert counted(limit) == before + 1


@pytest.mark.parametrize("piece", [b"a" * 64, b"\r\nx: y"], ids=["one header", "many"])
async def test_a_head_that_comes_in_drops_has_a_deadline_however_busy_it_looks(
    piece: bytes,
) -> None:
    before = counted("header_time")
    async with serving(header_timeout_ms=600) as served:
        client = await served.connect()
        await client.send(HEAD + b"x-a: a")
        began = asyncio.get_running_loop().time()

        async def drip() -> None:
            while True:
                await client.send(piece)
                await asyncio.sleep(0.1)

        dripping = asyncio.create_task(drip())
        status, _, problem = await client.answer()
        took = asyncio.get_running_loop().time() - began
        dripping.cancel()
        assert (status, problem["code"]) == (408, "header_time")
        assert 0.5 < took < 3.0
        await still_serves(served)
    assert counted("header_time") == before + 1


async def test_a_connection_that_says_nothing_is_ended() -> None:
    async with serving(header_timeout_ms=300, idle_timeout_ms=300) as served:
        silent, used = await served.connect(), await served.connect()
        await used.send(post("/v1/track", TRACK))
        assert (await used.answer())[0] == 202
        assert await silent.ended(within_s=3.0)
        assert await used.ended(within_s=3.0)


async def test_a_body_that_comes_in_drops_has_a_deadline() -> None:
    async with serving(body_timeout_ms=500) as served:
        client = await served.connect()
        await client.send(post("/v1/track", b"{", length=1_000))
        status, _, problem = await client.answer(within_s=5.0)
        assert (status, problem["code"]) == (408, "slow_body")
        await still_serves(served)


@pytest.mark.parametrize(
    ("start", "piece", "limit"),
    [
        (b"5;", b"x" * 1_000, "framing"),
        (b"1\r\nx\r\n0\r\nx-a: ", b"a" * 1_000, "framing"),
        (b"1\r\nx\r\n0\r\n", b"x-a: b\r\n" * 100, "headers"),
    ],
    ids=["an endless extension of a chunk", "an endless trailer", "trailers without end"],
)
async def test_framing_of_a_body_that_does_not_end_is_ended(
    start: bytes, piece: bytes, limit: str
) -> None:
    before = counted(limit)
    async with serving() as served:
        client = await served.connect()
        await client.send(
            HEAD
            + f"authorization: Bearer {WEB}\r\ntransfer-encoding: chunked\r\n\r\n".encode()
            + start
        )
        for _ in range(400):
            await client.send(piece)
        assert await client.ended(within_s=5.0)
        await still_serves(served)
    assert counted(limit) == before + 1


@pytest.mark.parametrize(
    "chunks",
    [b"1these\r\nx\r\n", b"fffffffffffffffff\r\nx\r\n", b"-1\r\nx\r\n", b"1\r\nxx\r\n0\r\n\r\n"],
    ids=["no number", "more than a number holds", "less than nothing", "more than it says"],
)
async def test_a_body_whose_chunks_are_wrong_is_answered_and_nothing_of_it_is_taken(
    chunks: bytes,
) -> None:
    async with serving() as served:
        client = await served.connect()
        await client.send(
            HEAD
            + f"authorization: Bearer {WEB}\r\ntransfer-encoding: chunked\r\n\r\n".encode()
            + chunks
        )
        status, headers, problem = await client.answer()
        assert (status, problem["code"], headers["connection"]) == (400, "malformed", "close")
        assert await client.ended(within_s=3.0)
        assert served.records == []
        await still_serves(served)


async def test_wrong_chunks_of_a_request_that_was_sent_ahead_answer_no_other_one() -> None:
    async with serving() as served:
        go = asyncio.Event()
        served.does = go.wait
        client = await served.connect()
        await client.send(
            post("/v1/track", TRACK) + HEAD + b"transfer-encoding: chunked\r\n\r\n-1\r\n"
        )
        assert await client.ended(within_s=3.0)  # without a word: what became of the first?
        go.set()
        await still_serves(served)


async def test_a_body_in_the_smallest_chunks_is_taken_all_the_same() -> None:
    async with serving() as served:
        client = await served.connect()
        body = TRACK + b" " * 30_000
        chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in body) + b"0\r\n\r\n"
        await client.send(
            HEAD
            + f"authorization: Bearer {WEB}\r\ntransfer-encoding: chunked\r\n\r\n".encode()
            + chunks
        )
        assert (await client.answer())[0] == 202


@pytest.mark.parametrize(
    "first",
    [
        b'transfer-encoding: chunked\r\n\r\n%x;a="b"\r\n%b\r\n0;z\r\nx-t: 1\r\n\r\n'
        % (len(TRACK), TRACK),
        b"transfer-encoding: Chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(TRACK), TRACK),
        b"content-length: %d\r\n\r\n%b" % (len(TRACK), TRACK),
    ],
    ids=["extensions and a trailer", "chunks", "a length"],
)
async def test_a_body_ends_where_it_ends_and_the_request_after_it_is_whole(first: bytes) -> None:
    async with serving() as served:
        client = await served.connect()
        key = f"authorization: Bearer {WEB}\r\n".encode()
        await client.send(HEAD + key + first + post("/v1/track", TRACK))
        assert [(await client.answer())[0] for _ in range(2)] == [202, 202]
        assert len(served.records) == 2


async def test_a_client_that_waits_to_be_asked_for_its_body_is_asked() -> None:
    async with serving() as served:
        client = await served.connect()
        head, body = post("/v1/track", TRACK, more=b"expect: 100-continue\r\n").split(b"\r\n\r\n")
        await client.send(head + b"\r\n\r\n")
        async with asyncio.timeout(10):
            asked = await client.reader.readuntil(b"\r\n\r\n")
        assert asked.startswith(b"HTTP/1.1 100 ")
        await client.send(body)
        assert (await client.answer())[0] == 202


async def test_who_goes_on_with_a_body_after_the_answer_is_ended() -> None:
    before = counted("body_after_answer")
    async with serving() as served:
        client = await served.connect()
        await client.send(post("/v1/track", b"", key="nobody-knows-this-key", length=10**9))
        assert (await client.answer())[0] == 401
        for _ in range(200):
            await client.send(b" " * 65_536)
        assert await client.ended(within_s=2.0)
        await still_serves(served)
    assert counted("body_after_answer") == before + 1


async def test_who_does_not_read_the_answers_is_ended() -> None:
    before = counted("answer_not_read")
    async with serving(unread_s=0.5) as served:
        client = await served.connect()
        client.writer.transport.pause_reading()  # type: ignore[attr-defined]
        async with asyncio.timeout(30):
            while counted("answer_not_read") == before:
                await client.send(b"GET /openapi.json HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n")
                await asyncio.sleep(0.01)
        client.writer.transport.resume_reading()  # type: ignore[attr-defined]
        assert await client.ended(within_s=5.0)
        await still_serves(served)
    assert counted("answer_not_read") == before + 1


async def test_a_body_that_was_refused_early_does_not_cost_the_connection_or_the_answer() -> None:
    async with serving() as served:
        client = await served.connect()
        await client.send(post("/v1/track", b" " * 700_000))
        assert (await client.answer())[0] == 413
        await client.send(post("/v1/track", TRACK))
        assert (await client.answer())[0] == 202


async def test_requests_that_are_sent_ahead_are_bounded() -> None:
    before = counted("pipeline")
    async with serving() as served:
        served.does = asyncio.Event().wait
        client = await served.connect()
        await client.send(post("/v1/track", TRACK) * 100)
        assert await client.ended(within_s=5.0)
    assert counted("pipeline") == before + 1


async def test_a_few_requests_sent_ahead_are_answered_in_order() -> None:
    async with serving() as served:
        client = await served.connect()
        await client.send(
            post("/v1/track", TRACK) + post("/v1/track", b"{") + post("/v1/track", TRACK)
        )
        assert [(await client.answer())[0] for _ in range(3)] == [202, 400, 202]


async def test_one_address_may_have_so_many_connections_and_gets_them_back() -> None:
    async with serving(max_connections_per_address=3) as served:
        clients = [await _answered(served) for _ in range(3)]
        extra = await served.connect()
        status, headers, problem = await extra.answer()
        assert (status, problem["code"], headers["retry-after"]) == (
            429,
            "connections_per_address",
            "1",
        )
        await clients[0].close()
        await asyncio.sleep(0.1)
        await still_serves(served)


async def test_when_all_connections_are_taken_the_longest_idle_one_makes_room() -> None:
    async with serving(max_connections=3) as served:
        clients = [await _answered(served) for _ in range(3)]
        await still_serves(served)
        assert await clients[0].ended(within_s=2.0)
        await clients[2].send(post("/v1/track", TRACK))
        assert (await clients[2].answer())[0] == 202


async def test_connections_that_are_all_at_work_mean_503_for_one_more() -> None:
    async with serving(max_connections=3) as served:
        go = asyncio.Event()
        served.does = go.wait
        clients = [await served.connect() for _ in range(3)]
        for client in clients:
            await client.send(post("/v1/track", TRACK))
        await asyncio.sleep(0.2)
        extra = await served.connect()
        status, headers, problem = await extra.answer()
        assert (status, problem["code"], headers["retry-after"]) == (503, "connections", "1")
        go.set()
        assert [(await client.answer())[0] for client in clients] == [202] * 3


async def test_heads_that_do_not_come_cannot_keep_others_out() -> None:
    async with serving(max_connections=5) as served:
        for _ in range(5):
            await (await served.connect()).send(HEAD)
        await asyncio.sleep(1.2)
        await still_serves(served)


async def test_four_hostile_connections_cost_no_memory_to_speak_of() -> None:
    """Bounded by what one connection may hold: a head, and a piece of what follows."""
    async with serving() as served:
        tracemalloc.start()
        try:
            clients = [await served.connect() for _ in range(4)]
            await asyncio.gather(*(_flood(client) for client in clients))
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        await still_serves(served)
    assert peak < 20_000_000


async def _flood(client: Connection) -> None:
    await client.send(HEAD)
    for number in range(500):
        await client.send(b"x-%d: %b\r\n" % (number, b"a" * 8_000))


async def _answered(served: Served) -> Connection:
    client = await served.connect()
    await client.send(post("/v1/track", TRACK))
    assert (await client.answer())[0] == 202
    return client


# --- fairness


async def test_slow_bodies_of_one_key_do_not_keep_another_out() -> None:
    async with serving(max_in_flight=8) as served:
        slow = [await served.connect() for _ in range(70)]
        for client in slow:
            await client.send(post("/v1/track", b"{" + b" " * 1_000, length=400_000))
        await asyncio.sleep(0.2)
        for key in (CRM, WEB):
            client = await served.connect()
            await client.send(post("/v1/track", TRACK, key=key))
            assert (await client.answer(within_s=2.0))[0] == 202
        for client in slow:
            await client.close()


async def test_bodies_of_one_key_that_fill_its_share_of_memory_leave_the_rest_to_others() -> None:
    async with serving(max_body_memory_mb=1) as served:
        slow = [await served.connect() for _ in range(6)]
        for client in slow:
            await client.send(post("/v1/track", b" " * 200_000, length=400_000))
        await asyncio.sleep(0.3)
        refused = [client for client in slow if client.reader._buffer]  # type: ignore[attr-defined]
        answers = [await client.answer() for client in refused]
        assert answers
        assert {(status, problem["code"]) for status, _, problem in answers} == {(503, "busy")}
        other = await served.connect()
        await other.send(post("/v1/track", TRACK + b" " * 200_000, key=CRM))
        assert (await other.answer(within_s=2.0))[0] == 202
        for client in slow:
            await client.close()


async def test_requests_of_one_key_that_wait_for_the_brokers_leave_places_for_others() -> None:
    async with serving(max_in_flight=4) as served:
        go = asyncio.Event()
        served.does = go.wait
        clients: list[Connection] = []
        for key in (WEB, WEB, WEB, CRM):
            client = await served.connect()
            await client.send(post("/v1/track", TRACK, key=key))
            await asyncio.sleep(0.05)
            clients.append(client)
        status, headers, problem = await clients[2].answer()
        assert (status, problem["code"], headers["retry-after"]) == (503, "busy", "1")
        go.set()
        assert [(await clients[place].answer())[0] for place in (0, 1, 3)] == [202] * 3


async def test_the_number_of_connections_is_a_metric() -> None:
    async with serving() as served:
        before = REGISTRY.get_sample_value("baton_http_connections")
        client = await _answered(served)
        assert REGISTRY.get_sample_value("baton_http_connections") == (before or 0) + 1
        await client.close()
        await asyncio.sleep(0.1)
        assert REGISTRY.get_sample_value("baton_http_connections") == before


def test_a_body_that_comes_in_thousands_of_pieces_is_not_copied_for_each_of_them() -> None:
    first, pieces = b"x" * (MAX_BODY_BYTES - 20_000), 20_000

    async def read() -> bytes:
        waiting = iter([first, *([b"y"] * pieces)])

        async def receive() -> dict[str, Any]:
            piece = next(waiting, None)
            more = piece is not None
            return {"type": "http.request", "body": piece or b"", "more_body": more}

        request = Request({"type": "http", "headers": []}, receive)
        return await read_body(request, timeout_ms=60_000, hold=lambda _: None)

    assert asyncio.run(read()) == first + b"y" * pieces
    assert cpu_passes(lambda: asyncio.run(read())) < 30
