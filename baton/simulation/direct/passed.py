"""A record that is handed from task to task as a value; its bytes and headers are made only for who
asks."""

from __future__ import annotations

from typing import Any

from baton.contracts.codec import codec_for
from baton.derived_ids import derived_id
from baton.engine.memory import Stored
from baton.engine.record_headers import RecordEncoder, Stamp
from baton.engine.reducer import Fact
from baton.simulation.direct.place import Place


class Outlet:
    """One output topic of a task. ``kind``: what the ids of its facts derive from; ``same``: its
    records lie in the task's partition where they have the key of their cause; ``places``: of the
    log, by partition, as soon as they are used."""

    __slots__ = ("encoder", "kind", "partitions", "places", "record", "same", "topic")

    def __init__(
        self, encoder: RecordEncoder, record: type, partitions: int, *, same: int | None
    ) -> None:
        self.topic, self.kind = encoder.topic, encoder.kind
        self.encoder, self.record = encoder, record
        self.partitions, self.same = partitions, same
        self.places: list[Place | None] = [None] * partitions


class StepOrigin:
    """What the headers of a step's facts are made of."""

    __slots__ = ("cause", "made_at_ms", "now", "received_at_ms", "stamp", "trace", "version")

    def __init__(
        self,
        stamp: Stamp,
        cause: str,
        *,
        made_at_ms: int,
        now: int,
        version: str,
        received_at_ms: int,
        trace: str | None,
    ) -> None:
        self.stamp, self.cause = stamp, cause
        self.made_at_ms, self.now, self.version = made_at_ms, now, version
        self.received_at_ms, self.trace = received_at_ms, trace


class Passed:
    """One fact, where it lies in the log, and what is needed to write it down."""

    __slots__ = (
        "_key",
        "_ordinal",
        "_origin",
        "_outlet",
        "_own_key",
        "offset",
        "partition",
        "timestamp",
        "topic",
        "value",
    )

    def __init__(
        self,
        outlet: Outlet,
        fact: Fact,
        place: tuple[int, int, int],
        origin: StepOrigin,
        *,
        ordinal: int,
        own_key: str,
    ) -> None:
        self.topic, self.value = outlet.topic, fact.value
        self.partition, self.offset, self.timestamp = place
        self._outlet, self._origin, self._key = outlet, origin, fact.key
        self._ordinal, self._own_key = ordinal, own_key

    def written(self) -> Stored:
        """The record as the log on Kafka would have it."""
        origin, outlet = self._origin, self._outlet
        stamp = origin.stamp
        stamp.made_at(origin.made_at_ms)
        stamp.at(origin.now, origin.version)
        out = outlet.encoder.outgoing(
            Fact(self.topic, self._key, self.value),
            derived_id(origin.cause, outlet.kind, self._ordinal),
            self._own_key,
            stamp.headers(origin.cause, origin.received_at_ms, origin.trace),
        )
        return Stored(
            self.topic,
            self.partition,
            self.offset,
            self.timestamp,
            out.key,
            out.value,
            out.headers,
        )


Seen = Stored | Passed
"""A record as a simulation shows it."""


def written(record: Seen) -> Stored:
    """``record`` with its bytes and headers."""
    return record.written() if isinstance(record, Passed) else record


def read(record: Seen, record_type: type) -> Any:
    """The value of ``record``; None for a deletion."""
    if isinstance(record, Passed) or record.value is None:
        return record.value
    return codec_for(record_type).decode(record.value)
