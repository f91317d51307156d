"""One reducer on one partition, called directly: the rules of :mod:`baton.engine.core` about order,
time, timers and adoption, without the overlay of a batch that could be taken back.

What a batch publishes is handed on when it ends, so a task does not read in a batch what it wrote
in it. A reducer that raises ends the simulation.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from heapq import heappop, heappush
from typing import Any, Final

from baton.contracts.partitioner import partition_of
from baton.engine.batch import Limits
from baton.engine.dead_letters import Origin, dead_letter
from baton.engine.errors import EngineError, ReducerFailed, adopt_place, record_place, wake_place
from baton.engine.held_timers import AdoptionSweep, HeldTimers
from baton.engine.memory import Stored
from baton.engine.record_headers import Stamp
from baton.engine.reducer import Event, Fact, Reducer, Rejection, Step
from baton.engine.reducer_runner import WakeLoop
from baton.engine.task_config import TaskConfig
from baton.engine.timers import Timers
from baton.engine.wiring import wiring_of
from baton.evolve import maker
from baton.ids import derived_id
from baton.simulation.direct.key_state import KeyStates, KeyValues
from baton.simulation.direct.log import DirectLog, Place
from baton.simulation.direct.passed import Outlet, Passed, StepOrigin

_RECORDS: Final = 500
"""Records and adoptions of one batch."""
_event = maker(Event)


class DirectTask:
    """``reducer`` on ``partition``. ``at``: the reference in force at a log time; ``woken``: the
    numbers of the tasks that have something to read; ``waiting``: a heap of the records that were
    delivered and not taken."""

    def __init__(
        self,
        reducer: Reducer[Any, Any],
        partition: int,
        log: DirectLog,
        at: Callable[[int], Any],
        woken: set[int],
        config: TaskConfig,
    ) -> None:
        self.reducer, self.partition = reducer, partition
        self.now = 0
        self.waiting: list[tuple[int, str, int, Event | Stored]] = []
        self.timers = HeldTimers(bool(reducer.upstream), Timers())
        self._log, self._at, self._woken, self._config = log, at, woken, config
        self._limits: Limits = config.limits
        self._reference: Any = None
        self._version, self._adopted = "", ""
        self._editions: tuple[str, ...] = ()
        self._states = KeyStates(reducer, config.codecs)
        self._stamp = Stamp(reducer)
        wiring = wiring_of(reducer, partition, config)
        self._decoders = wiring.decoders
        self._outside = frozenset(
            topic for topic, decoder in wiring.decoders.items() if decoder.outside
        )
        self._origin: Origin = wiring.origin
        self._outlets = {
            topic: Outlet(
                encoder,
                config.topics[topic].record or type(None),
                log.partitions_of(topic),
                same=partition if config.topics[topic].partitions is None else None,
            )
            for topic, encoder in wiring.encoders.items()
        }
        self._places: dict[tuple[str, int], Place] = {}
        self._handed: list[tuple[Place, Event]] = []
        self._sweep: AdoptionSweep | None = None
        self._wakes_left = self._room_left = 0

    @property
    def name(self) -> str:
        """Reducer and partition."""
        return f"{self.reducer.name}[{self.partition}]"

    @property
    def next_due(self) -> int | None:
        """When the next timer that is not held is due (ms), or None."""
        return self.timers.timers.next_due()

    @property
    def held(self) -> int:
        """Number of timers that are due and wait for a proof."""
        return len(self.timers.held)

    # ------------------------------------------------------------------ what the host calls

    def deliver(self, record: Stored) -> None:
        """One record of bytes of an input."""
        heappush(self.waiting, (record.timestamp, record.topic, record.offset, record))

    def work(self) -> None:
        """One batch of what waits."""
        self._begin()
        waiting = self.waiting
        left = _RECORDS
        while waiting and left and self._room_left > 0:
            at_ms, topic, offset, record = waiting[0]
            if self.timers.timers.floor <= at_ms and not self._fire_due(at_ms):
                break
            heappop(waiting)
            if at_ms > self.now:
                self._move(at_ms)
            self._step(topic, offset, record)
            left -= 1
        self._hand_on()

    def advance(self, now: int) -> None:
        """Move time to ``now``, fire what is due, adopt."""
        self._move_to(now)
        while self.adopting:
            self._begin()
            self._adopt_slice()
            self._hand_on()

    def fire_held(self, now: int) -> None:
        """Move time to ``now``, and fire every timer that is then held."""
        self._move_to(now)
        done = False
        while not done:
            self._begin()
            done = self._fire_held(now)
            self._hand_on()

    def changes_by(self, now: int) -> bool:
        """As :meth:`baton.engine.core.Core.changes_by`."""
        due = self.next_due
        if due is not None and due <= now:
            return True
        if self.now <= 0:
            return now > 0 and self._lags_at(now)
        if not self.reducer.adopts:
            return False
        before, then = self._at(self.now), self._at(now)
        return before is not then and self.reducer.editions(before) != self.reducer.editions(then)

    @property
    def adopting(self) -> bool:
        """As :attr:`baton.engine.core.Core.adopting`."""
        return self.now > 0 and self._lags_at(self.now)

    # ------------------------------------------------------------------ time

    def _begin(self) -> None:
        self._wakes_left, self._room_left = self._limits.wakes, self._limits.outputs
        self._refresh()

    def _refresh(self) -> None:
        reference = self._at(self.now)
        if reference is not self._reference:
            self._reference, self._version = reference, reference.version
            self._editions = self.reducer.editions(reference)

    def _move(self, now: int) -> None:
        if now > self.now:
            self.now = now
            self._refresh()

    def _move_to(self, now: int) -> None:
        done = False
        while not done:
            self._begin()
            done = self._fire_due(now)
            if done:
                self._move(now)
            self._hand_on()

    def _fire_due(self, to_ms: int) -> bool:
        """Fire what is due; False: not all of it, the batch is full."""
        if self.reducer.upstream:
            self.timers.hold(to_ms)
            return True
        timers = self.timers.timers
        while timers.floor <= to_ms:
            if self._full:
                return False
            if (found := timers.pop(to_ms)) is None:
                return True
            self._move(found[0])
            self._wake(*found)
        return True

    def _fire_held(self, now: int) -> bool:
        held = self.timers.held
        while not self._full:
            if (found := held.pop(now)) is None:
                return True
            self._wake(*found)
        return False

    @property
    def _full(self) -> bool:
        return self._wakes_left <= 0 or self._room_left <= 0

    # ------------------------------------------------------------------ the three calls

    def _step(self, topic: str, offset: int, record: Event | Stored) -> None:
        try:
            event = record if type(record) is Event else self._decoders[topic].event(record)  # type: ignore[arg-type]
            state = self._states.touch(event.key)
            if state.exists and state.version not in self._editions and self.reducer.adopts:
                self._adopt(state)
            state.cause, state.proven = event.id, True
            step = self.reducer.step(state, event, now=self.now, reference=self._reference)
            if step.rejected is not None:
                self._reject(topic, record, step.rejected)
            self._apply(state, step, event.received_at_ms, event.traceparent, forced=False)
        except EngineError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a reducer raises is a bug of ours
            raise self._failed(record_place(topic, offset), error) from None

    def _wake(self, due: int, key: str) -> None:
        state = self._states.touch(key)
        self._wakes_left -= 1
        if state.version not in self._editions and self.reducer.adopts:
            self._adopt(state)
            return
        state.cause = derived_id("wake", self.reducer.name, key, due, state.revision)
        state.proven = True
        try:
            step = self.reducer.wake(state, now=self.now, reference=self._reference)
            again = step.wake_at is not None and step.wake_at <= self.now
            state.spins = state.spins + 1 if again else 0
            if state.spins > self._limits.spins:
                raise WakeLoop
            self._apply(state, step, self.now, None, forced=True)
        except Exception as error:  # noqa: BLE001 - see _step
            raise self._failed(wake_place(key, due), error) from None

    def _adopt(self, state: KeyValues) -> None:
        edition = self._editions[-1]
        state.cause = derived_id("adopt", self.reducer.name, state.key, edition, state.revision)
        state.proven = True
        try:
            step = self.reducer.adopt(state, old=state.version, new=self._reference, now=self.now)
            self._apply(state, step, self.now, None, forced=True)
        except Exception as error:  # noqa: BLE001 - see _step
            raise self._failed(adopt_place(state.key, edition), error) from None

    def _failed(self, place: str, error: Exception) -> ReducerFailed:
        return ReducerFailed(self.reducer.name, self.partition, place, error)

    # ------------------------------------------------------------------ adoption

    def _lags_at(self, now: int) -> bool:
        if not self.reducer.adopts:
            return False
        reference = self._at(now)
        return reference is not None and self.reducer.editions(reference)[-1] != self._adopted

    def _adopt_slice(self) -> None:
        version = self._editions[-1]
        if self._sweep is None or self._sweep.version != version:
            self._sweep = AdoptionSweep(
                version, list(self._states.keys()), self._lags, new=self._new_keys()
            )
        left = _RECORDS
        while left and self._room_left > 0 and (key := self._sweep.next()) is not None:
            self._adopt(self._states.touch(key))
            left -= 1
        if self._sweep.done:
            self._adopted = version

    def _lags(self, key: str) -> bool:
        version = self._states.version_of(key)
        return version is not None and version not in self._editions

    def _new_keys(self) -> list[str]:
        return [
            key
            for key in self.reducer.keys_of(self._reference)
            if partition_of(key.encode(), self._config.partitions) == self.partition
            and self._states.version_of(key) is None
        ]

    # ------------------------------------------------------------------ what a call leaves

    def _apply(
        self,
        state: KeyValues,
        step: Step[Any],
        received_at_ms: int,
        trace: str | None,
        *,
        forced: bool,
    ) -> None:
        self._room_left -= 1 + len(step.facts)
        if not self._states.stateless:
            before = state.wake_at
            state.apply(step, self.reducer.edition_of(step.head, self._reference), forced=forced)
            self._states.settle(state)
            if forced or state.wake_at != before:
                self.timers.set(state.key, state.wake_at, self.now)
        elif step.head is not None or step.wake_at is not None or step.put:
            raise TypeError("a reducer without head_type and entry_kinds has no state to change")
        if step.facts:
            self._publish(step.facts, state, received_at_ms, trace)

    def _publish(
        self, facts: Sequence[Fact], state: KeyValues, received_at_ms: int, trace: str | None
    ) -> None:
        cause, own_key, at_ms = state.cause, state.key, self._log.now
        ordinals: dict[str, int] = {}
        origin: StepOrigin | None = None
        for fact in facts:
            outlet = self._outlets[fact.topic]
            ordinal = ordinals.get(outlet.kind, 0)
            ordinals[outlet.kind] = ordinal + 1
            value, key = fact.value, fact.key
            if value is not None and type(value) is not outlet.record:
                raise TypeError(f"{fact.topic} holds {outlet.record.__name__}")
            if outlet.same is not None and key == own_key:
                partition = outlet.same
            else:
                partition = partition_of(key.encode(), outlet.partitions)
            place = self._place(fact.topic, partition)
            offset = place.end
            place.end = offset + 1
            if place.shown:
                if origin is None:
                    origin = self._origin_of(cause, received_at_ms, trace)
                self._log.history.append(
                    Passed(
                        outlet,
                        fact,
                        (partition, offset, at_ms),
                        origin,
                        ordinal=ordinal,
                        own_key=own_key,
                    )
                )
            if place.readers:
                event_id = derived_id(cause, outlet.kind, ordinal)
                event = _event(
                    fact.topic,
                    partition,
                    offset,
                    key,
                    value,
                    event_id,
                    at_ms,
                    received_at_ms,
                    trace,
                )
                self._handed.append((place, event))

    def _origin_of(self, cause: str, received_at_ms: int, trace: str | None) -> StepOrigin:
        return StepOrigin(
            self._stamp,
            cause,
            made_at_ms=self._log.now,
            now=self.now,
            version=self._version,
            received_at_ms=received_at_ms,
            trace=trace,
        )

    def _place(self, topic: str, partition: int) -> Place:
        found = self._places.get((topic, partition))
        if found is None:
            found = self._places[topic, partition] = self._log.place(topic, partition)
        return found

    def _reject(self, topic: str, record: Event | Stored, rejected: Rejection) -> None:
        if topic not in self._outside:
            raise TypeError("an internal record cannot be rejected")
        assert isinstance(record, Stored)
        letter = dead_letter(topic, self.partition, record, rejected, self._origin, self.now)
        self._log.append(*letter)

    def _hand_on(self) -> None:
        """The batch ends: its facts reach their readers."""
        for place, event in self._handed:
            for number, task in place.readers:
                heappush(task.waiting, (event.at_ms, event.topic, event.offset, event))
                self._woken.add(number)
        self._handed.clear()
