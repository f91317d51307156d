"""Every task computed again from its journal: its facts and its state must be the ones in the log.

A task is followed up to the batch its changelog stood at when that was read, so a system that goes
on meanwhile is no trouble.
"""

import marshal
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from baton.agreement.reference import AgreementBook
from baton.cluster.log import Record
from baton.contracts.codec import codec_for
from baton.contracts.topics import REFERENCE_TOPICS, TOPICS, Cleanup, changelog_topic, journal_topic
from baton.engine.batch import UNLIMITED, Batch, Outgoing
from baton.engine.changelog import POSITION_KEY, explain
from baton.engine.core import Core
from baton.engine.errors import EngineError
from baton.engine.rebuild import JournalMismatch, rebuild
from baton.engine.record_headers import RecordDecoder
from baton.engine.records import BatchJournal, Position
from baton.engine.reducer import Reducer
from baton.engine.task_config import TaskConfig
from baton.proof.audit.findings import Finding, Invariant, Place
from baton.proof.audit.source import Source

FactRow = Callable[[str, str, int, bytes, bytes], None]
"""``(fact id, topic, partition, key, digest)``"""

_INFORMATION_ONLY = frozenset({"made_at", "__dlq.errors.version"})
"""Headers that say which worker wrote a record, and when by its clock: not what the log
determines."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Of one task: how many batches were computed again, or why it could not be (``obstacle``)."""

    outputs: tuple[str, ...]
    batches: int = 0
    obstacle: str | None = None


def digest(key: bytes | None, value: bytes | None, headers: Iterable[tuple[str, bytes]]) -> bytes:
    """What a fact says, in 16 bytes; what is information about the worker does not count. The same
    values give the same bytes: of ``marshal``'s formats the second is the last that writes no
    references to objects."""
    kept = [header for header in headers if header[0] not in _INFORMATION_ONLY]
    return blake2b(marshal.dumps((key, value, kept), 2), digest_size=16).digest()


def read_book(source: Source) -> AgreementBook:
    """The reference topics, whole."""
    book = AgreementBook()
    for topic in REFERENCE_TOPICS:
        decoder = RecordDecoder(TOPICS[topic], 0, codec_for)
        for record in source.read(topic, 0):
            book.add(decoder.event(record))
    return book


class TaskAudit:
    """One task: (reducer, partition)."""

    def __init__(
        self,
        source: Source,
        reducer: Reducer[Any, Any],
        partition: int,
        book: AgreementBook,
        namespace: str,
    ) -> None:
        self._source, self._reducer, self._partition, self._book = source, reducer, partition, book
        self._namespace = namespace
        self._changelog = changelog_topic(reducer.name)
        self._journal = journal_topic(reducer.name)
        self.name = f"{reducer.name}[{partition}]"
        self.outputs = reducer.outputs

    def obstacle(self) -> str | None:
        """Why the task cannot be computed again: what it took is not there any more. None: it
        can."""
        for topic in (self._journal, *self._reducer.inputs):
            if TOPICS[topic].cleanup.value == "delete" and (
                first := self._source.first(topic, self._partition)
            ):
                return (
                    f"{self.name}: {topic}/{self._partition} begins at {first}, what came before "
                    "was deleted by retention"
                )
        return None

    def run(self, row: FactRow, add: Callable[[Finding], None]) -> Outcome:
        """Compute it again, hand each fact to ``row`` and compare the state."""
        obstacle = self.obstacle()
        if obstacle is not None:
            return Outcome(outputs=self.outputs, obstacle=obstacle)
        held, places, batch = self._changelog_now()
        state: dict[bytes, bytes] = {}
        number = 0
        try:
            for number, sealed in enumerate(self._batches(batch), start=1):  # noqa: B007 - how many there were
                for fact in sealed.outgoing:
                    said = digest(fact.key, fact.value, fact.headers)
                    row(_id_of(fact), fact.topic, fact.partition, fact.key or b"", said)
                _apply(state, sealed)
        except JournalMismatch as error:
            if error.topic is not None and TOPICS[error.topic].cleanup is Cleanup.COMPACT:
                words = (
                    f"{self.name}: {error.topic}/{self._partition} was compacted, what came before "
                    "is not there any more"
                )
                return Outcome(outputs=self.outputs, batches=number, obstacle=words)
            return self._not_computed(str(error), number, add)
        except (EngineError, KeyError, ValueError) as error:
            return self._not_computed(f"{type(error).__name__}: {error}", number, add)
        if number != batch:
            words = (
                f"{self.name}: the changelog stands at batch {batch}, the journal ends at {number}"
            )
            add(Finding(invariant=Invariant.STATE, words=words))
        self._compare(held, places, state, add)
        return Outcome(outputs=self.outputs, batches=number)

    def _not_computed(self, why: str, batches: int, add: Callable[[Finding], None]) -> Outcome:
        words = f"{self.name} cannot be computed again: {why}"
        add(Finding(invariant=Invariant.STATE, words=words))
        return Outcome(outputs=self.outputs, batches=batches)

    def _changelog_now(self) -> tuple[dict[bytes, bytes], dict[bytes, int], int]:
        held: dict[bytes, bytes] = {}
        places: dict[bytes, int] = {}
        position: bytes | None = None
        for record in self._source.read(self._changelog, self._partition):
            assert record.key is not None, "a changelog record has a key"
            places[record.key] = record.offset
            if record.value is None:
                held.pop(record.key, None)
                continue
            held[record.key] = _print_of(record.value)
            if record.key == POSITION_KEY:
                position = record.value
        batch = 0 if position is None else codec_for(Position).decode(position).batch
        return held, places, batch

    def _batches(self, upto: int) -> Iterator[Batch]:
        partitions = self._source.partitions(self._changelog)
        core = Core(
            self._reducer,
            self._book,
            TaskConfig(partitions=partitions, limits=UNLIMITED, namespace=self._namespace),
            partition=self._partition,
        )
        yield from rebuild(core, self._entries(upto), self._inputs)

    def _entries(self, upto: int) -> Iterator[BatchJournal]:
        codec = codec_for(BatchJournal)
        for record in self._source.read(self._journal, self._partition):
            assert record.value is not None, "a journal record has a value"
            entry = codec.decode(record.value)
            if entry.batch > upto:
                return
            yield entry

    def _inputs(self, topic: str, offset: int) -> Iterator[Record]:
        return self._source.read(topic, self._partition, offset)

    def _compare(
        self,
        held: dict[bytes, bytes],
        places: dict[bytes, int],
        state: dict[bytes, bytes],
        add: Callable[[Finding], None],
    ) -> None:
        for key in sorted(held.keys() | state.keys()):
            if key in held and key in state and held[key] == _print_of(state[key]):
                continue
            place = (
                Place(topic=self._changelog, partition=self._partition, offset=places[key])
                if key in places
                else None
            )
            what = (
                "is not there"
                if key not in held
                else "should not be there"
                if key not in state
                else "is another"
            )
            words = f"{self.name}: {_said(key)} {what}, says the journal"
            add(Finding(invariant=Invariant.STATE, words=words, place=place))


def _print_of(value: bytes) -> bytes:
    """Sixteen bytes for a value, so that a changelog need not be held whole."""
    return blake2b(value, digest_size=16).digest()


def _apply(state: dict[bytes, bytes], sealed: Batch) -> None:
    for key, value in sealed.changelog:
        if value is None:
            state.pop(key, None)
        else:
            state[key] = value


def _id_of(fact: Outgoing) -> str:
    """The fact's id; a dead letter has none of its own and goes by where its record lay."""
    named = {
        name: data
        for name, data in fact.headers
        if name in ("ce_id", "__dlq.errors.partition", "__dlq.errors.offset")
    }
    if "__dlq.errors.offset" in named:
        return dead_letter_id(named["__dlq.errors.partition"], named["__dlq.errors.offset"])
    return named["ce_id"].decode()


def dead_letter_id(partition: bytes, offset: bytes) -> str:
    """What identifies a dead letter: the place of the record that could not be taken."""
    return f"dead-{partition.decode()}-{offset.decode()}"


def _said(key: bytes) -> str:
    part = explain(key, None if key != POSITION_KEY else b"")
    return f"{part.part} {part.kind} {part.key} {part.item}".strip()


__all__ = ["Outcome", "TaskAudit", "dead_letter_id", "digest", "read_book"]
