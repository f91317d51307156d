"""The interface between the engine and what it runs: keyed reducers, and the values that go in and
come out of them.

A reducer is pure. It gets the state of one key, one event (or the moment at which it asked to be
woken) and the log time; it returns a :class:`Step`: the new state, the facts to publish and when to
be woken next. It reads no clock, draws no random number and does no I/O, so every host (Kafka, the
in-memory log, a rebuild) computes the same.

All times are integers of milliseconds since the epoch, UTC, and named ``..._ms`` or ``now`` (log
time).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from baton.contracts.amounts import Amount
from baton.evolve import quick

S = TypeVar("S")
T = TypeVar("T")
R = TypeVar("R", bound="Reference")
S_co = TypeVar("S_co", covariant=True)
R_co = TypeVar("R_co", bound="Reference", covariant=True)


class Reference(Protocol):
    """The reference data in force at a moment; shared by all keys, read whole by every task.

    ``version`` names the agreement; when it changes, every key adopts the new one
    (:meth:`Reducer.adopt`). A reducer may follow more of the reference than that: see
    :meth:`Reducer.editions`.
    """

    @property
    def version(self) -> str: ...


class ReferenceBook(Protocol[R_co]):
    """The whole history of the reference topics: which reference is in force at which log time.

    It must be a function of the records alone. A record appended at ``a`` may change :meth:`at`
    only for times from ``a + 10 s`` on, but for the very first version, which holds for all time
    before it too.
    """

    topics: tuple[str, ...]

    def add(self, event: Event) -> None:
        """Add one record of a reference topic; records of a topic come in offset order."""

    def at(self, now: int) -> R_co | None:
        """The reference in force at ``now``; ``None`` if nothing was ever published (tasks then
        wait)."""


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One input record, decoded.

    ``value`` is the contract's dataclass; on an external topic it is the raw ``bytes``. ``id`` is
    the record's ``ce_id``, or an id derived from its place where it has none. ``at_ms`` is the
    broker's append time; ``received_at_ms`` is when the cause first reached the log (header
    ``received_at``, else ``at_ms``): verdicts about deadlines use this one. ``headers``: of an
    external record.
    """

    topic: str
    partition: int
    offset: int
    key: str
    value: Any
    id: str
    at_ms: int
    received_at_ms: int
    traceparent: str | None = None
    headers: tuple[tuple[str, bytes], ...] = ()


def event_without_log(topic: str, key: str, value: Any, *, id: str, at_ms: int) -> Event:
    """An event that no log has, for who asks a reducer what it would do: received at ``at_ms``."""
    return Event(
        topic=topic,
        partition=0,
        offset=0,
        key=key,
        value=value,
        id=id,
        at_ms=at_ms,
        received_at_ms=at_ms,
    )


@dataclass(frozen=True, slots=True, eq=False)
class EntryKind(Generic[T]):
    """A named kind of entries beside a key's head: ``HELD = EntryKind("held", HeldLead)``, made
    once per kind.

    ``name`` is short, lower case, without ``/``; ``type`` is the frozen dataclass of the value (it
    has an Avro schema).
    """

    name: str
    type: type[T]


class View(Protocol[S_co]):
    """What a reducer may read: the state of one key, and the cause of the current call."""

    @property
    def key(self) -> str: ...
    @property
    def cause(self) -> str:
        """Id of the current cause (event id, or derived for a wake or an adoption). Derive every
        new id from it."""

    @property
    def head(self) -> S_co | None: ...
    @property
    def wake_at(self) -> int | None: ...
    @property
    def proven(self) -> bool:
        """In ``wake`` of a reducer with ``upstream``: False if the upstream check ran into its
        limit (``unproven``)."""

    def get(self, kind: EntryKind[T], item: str) -> T | None:
        """The entry ``item`` of ``kind``, or None."""

    def scan(
        self,
        kind: EntryKind[T],
        *,
        first: str = "",
        below: str | None = None,
        limit: int,
        reverse: bool = False,
    ) -> Sequence[tuple[str, T]]:
        """At most ``limit`` entries with ``first <= item < below``, in the order of ``item`` (code
        points)."""

    def count(self, kind: EntryKind[Any]) -> int:
        """Number of entries of ``kind`` that the key has."""


@quick
@dataclass(frozen=True, slots=True)
class Put(Generic[T]):
    """Store ``value`` as entry ``item`` of ``kind``, over any former one."""

    kind: EntryKind[T]
    item: str
    value: T


@quick
@dataclass(frozen=True, slots=True)
class Drop:
    """Remove entry ``item`` of ``kind``; nothing happens where there is none."""

    kind: EntryKind[Any]
    item: str


@quick
@dataclass(frozen=True, slots=True)
class Fact:
    """A record to publish: ``value`` (the topic's dataclass) under ``key``. The engine derives its
    id from the step's cause, the reducer, the type's name and its ordinal in the step."""

    topic: str
    key: str
    value: Any


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why an external record cannot be used. ``code`` is a stable word, ``reason`` a sentence that
    says what to fix and quotes no personal data."""

    code: str
    reason: str


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Step(Generic[S]):
    """The result of one call of a reducer.

    ``head``: the key's state from now on; ``None`` removes it; the same object as ``view.head``
    means unchanged. ``wake_at``: when ``wake`` is to be called next (log time); ``None``: not at
    all. It replaces the former one, so a step that changes nothing about it passes on
    ``view.wake_at``. A time in the past is due at once. ``rejected`` is only for reducers of an
    external topic: the record becomes a dead letter.
    """

    head: S | None
    wake_at: int | None = None
    put: tuple[Put[Any], ...] = ()
    drop: tuple[Drop, ...] = ()
    facts: tuple[Fact, ...] = ()
    rejected: Rejection | None = None


def has_state(reducer: Reducer[Any, Any]) -> bool:
    """Whether the reducer keeps anything by key."""
    return reducer.head_type is not None or bool(reducer.entry_kinds)


def editions_by_head(reducer: Reducer[Any, Any]) -> bool:
    """Whether keys with different heads live under different editions at one moment."""
    return type(reducer).edition_of is not Reducer.edition_of


class Reducer(ABC, Generic[S, R]):
    """One keyed reducer. Subclasses set the class variables and hold no state of their own.

    ``inputs``: logical topic names, all co-partitioned. ``head_type``: dataclass of the head (None:
    stateless). ``upstream``: the reducers, in the order of the flow, whose input must be processed
    past a deadline before this one may judge it; a reducer that names any has all its timers
    checked so. ``has_gauge``: the reducer exports a gauge of its keys (:meth:`gauge`).
    """

    name: ClassVar[str]
    service: ClassVar[str]
    inputs: ClassVar[tuple[str, ...]]
    outputs: ClassVar[tuple[str, ...]]
    head_type: ClassVar[type[Any] | None]
    entry_kinds: ClassVar[tuple[EntryKind[Any], ...]] = ()
    upstream: ClassVar[tuple[str, ...]] = ()
    adopts: ClassVar[bool] = False
    has_gauge: ClassVar[bool] = False

    @abstractmethod
    def step(self, view: View[S], event: Event, *, now: int, reference: R) -> Step[S]:
        """Process one input record."""

    def wake(self, view: View[S], *, now: int, reference: R) -> Step[S]:
        """The time the last step asked for has come."""
        raise NotImplementedError(f"{self.name} asked to be woken but has no wake()")

    def adopt(self, view: View[S], *, old: str, new: R, now: int) -> Step[S]:
        """A new agreement is in force; ``old`` is the version that the key adopted last. Called
        only if ``adopts``."""
        return Step(head=view.head, wake_at=view.wake_at)

    def editions(self, reference: R) -> tuple[str, ...]:
        """The names that a key may live under while ``reference`` is in force; the last one covers
        all that the reducer follows. A key that lives under none of them adopts. They are functions
        of the reference alone."""
        return (reference.version,)

    def edition_of(self, head: S | None, reference: R) -> str:
        """The one of the :meth:`editions` that a key with this head lives under: a key that some
        change of the reference cannot concern lives under a name that the change leaves as it is,
        and then costs nothing."""
        return self.editions(reference)[-1]

    def keys_of(self, reference: R) -> Iterable[str]:
        """Keys that exist because the reference says so, before any record names them: each of them
        adopts, with no head yet, when a reference is adopted."""
        return ()

    def gauge(self, view: View[S]) -> Amount | None:
        """The key's part of a gauge, after a batch that touched the key and after a restore. Called
        only if ``has_gauge``. An amount that ``sets`` is the value of the gauge; otherwise the
        gauge is the sum over all keys (None adds nothing)."""
        return None
