"""What a task publishes in a batch: facts get their places in the log at once, and reach their
readers when the batch ends."""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heappush
from typing import Any, Final

from baton.contracts.partitioner import partition_of
from baton.derived_ids import nth_id
from baton.engine.dead_letters import dead_letter
from baton.engine.memory import Stored
from baton.engine.record_headers import Stamp
from baton.engine.reducer import Event, Fact, Reducer, Rejection
from baton.engine.task_config import TaskConfig
from baton.engine.wiring import Wiring
from baton.evolve import maker
from baton.simulation.direct.counting_log import DirectLog
from baton.simulation.direct.key_values import KeyValues
from baton.simulation.direct.passed import Outlet, Passed, StepOrigin
from baton.simulation.direct.place import Place

_event: Final = maker(Event)


class FactOutbox:
    """The outputs of ``reducer`` on ``partition``. ``woken``: the numbers of the tasks that have
    something to read. ``now`` and ``version`` are the task's, for headers."""

    def __init__(
        self,
        reducer: Reducer[Any, Any],
        partition: int,
        log: DirectLog,
        woken: set[int],
        config: TaskConfig,
        wiring: Wiring,
    ) -> None:
        self.now, self.version = 0, ""
        self.handed: list[tuple[Place, Event]] = []
        self._partition, self._log, self._woken = partition, log, woken
        self._stamp, self._origin = Stamp(reducer), wiring.origin
        self._outlets = {
            topic: Outlet(
                encoder,
                config.topics[topic].record or type(None),
                log.partitions_of(topic),
                same=partition if config.topics[topic].partitions is None else None,
            )
            for topic, encoder in wiring.encoders.items()
        }

    def publish(
        self, facts: Sequence[Fact], state: KeyValues, received_at_ms: int, trace: str | None
    ) -> None:
        """The facts of a step, in order."""
        ordinals: dict[str, int] = {}
        origin: StepOrigin | None = None
        own_key, cause, log = state.key, state.cause, self._log
        now = log.now
        for fact in facts:
            outlet = self._outlets[fact.topic]
            kind = outlet.kind
            ordinal = ordinals.get(kind, 0)
            ordinals[kind] = ordinal + 1
            partition = _partition_of(outlet, fact, own_key)
            place = outlet.places[partition] or self._place(outlet, partition)
            offset = place.end
            place.end = offset + 1
            if place.shown:
                origin = origin or self._origin_of(cause, received_at_ms, trace)
                at = partition, offset, now
                log.history.append(
                    Passed(outlet, fact, at, origin, ordinal=ordinal, own_key=own_key)
                )
            if place.readers:
                event = _event(
                    fact.topic,
                    partition,
                    offset,
                    fact.key,
                    fact.value,
                    nth_id(cause, kind, ordinal),
                    now,
                    received_at_ms,
                    trace,
                )
                self.handed.append((place, event))

    def reject(self, topic: str, record: Stored, rejected: Rejection) -> None:
        """The dead letter of a record from outside."""
        self._log.append(
            *dead_letter(topic, self._partition, record, rejected, self._origin, self.now)
        )

    def hand_on(self) -> None:
        """The batch ends: its facts reach their readers."""
        for place, event in self.handed:
            for number, task in place.readers:
                heappush(task.waiting, (event.at_ms, event.topic, event.offset, event))
                self._woken.add(number)
        self.handed.clear()

    def _place(self, outlet: Outlet, partition: int) -> Place:
        found = outlet.places[partition] = self._log.place(outlet.topic, partition)
        return found

    def _origin_of(self, cause: str, received_at_ms: int, trace: str | None) -> StepOrigin:
        return StepOrigin(
            self._stamp,
            cause,
            made_at_ms=self._log.now,
            now=self.now,
            version=self.version,
            received_at_ms=received_at_ms,
            trace=trace,
        )


def _partition_of(outlet: Outlet, fact: Fact, own_key: str) -> int:
    if fact.value is not None and type(fact.value) is not outlet.record:
        raise TypeError(f"{fact.topic} holds {outlet.record.__name__}")
    if outlet.same is not None and fact.key == own_key:
        return outlet.same
    return partition_of(fact.key.encode(), outlet.partitions) if outlet.partitions > 1 else 0
