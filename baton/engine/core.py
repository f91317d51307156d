"""The mind of one task: a reducer, one partition, its state and timers; no clock, no I/O, no asyncio.

A host (Kafka, the in-memory log, a rebuild) restores it from the changelog, hands it records and moments, writes what
:meth:`Core.seal` gives in one transaction and then calls :meth:`Core.fold`, or :meth:`Core.drop` where that failed. Between
the two the state proper is untouched: everything a batch does lies in an overlay, time and timers included, so after ``drop``
the same records can be tried again and give the same.

The protocol, always in this order::

    restore(key, value) ... restored()          the whole changelog, or what is new of it since the state was left
    while running:
        begin(made_at_ms, reference_offsets)
        take / pass_over / advance / fire_held / adopt_slice     in any order; False means: full, seal now, then offer it again
        batch = seal()                          None: nothing happened, nothing to commit (then drop)
        <one transaction>
        fold()  or  drop()
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from baton.contracts.codec import codec_for
from baton.contracts.topics import DEFAULT_NAMESPACE, TOPICS, TopicSpec
from baton.engine.batch import Batch, Limits, Record
from baton.engine.records import Position
from baton.engine.reducer import Reducer, ReferenceBook


class Core:
    """One task. ``topics`` and ``codecs`` can be replaced for reducers that are not in the catalogue (tests)."""

    now: int
    """Log time of the task in ms; never runs backwards."""
    number: int
    """Number of the batch that was folded last; 0 before the first."""
    positions: dict[str, int]
    """Next offset of each input."""

    def __init__(
        self,
        reducer: Reducer[Any, Any],
        book: ReferenceBook[Any],
        *,
        partition: int,
        partitions: int,
        limits: Limits = Limits(),  # noqa: B008 - frozen
        topics: Mapping[str, TopicSpec] = TOPICS,
        codecs: Callable[[type], Any] = codec_for,
        namespace: str = DEFAULT_NAMESPACE,
        version: str = "0",
    ) -> None: ...

    # ------------------------------------------------------------------ restoring

    def restore(self, key: bytes, value: bytes | None) -> None:
        """Take one record of the changelog, in offset order; a later one replaces an earlier one of the same key."""
        raise NotImplementedError

    def restored(self) -> Position | None:
        """The changelog has been read to its end. Gives the position record (None: this task never committed a batch), which
        the host compares with the committed offsets (:func:`baton.engine.position.disagreement`)."""
        raise NotImplementedError

    # ------------------------------------------------------------------ what a host may ask

    @property
    def waits_for_reference(self) -> bool:
        """Nothing was ever published on the reference topics: the task must not take anything yet."""
        raise NotImplementedError

    @property
    def next_due(self) -> int | None:
        """When the next timer that is not held is due (ms), or None. May be in the past."""
        raise NotImplementedError

    @property
    def held(self) -> int:
        """How many timers are due but wait for the proof of the upstream (reducers with ``upstream`` only)."""
        raise NotImplementedError

    @property
    def oldest_held(self) -> int | None:
        """Due time of the oldest held timer; a proof up to :attr:`now` covers every held one."""
        raise NotImplementedError

    @property
    def adopting(self) -> bool:
        """Whether some key may still live under an older agreement: call :meth:`adopt_slice` in each batch."""
        raise NotImplementedError

    def changes_by(self, now: int) -> bool:
        """Whether at log time ``now`` a timer would be due or another agreement in force: worth asking for the time."""
        raise NotImplementedError

    def reached(self, ends: Mapping[str, int]) -> bool:
        """Whether this task has processed its inputs up to ``ends`` (next offsets), the open batch included."""
        raise NotImplementedError

    @property
    def full(self) -> bool:
        """The open batch has reached its limits: seal it."""
        raise NotImplementedError

    # ------------------------------------------------------------------ one batch

    def begin(self, made_at_ms: int, reference_offsets: Mapping[str, int] | None = None) -> None:
        """Open a batch. ``made_at_ms``: the worker's clock, for the header of that name only. ``reference_offsets``: how far the
        reference topics were read when it began."""
        raise NotImplementedError

    def take(self, topic: str, record: Record) -> bool:
        """Process one record: fire what is due by then, adopt if its key lags, step.

        False: it was *not* taken because the batch is full; seal, commit, and offer it again. Raises :class:`ReducerFailed`
        (then only :meth:`drop` is allowed) and :class:`OutOfOrder` for a record behind the position."""
        raise NotImplementedError

    def pass_over(self, topic: str, position: int) -> None:
        """The input's position moved on over what holds no record (transaction markers), or this is a first start, there."""
        raise NotImplementedError

    def advance(self, to_ms: int) -> bool:
        """Move time on without a record and fire what is due by then; False: not all of it, the batch is full."""
        raise NotImplementedError

    def fire_held(self, up_to_ms: int, *, proven: bool) -> bool:
        """Wake the held timers that are still due at or before ``up_to_ms``, in order of (due, key); False: the batch is full.

        To be called when every group upstream has committed past what was appended before ``up_to_ms`` and this task has itself
        reached the ends listed last; or after the limit with ``proven=False``."""
        raise NotImplementedError

    def adopt_slice(self, limit: int) -> int:
        """Let the next keys (at most ``limit``) adopt the agreement in force; how many did."""
        raise NotImplementedError

    def skip(self, place: str) -> None:
        """Leave out what runs at ``place`` (see :class:`ReducerFailed`) when it comes up; the journal will say so."""
        raise NotImplementedError

    def seal(self) -> Batch | None:
        """Close the batch and encode it. None where nothing happened."""
        raise NotImplementedError

    def fold(self) -> None:
        """The transaction is committed: the overlay becomes the state."""
        raise NotImplementedError

    def drop(self) -> None:
        """The transaction failed or will not be tried: forget the batch; the task is as it was before :meth:`begin`."""
        raise NotImplementedError
