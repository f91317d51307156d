"""A running Baton as a screen reads it: the agreement in force with absences, and a reducer's state
from its compacted changelog."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from baton.agreement.reference import AgreementBook, AgreementReference
from baton.clients import confluent_options
from baton.cluster.log import LogReader
from baton.contracts.codec import codec_for
from baton.contracts.partitioner import partition_of
from baton.contracts.topics import TOPICS, changelog_topic
from baton.engine.changelog import POSITION_KEY
from baton.engine.core import Core
from baton.engine.key_state import KeyState, Shape
from baton.engine.record_headers import RecordDecoder
from baton.engine.reducer import Reducer
from baton.engine.store import MemoryStore
from baton.flow import all_reducers
from baton.settings import Settings


class NoAgreement(LookupError):
    """No agreement is in force; the text says how to put one in force."""


@dataclass(frozen=True, slots=True)
class Live:
    """A reader of the cluster with the agreement that was in force when it was opened."""

    reader: LogReader
    reference: AgreementReference
    now_ms: int

    def states(self, reducer: str, keys: Sequence[str] | None = None) -> "ReducerStates":
        """The states of a reducer; of ``keys`` only where given, which reads their partitions
        alone."""
        found = ReducerStates(reducer)
        total = self.reader.partitions(found.topic)
        wanted = (
            list(range(total))
            if keys is None
            else sorted({partition_of(key.encode(), total) for key in keys})
        )
        records = self.reader.read({found.topic: wanted})
        found.restore((record.key, record.value) for record in records if record.key is not None)
        return found


@contextmanager
def live(settings: Settings, *, now_ms: int) -> Iterator[Live]:
    """Open the cluster of ``settings``; raises :class:`NoAgreement`."""
    with LogReader(confluent_options(settings), settings.namespace) as reader:
        yield Live(reader, reference_now(reader, now_ms=now_ms), now_ms)


def reference_now(reader: LogReader, *, now_ms: int) -> AgreementReference:
    """The agreement in force with the absences known, as every task folds them."""
    book = AgreementBook()
    for topic in book.topics:
        decoder = RecordDecoder(TOPICS[topic], 0, codec_for)
        for record in reader.read({topic: [0]}):
            if record.value is not None:
                book.add(decoder.event(record))
    found = book.at(now_ms)
    if found is None:
        raise NoAgreement(
            "no agreement is in force on this cluster; put one in force with: baton agreement "
            "publish FILE"
        )
    return found


class ReducerStates:
    """The states of one reducer's keys, as far as its changelog was read. Nothing is written."""

    def __init__(self, name: str) -> None:
        self.reducer: Reducer[Any, Any] = next(
            reducer for reducer in all_reducers() if reducer.name == name
        )
        self._store = MemoryStore()
        self._core = Core(self.reducer, AgreementBook(), store=self._store)
        self._shape = Shape(self.reducer, codec_for)

    @property
    def topic(self) -> str:
        """The changelog to read."""
        return changelog_topic(self.reducer.name)

    def restore(self, records: Iterable[tuple[bytes, bytes | None]]) -> None:
        """Take records (key, value) of the changelog, in the order of each partition."""
        for key, value in records:
            if key != POSITION_KEY:
                self._core.restore(key, value)

    def keys(self) -> list[str]:
        """Every key there is a head of."""
        return sorted(self._store.keys())

    def view(self, key: str) -> KeyState:
        """A view of one key; one that is not there is empty. What a step changes in it is seen by
        nobody else."""
        return KeyState(key, self._store, self._shape)


class EmptyStates:
    """A system in which nothing has happened yet."""

    def states(self, reducer: str, keys: Sequence[str] | None = None) -> ReducerStates:
        """No key has a state."""
        del keys
        return ReducerStates(reducer)
