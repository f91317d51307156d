"""What the engine's core costs in one process, without a broker: events, timers, restoring, memory.

    .venv/bin/python -m benchmarks.engine_core [--quick] [--json]

Times are CPU time of this process; each figure is the best of several rounds, so that a busy
machine disturbs it least. The in-memory task of a million keys is made by restoring a changelog, as
a worker does.
"""

from __future__ import annotations

import gc
import json
import platform
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from time import process_time_ns
from typing import Any

from baton.contracts.codec import codec_for, provisional
from baton.contracts.intake import LeadInput
from baton.contracts.topics import TopicSpec
from baton.derived_ids import derived_id
from baton.engine.changelog import head_key, pack_head
from baton.engine.core import Core
from baton.engine.reducer import Event, Fact, Reducer, Step, View
from baton.engine.task_config import TaskConfig
from baton.engine.timers import TimerWheel
from benchmarks.meter import resident
from benchmarks.sample import START_MS, Fetched, fetched, stream

BATCH = 2_000
ROUNDS = 5


@provisional
@dataclass(frozen=True, slots=True, kw_only=True)
class BenchState:
    """A small head, of the size a lead's might have."""

    count: int
    last_event: str
    total_micro: int
    level: str


class Terms:
    """A reference that never changes."""

    version = "0f" * 16


class Book:
    """A book of one version."""

    topics: tuple[str, ...] = ()

    def add(self, event: Event) -> None:
        """Nothing is ever added."""

    def at(self, now: int) -> Terms:
        """Always the same."""
        return _TERMS


_TERMS = Terms()


class _Bench(Reducer[Any, Any]):
    service = "bench"
    inputs = ("bench.in.v1",)
    outputs = ("bench.out.v1",)


class Sink(_Bench):
    """Takes events and does nothing."""

    name = "sink"
    head_type = None

    def step(self, view: View[Any], event: Event, *, now: int, reference: Terms) -> Step[Any]:
        return _NOTHING


class Pass(_Bench):
    """Stateless: each event goes on as it came."""

    name = "pass"
    head_type = None

    def step(self, view: View[Any], event: Event, *, now: int, reference: Terms) -> Step[Any]:
        return Step(head=None, facts=(Fact("bench.out.v1", view.key, event.value),))


class Keep(_Bench):
    """A head for each key, a timer moved by each event, and a fact."""

    name = "keep"
    head_type = BenchState

    def step(
        self, view: View[BenchState], event: Event, *, now: int, reference: Terms
    ) -> Step[BenchState]:
        count, total = (view.head.count, view.head.total_micro) if view.head else (0, 0)
        head = BenchState(
            count=count + 1, last_event=event.id, total_micro=total + 1_000_000, level="warm"
        )
        return Step(
            head=head,
            wake_at=now + 86_400_000,
            facts=(Fact("bench.out.v1", view.key, event.value),),
        )


_NOTHING: Step[Any] = Step(head=None)
_TOPICS = {
    name: TopicSpec(name=name, record=LeadInput, says="bench", key="lead", writer="bench")
    for name in ("bench.in.v1", "bench.out.v1")
}


def events(count: int, keys: int) -> list[Fetched]:
    """Records of ``intake.leads.v1``."""
    return [
        fetched(number, START_MS + number // 3, event)
        for number, event in enumerate(stream(count, keys, START_MS))
    ]


def best(rounds: int, act: Callable[[], int]) -> float:
    """Microseconds a unit in the best round; ``act`` gives how many units it did."""
    found = []
    for _ in range(rounds):
        gc.collect()
        began = process_time_ns()
        units = act()
        found.append((process_time_ns() - began) / units / 1_000)
    return min(found)


def core_of(reducer: Reducer[Any, Any]) -> Core:
    """A fresh task."""
    return Core(reducer, Book(), TaskConfig(topics=_TOPICS))


def run(reducer: Reducer[Any, Any], records: list[Fetched]) -> int:
    """All records through a fresh task, in batches; the size of the fresh state is part of it."""
    core = core_of(reducer)
    for start in range(0, len(records), BATCH):
        core.begin(0)
        for record in records[start : start + BATCH]:
            core.process("bench.in.v1", record)
        core.seal()
        core.commit()
    return len(records)


def codec_alone(records: list[Fetched], *, encode: bool) -> int:
    """Decoding, and encoding again, without an engine."""
    codec = codec_for(LeadInput)
    for record in records:
        value = codec.decode(record.value)
        if encode:
            codec.encode(value)
    return len(records)


def timers(count: int) -> Iterator[tuple[str, float]]:
    """A million timers over thirty days: started, moved, stopped, fired."""
    keys = [derived_id("timer", number) for number in range(count)]
    dues = [START_MS + number * 2_654_435_761 % (30 * 86_400_000) for number in range(count)]
    wheel = TimerWheel()

    def start() -> int:
        for key, due in zip(keys, dues, strict=True):
            wheel.set(key, due)
        return count

    def move() -> int:
        for key, due in zip(keys[::4], dues[::4], strict=True):
            wheel.set(key, due + 1_800_000)
        return len(keys[::4])

    def stop() -> int:
        for key in keys[1::4]:
            wheel.set(key, None)
        return len(keys[1::4])

    def fire() -> int:
        left = len(wheel)
        while wheel.pop(START_MS + 40 * 86_400_000) is not None:
            pass
        return left

    for name, act in (("start", start), ("move", move), ("stop", stop), ("fire", fire)):
        yield f"timer_{name}_us", best(1, act)


def restoring(count: int) -> Iterator[tuple[str, float]]:
    """A changelog of so many heads with timers."""
    codec = codec_for(BenchState)
    value = codec.encode(
        BenchState(count=7, last_event=derived_id("e"), total_micro=7_000_000, level="warm")
    )
    version = Terms.version.encode()
    changelog = [
        (
            head_key(derived_id("lead", number)),
            pack_head(START_MS + number * 977, number, version, value),
        )
        for number in range(count)
    ]
    core = core_of(Keep())
    gc.collect()
    before = resident()

    def restore() -> int:
        for key, raw in changelog:
            # a copy, as each fetched record brings its own bytes
            core.restore(key, bytes(memoryview(raw)))
        core.restored()
        return count

    yield "restore_us", best(1, restore)
    yield "state_bytes_a_key", (resident() - before) / count
    yield "changelog_bytes_a_key", sum(len(raw) for _, raw in changelog) / count


def measured(options: dict[str, Any]) -> dict[str, Any]:
    """Every figure by name; so many ``events``, so ``many`` timers and keys."""
    count, many = options["events"], options["many"]
    gc.freeze()  # what is loaded by now: each round collects before it begins
    records = events(count, count // 4)
    figures = {
        "decode_us": best(ROUNDS, lambda: codec_alone(records, encode=False)),
        "decode_encode_us": best(ROUNDS, lambda: codec_alone(records, encode=True)),
        "sink_us": best(ROUNDS, lambda: run(Sink(), records)),
        "pass_us": best(ROUNDS, lambda: run(Pass(), records)),
        "keep_us": best(ROUNDS, lambda: run(Keep(), records)),
    }
    figures |= dict(restoring(many))
    figures |= dict(timers(many))
    return {"many": many, **figures}


_SAYS = {
    "decode_us": "decode one event, no engine",
    "decode_encode_us": "decode and encode one event, no engine",
    "sink_us": "an event, reducer does nothing",
    "pass_us": "an event, reducer hands it on as a fact",
    "keep_us": "an event, with a head, a timer moved and a fact",
    "restore_us": "restore one head with its timer",
    "state_bytes_a_key": "memory a key with its timer",
    "changelog_bytes_a_key": "bytes of its head in the changelog",
    "timer_start_us": "start a timer",
    "timer_move_us": "move a timer",
    "timer_stop_us": "stop a timer",
    "timer_fire_us": "fire a timer",
}


def main() -> None:
    """Measure and print."""
    quick = "--quick" in sys.argv
    count, many = (10_000, 100_000) if quick else (40_000, 1_000_000)
    figures = measured({"events": count, "many": many})
    if "--json" in sys.argv:
        print(
            json.dumps(
                {"python": platform.python_version(), "machine": platform.machine(), **figures},
                indent=2,
            )
        )
        return
    print(
        f"CPython {platform.python_version()} on {platform.machine()}; {count} events, {many} keys "
        "and timers; us of CPU"
    )
    for name, says in _SAYS.items():
        print(f"{says:52}{figures[name]:10.2f}")


if __name__ == "__main__":
    main()
