"""Bodies from outside cost a bounded memory and time."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from starlette.requests import Request

from services.delivery.answers.answer_bodies import BodyRefused, raw_body


def request(*parts: bytes, wait_s: float = 0.0) -> Request:
    left = list(parts)

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(wait_s)
        part = left.pop(0)
        return {"type": "http.request", "body": part, "more_body": bool(left)}

    return Request({"type": "http", "method": "POST", "headers": []}, receive)


async def test_a_body_is_given_as_it_came() -> None:
    assert await raw_body(request(b"ab", b"", b"c"), 3) == b"abc"


async def test_a_body_over_the_limit_is_413_before_it_is_held() -> None:
    endless = request(*[b"x" * 10] * 1_000)
    with pytest.raises(BodyRefused) as refused:
        await raw_body(endless, 25)
    assert refused.value.status == 413


async def test_a_body_that_trickles_is_408() -> None:
    with pytest.raises(BodyRefused) as refused:
        await raw_body(request(*[b"x"] * 100, wait_s=0.05), 1_000, patience_s=0.2)
    assert refused.value.status == 408
