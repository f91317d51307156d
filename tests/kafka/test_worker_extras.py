"""What runs beside the reducers of a worker: it is waited for, ended first, and ends the process when it ends by itself."""

import asyncio
from collections.abc import Callable

import pytest

from baton.clients import client_options
from baton.engine.kafka.host import KafkaHost
from baton.engine.kafka.settings import EngineSettings
from baton.engine.kafka.worker import Engine
from baton.engine.service import Extra, Service, Up
from baton.settings import Settings
from tests.engine.toys import ToyBook

pytestmark = pytest.mark.kafka

Made = Callable[[Extra], Engine]


class NoBook(ToyBook):
    """A reference without topics."""

    topics: tuple[str, ...] = ()


@pytest.fixture
def engine_with(bootstrap: str, namespace: str) -> Made:
    """An engine without reducers, with one extra."""
    settings = Settings(bootstrap=bootstrap, namespace=namespace)

    def made(extra: Extra) -> Engine:
        service = Service(name="toys", book=NoBook, extras={"door": extra})
        options = client_options(settings)
        host = KafkaHost((), NoBook(), client=options, namespace=namespace, partitions=1, settings=EngineSettings())
        return Engine(service, settings, host)

    return made


async def test_a_worker_is_ready_when_its_extra_is_up_and_ends_it_before_the_engine(engine_with: Made) -> None:
    may, said = asyncio.Event(), []

    async def serve(settings: Settings, up: Up) -> None:
        await may.wait()
        up()
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            said.append(f"the engine is {'gone' if engine._tasks['engine'].done() else 'still there'}")

    engine = engine_with(serve)
    running = asyncio.create_task(engine.run())
    await asyncio.sleep(0.2)
    assert not engine.ready
    may.set()
    async with asyncio.timeout(10):
        while not engine.ready:  # noqa: ASYNC110 - it happens inside the worker
            await asyncio.sleep(0.01)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert said == ["the engine is still there"]
    assert engine._tasks["engine"].done()


async def test_an_extra_that_ends_by_itself_ends_the_worker(engine_with: Made) -> None:
    async def serve(settings: Settings, up: Up) -> None:
        up()

    with pytest.raises(RuntimeError, match="door ended by itself"):
        await engine_with(serve).run()
