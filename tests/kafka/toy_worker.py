"""A worker process of toy reducers, as the tests start, kill and pause it.

``python -m tests.kafka.toy_worker REDUCER...``. Besides the engine's own failpoints,
``BATON_FAILPOINT`` knows ``decoding``, ``decoded``, ``stepping`` and ``stepped`` here: those
moments lie in the core, which has no points. ``BATON_STEP_MS``: so much CPU each step burns.
"""

import os
import signal
import sys
import time
from collections.abc import Callable
from typing import Any

from baton.clients import client_options
from baton.contracts.codec import codec_for
from baton.engine.kafka.failpoints import VARIABLE, Failpoints
from baton.engine.kafka.host import HostConfig, KafkaHost
from baton.engine.kafka.settings import EngineSettings
from baton.engine.kafka.worker import run_worker
from baton.engine.reducer import Event, Reducer, Step, View
from baton.engine.service import Service
from baton.engine.task_config import TaskConfig
from baton.logs import set_up_logs
from baton.settings import LogFormat, Settings
from tests.engine.toys import REDUCERS, ToyBook, ToyNumber
from tests.kafka.kafka_bench import FLOW, TOPICS_AND_ORDERS

INNER_POINTS = ("decoding", "decoded", "stepping", "stepped")


def killer(wanted: str) -> Callable[[str], None]:
    """Kills the process at the n-th time that it comes to the wanted point."""
    name, _, count = wanted.partition(":")
    left = int(count or 1)

    def at(point: str) -> None:
        nonlocal left
        if point == name:
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    return at


def burner(step_ms: int, at: Callable[[str], None]) -> Callable[[str], None]:
    """Burns CPU at each step, and passes on what it is told."""

    def burn(point: str) -> None:
        if point == "stepping":
            until = time.thread_time() + step_ms / 1000
            while time.thread_time() < until:
                pass
        at(point)

    return burn


def watched(reducer: Reducer[Any, Any], at: Callable[[str], None]) -> Reducer[Any, Any]:
    """The reducer, reporting before and after each step."""

    class Watched(type(reducer)):  # type: ignore[misc]
        def step(self, view: View[Any], event: Event, *, now: int, reference: Any) -> Step[Any]:
            at("stepping")
            step: Step[Any] = super().step(view, event, now=now, reference=reference)
            at("stepped")
            return step

    found: Reducer[Any, Any] = Watched()
    return found


def codecs(at: Callable[[str], None]) -> Callable[[type], Any]:
    """Codecs that report before and after each input record they decode."""

    class Codec:
        def __init__(self, record: type) -> None:
            self.encode, self._decode, self._reports = (
                codec_for(record).encode,
                codec_for(record).decode,
                record is ToyNumber,
            )

        def decode(self, data: bytes, start: int = 0) -> Any:
            if not self._reports:
                return self._decode(data, start)
            at("decoding")
            value = self._decode(data, start)
            at("decoded")
            return value

    return Codec


def main() -> None:
    """Run until asked to stop, or killed."""
    settings = Settings()
    set_up_logs("toys", form=LogFormat.HUMAN)
    wanted = os.environ.get(VARIABLE, "")
    at = burner(int(os.environ.get("BATON_STEP_MS", "0")), killer(wanted))
    if wanted.partition(":")[0] in INNER_POINTS:
        del os.environ[VARIABLE]
    reducers = [watched(reducer, at) for reducer in REDUCERS if reducer.name in sys.argv[1:]]
    service = Service(name="toys", reducers=tuple(reducers), book=ToyBook)
    host = KafkaHost(
        service.reducers,
        ToyBook(),
        TaskConfig(
            partitions=settings.partitions,
            namespace=settings.namespace,
            topics=TOPICS_AND_ORDERS,
            codecs=codecs(at),
        ),
        HostConfig(
            client=client_options(settings),
            settings=EngineSettings(),
            flow=FLOW,
            failpoints=Failpoints.from_environment(os.environ),
        ),
    )
    run_worker(service, settings, host)


if __name__ == "__main__":
    main()
