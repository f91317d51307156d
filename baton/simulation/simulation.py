"""The whole system in memory: events in, facts out, hours in seconds. The same reducers as on
Kafka, on the log in memory.

Time is the events': a line arrives at its ``arrived_at``, else at its ``occurred_at``, and timers
fire as that passes. Nothing here reads a clock, so the same agreement and the same lines give the
same facts with the same ids. What every reader has read is let go of, unless it is to be kept for
questions afterwards: memory is that of the leads, not of their events.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import merge
from itertools import islice
from types import MappingProxyType
from typing import Any, Final

from baton.agreement.books import NO_BOOKS, Books, book_records
from baton.agreement.reference import SIDES, AgreementBook
from baton.contracts.partitioner import partition_of
from baton.contracts.reference_records import AgreementRecord, PeopleRecord
from baton.contracts.topic_names import BATON_AGREEMENTS, BATON_PEOPLE, LEADS_INBOX
from baton.contracts.topics import TOPICS, Audience
from baton.derived_ids import derived_id
from baton.engine.memory import MemoryHost, Stored
from baton.engine.reducer import Reducer
from baton.engine.task_config import TaskConfig
from baton.flow import all_reducers
from baton.simulation.direct.direct_host import DirectHost
from baton.simulation.direct.late_codecs import LateCodec
from baton.simulation.direct.passed import Seen, written
from baton.simulation.input_lines import Arrival
from baton.simulation.memo_codec import memo_codecs

_AGREED_BEFORE_MS = 60_000

_YIELDED: Final = frozenset(
    topic
    for topic, spec in TOPICS.items()
    if spec.audience is Audience.PUBLIC and spec.writer not in ("outside", "agreement")
)

Watch = Callable[[Stored, Arrival | None], None]
"""Is shown the records of a topic, a private one too, with the line that was just sent."""
NOTHING_WATCHED: Final[Mapping[str, Watch]] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """Another agreement (canonical text and version): published at ``at_ms``, in force from
    ``effective_at_ms`` on."""

    at_ms: int
    text: str
    version: str
    effective_at_ms: int
    books: Books = NO_BOOKS


Happening = Arrival | Announcement


class Simulation:
    """A system under one agreement (canonical text and version), from shortly before ``start_ms``.

    ``watch``: who is shown the records of a topic. ``known`` from then on: absences, and
    the books of the agreement. ``keep``: the whole log stays,
    for questions afterwards.
    """

    def __init__(
        self,
        *,
        text: str,
        version: str,
        start_ms: int,
        partitions: int = 1,
        known: Iterable[PeopleRecord | AgreementRecord] = (),
        keep: bool = True,
        watch: Mapping[str, Watch] = NOTHING_WATCHED,
    ) -> None:
        self._watch = watch
        self.host = self._host(partitions, start_ms - _AGREED_BEFORE_MS, keep=keep)
        self._keep = keep
        self._seen = 0
        self._agree(text, version, self.host.log.now)
        for record in known:
            people = isinstance(record, PeopleRecord)
            topic = BATON_PEOPLE if people else BATON_AGREEMENTS
            self.host.send(topic, record.record_id, record)
        self.host.advance(start_ms)

    def reducers(self) -> Sequence[Reducer[Any, Any]]:
        """Those that run, in the order of the flow; a part of the system overrides it."""
        return all_reducers()

    def _host(self, partitions: int, start_ms: int, *, keep: bool) -> MemoryHost | DirectHost:
        reducers, book = self.reducers(), AgreementBook()
        if keep:
            config = TaskConfig(partitions=partitions, codecs=memo_codecs())
            return MemoryHost(reducers, book, config, start_ms=start_ms)
        return DirectHost(
            reducers,
            book,
            TaskConfig(partitions=partitions, codecs=LateCodec),
            start_ms=start_ms,
            shown=_YIELDED | self._watch.keys(),
        )

    def run(
        self,
        arrivals: Iterable[Arrival],
        until_ms: int | None = None,
        *,
        announcements: Iterable[Announcement] = (),
    ) -> Iterator[Stored]:
        """Every public fact in the order of the log: while the lines come in, then until
        ``until_ms`` (None: no further).

        Both must be in the order of time; of one moment what was announced comes first.
        """
        announced: list[Happening] = sorted(announcements, key=_moment)
        happenings: Iterator[Happening] = merge(announced, arrivals, key=_moment)
        for happening in happenings:
            self.host.advance(happening.at_ms)
            match happening:
                case Arrival():
                    yield from self.send(happening)
                case Announcement():
                    self._announce(happening)
                    yield from self._news(None)
        if until_ms is not None:
            self.host.advance(until_ms)
        yield from self._news(None)

    def pass_time(self, until_ms: int) -> Iterator[Stored]:
        """Every public fact of the timers that fire until then."""
        self.host.advance(until_ms)
        yield from self._news(None)

    def send(self, arrival: Arrival) -> Iterator[Stored]:
        """One line now, and every public fact that follows at this moment."""
        self._send(arrival.line)
        self.host.settle()
        yield from self._news(arrival)

    def _announce(self, news: Announcement) -> None:
        self._agree(news.text, news.version, news.effective_at_ms, news.books)
        self.host.settle()

    def _agree(
        self, text: str, version: str, effective_at_ms: int, books: Books = NO_BOOKS
    ) -> None:
        records = [
            AgreementRecord(
                record_id=f"{version}:{side}", kind="approved", version=version, side=side
            )
            for side in sorted(SIDES)
        ]
        published = AgreementRecord(
            record_id=f"{version}:published",
            kind="published",
            version=version,
            effective_at_ms=effective_at_ms,
            text=text,
        )
        for record in (*book_records(books), *records, published):
            self.host.send(BATON_AGREEMENTS, record.record_id, record)

    def _send(self, line: bytes) -> None:
        key = inbox_key(line)
        self.host.log.append(
            LEADS_INBOX, partition_of(key, self.host.log.partitions_of(LEADS_INBOX)), key, line
        )

    def _news(self, arrival: Arrival | None) -> Iterator[Stored]:
        history: list[Any] = self.host.log.history
        for record in islice(history, self._seen, None):
            if (watch := self._watch.get(record.topic)) is not None:
                watch(self._shown(record), arrival)
            if record.topic in _YIELDED:
                yield self._shown(record)
        self._seen = len(history)
        if not self._keep:
            history.clear()
            self._seen = 0

    def _shown(self, record: Seen) -> Any:
        return written(record)


class CountedSimulation(Simulation):
    """For whoever only counts: where the log is not kept, no record is ever bytes. What it shows is
    read by :func:`baton.simulation.direct.passed.read`."""

    def _shown(self, record: Seen) -> Any:
        return record


def inbox_key(line: bytes) -> bytes:
    """The key under which a simulated line lies in the inbox; any would do there."""
    return derived_id("line", line.decode("utf-8", "replace")).encode()


def _moment(happening: Happening) -> int:
    return happening.at_ms
