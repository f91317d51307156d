"""Two reducers that answer each other for ever end the run with the names of their records, in both
hosts in memory."""

from dataclasses import replace
from typing import Any

import pytest

from baton.contracts.topics import engine_topics
from baton.engine.memory import Livelock, MemoryHost, virtual_time
from baton.engine.reducer import Event, Fact, Reducer, Step, View
from baton.engine.task_config import TaskConfig
from baton.simulation.direct.direct_host import DirectHost
from tests.engine.toys import TOY_TOPICS, ToyBook, ToyLine

START_MS = 1_760_000_000_000
PING, PONG = "toy.ping.v1", "toy.pong.v1"


class _Answer(Reducer[Any, Any]):
    """The planted bug: what comes in goes out."""

    service = "toy"
    head_type = None

    def step(self, view: View[Any], event: Event, *, now: int, reference: Any) -> Step[Any]:
        return Step(head=None, facts=(Fact(self.outputs[0], view.key, event.value),))


class _Ping(_Answer):
    name, inputs, outputs = "ping", (PONG,), (PING,)


class _Pong(_Answer):
    name, inputs, outputs = "pong", (PING,), (PONG,)


def _config(reducers: list[Reducer[Any, Any]]) -> TaskConfig:
    line = TOY_TOPICS["toy.lines.v1"]
    made = {name: replace(line, name=name) for name in (PING, PONG)}
    own = {
        spec.name: spec
        for reducer in reducers
        for spec in engine_topics(reducer.name, reducer.service)
    }
    return TaskConfig(partitions=1, topics={**TOY_TOPICS, **made, **own})


def _host(kind: str) -> MemoryHost | DirectHost:
    both: list[Reducer[Any, Any]] = [_Ping(), _Pong()]
    config, book = _config(both), ToyBook("first")
    if kind == "logged":
        return MemoryHost(both, book, config, start_ms=START_MS)
    return DirectHost(both, book, config, start_ms=START_MS, shown=())


@pytest.mark.parametrize("kind", ["logged", "direct"])
def test_a_livelock_is_an_error_that_names_its_records(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(virtual_time, "ROUNDS", 50)
    host = _host(kind)
    host.send(PING, "a", ToyLine(order="1", remove=False, ordered_at_ms=START_MS))
    with pytest.raises(Livelock, match=r"toy\.p[io]ng\.v1\[0\]@\d+ for p[io]ng") as raised:
        host.settle()
    assert f"{START_MS} ms of log time after 50 rounds" in str(raised.value)


@pytest.mark.parametrize("kind", ["logged", "direct"])
def test_an_end_is_no_livelock(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(virtual_time, "ROUNDS", 50)
    host = _host(kind)
    for number in range(200):
        host.log.now = START_MS + number
        host.settle()
    assert host.next_due is None
