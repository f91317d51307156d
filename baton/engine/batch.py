"""What goes into a task and what comes out of a batch: plain values that every host can carry.

A host hands raw records to the core and gets back a :class:`Batch`: everything one transaction has to write.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

Headers = list[tuple[str, bytes]]


class Record(Protocol):
    """One fetched record as the clients have it (``aiokafka.ConsumerRecord`` is one). ``timestamp`` is the append time."""

    @property
    def offset(self) -> int: ...
    @property
    def timestamp(self) -> int: ...
    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def headers(self) -> Sequence[tuple[str, bytes]]: ...


class Outgoing(NamedTuple):
    """One record to produce. ``topic`` is the logical name; ``partition`` is already chosen (murmur2 over the key)."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes | None
    headers: Headers


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds of one batch, so that no transaction grows without end.

    ``outputs``: after so many facts and changed keys the batch is full. ``wakes``: so many timers fire in one batch.
    ``spins``: so often in a row may one key's wake ask to be woken in the past before it counts as stuck.
    """

    outputs: int = 20_000
    wakes: int = 5_000
    spins: int = 100


UNLIMITED = Limits(outputs=1 << 62, wakes=1 << 62)


@dataclass(slots=True)
class Counts:
    """What a batch did, for metrics. ``late_ms``: by how much the most belated timer fired after its due time.

    By metric and labels, ``measured``: by how much counters grow and sums over keys change; ``standing``: what gauges become.
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
    standing: dict[tuple[str, tuple[str, ...]], float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """One transaction: write everything here, commit ``offsets`` with ``metadata``, then :meth:`Core.commit`.

    ``number`` is the batch's; ``offsets`` are the next offsets of *all* inputs; ``metadata`` goes into each committed offset.
    ``outgoing``: facts and dead letters, in order. ``changelog``: records of the changelog topic, this task's partition, the
    position record last. ``journal``: the one record for the journal topic, this task's partition.
    ``verdicts``: for records of the outside, in order, whether each was rejected; for the flood gate, before the commit.
    """

    number: int
    offsets: Mapping[str, int]
    metadata: str
    outgoing: Sequence[Outgoing]
    changelog: Sequence[tuple[bytes, bytes | None]]
    journal: tuple[bytes, bytes]
    verdicts: Sequence[bool]
    counts: Counts
