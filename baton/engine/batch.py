"""What goes into a task and what comes out of a batch: plain values that every host can carry.

A host hands raw records to the core and gets back a :class:`Batch`: everything one transaction has
to write.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

Headers = list[tuple[str, bytes]]

LOG_APPEND_TIME = 1
"""``timestamp_type`` of a record that carries the broker's append time."""


class Record(Protocol):
    """One fetched record as the clients have it (``aiokafka.ConsumerRecord`` is one).

    ``timestamp`` is the append time if ``timestamp_type`` is :data:`LOG_APPEND_TIME`; else the
    writer chose it, and no task uses it.
    """

    @property
    def offset(self) -> int: ...
    @property
    def timestamp(self) -> int: ...
    @property
    def timestamp_type(self) -> int | None: ...
    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def headers(self) -> Sequence[tuple[str, bytes]]: ...


def append_time_ms(record: Record) -> int:
    """The broker's append time, or 0 for a record that does not carry it: that one never moves
    time."""
    return record.timestamp if record.timestamp_type == LOG_APPEND_TIME else 0


class Outgoing(NamedTuple):
    """One record to produce. ``topic`` is the logical name; ``partition`` is already chosen
    (murmur2 over the key)."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes | None
    headers: Headers


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds of one batch, so that the size of a transaction is bounded.

    ``outputs``: facts and changed keys; a batch that has more is full. ``wakes``: timers fired in
    one batch. ``spins``: how often in a row one key's wake may ask for a time in the past before
    the task stops with :class:`~baton.engine.reducer_runner.WakeLoop`.
    """

    outputs: int = 20_000
    wakes: int = 5_000
    spins: int = 100


UNLIMITED = Limits(outputs=1 << 62, wakes=1 << 62)


@dataclass(slots=True)
class Counts:
    """What a batch did, for metrics. ``late_ms``: the longest delay of a timer behind its due time.

    By metric and labels: ``measured`` is the increase of counters and of sums over keys;
    ``gauges`` is the new value of gauges.
    """

    taken: dict[str, int] = field(default_factory=dict)
    facts: dict[str, int] = field(default_factory=dict)
    dead: int = 0
    wakes: int = 0
    late_ms: int = 0
    unproven: int = 0
    adopted: int = 0
    skipped: int = 0
    measured: dict[tuple[str, tuple[str, ...]], float] = field(default_factory=dict)
    gauges: dict[tuple[str, tuple[str, ...]], float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """One transaction: write everything here, commit ``offsets`` with ``metadata``, then
    :meth:`Core.commit`.

    ``number`` is the batch's; ``offsets`` are the next offsets of *all* inputs; ``metadata`` goes
    into every committed offset. ``outgoing``: facts and dead letters, in order. ``changelog``:
    records of the changelog topic, this task's partition, the position record last. ``journal``:
    the one record for the journal topic, this task's partition. ``verdicts``: for external records,
    in order: whether it was rejected. The flood check reads it before the commit.
    """

    number: int
    offsets: Mapping[str, int]
    metadata: str
    outgoing: Sequence[Outgoing]
    changelog: Sequence[tuple[bytes, bytes | None]]
    journal: tuple[bytes, bytes]
    verdicts: Sequence[bool]
    counts: Counts
