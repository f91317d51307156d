"""How long no broker has answered, as the metric reports it."""

import asyncio
import socket

import pytest

from baton.cluster.process_metrics import BROKERS_SILENT
from baton.cluster.reach import BrokerReach, asking


class Brokers:
    """Brokers that answer or not, and a clock."""

    def __init__(self) -> None:
        self.away = False
        self.now = 50.0

    async def ask(self) -> None:
        if self.away:
            raise ConnectionError("nobody there")

    def clock(self) -> float:
        return self.now


def _shown() -> float:
    (family,) = BROKERS_SILENT.collect()
    return family.samples[0].value


async def test_the_silence_grows_from_the_last_answer_and_ends_with_the_next() -> None:
    brokers = Brokers()
    reach = BrokerReach(brokers.ask, brokers.clock)
    assert _shown() == 0
    await reach.look()
    brokers.now += 10
    assert _shown() == 0  # nobody was asked since
    brokers.away = True
    await reach.look()
    brokers.now += 7
    assert (reach.silent_s, _shown()) == (17, 17)
    brokers.away = False
    await reach.look()
    assert _shown() == 0


async def test_brokers_that_never_answered_are_silent_since_the_start() -> None:
    brokers = Brokers()
    brokers.away = True
    reach = BrokerReach(brokers.ask, brokers.clock)
    await reach.look()
    brokers.now += 61
    assert reach.silent_s == 61


async def test_brokers_that_hang_are_silent_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("baton.cluster.reach._ANSWER_S", 0.01)
    brokers = Brokers()
    reach = BrokerReach(lambda: asyncio.sleep(30), brokers.clock)
    await reach.look()
    brokers.now += 5
    assert reach.silent_s == 5


async def test_where_nobody_listens_a_process_with_confluents_clients_hears_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("baton.cluster.reach._THREAD_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    brokers = Brokers()
    reach = BrokerReach(asking({"bootstrap.servers": f"127.0.0.1:{port}"}, "baton"), brokers.clock)
    await reach.look()
    brokers.now += 70
    assert _shown() == 70
