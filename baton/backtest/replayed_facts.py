"""The facts that are replayed, from a file of event lines or from the book of record.

A fact is what ``identify`` says of a lead: an accepted event, or a merge. From a file it is
computed by the reducers of intake, from the cluster read from public topics, whose events carry no
direct identifiers: whether a lead can be reached is then taken from what is known of it now. When
a cycle ended, and how it went on, is history's.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from baton.agreement.books import book_records
from baton.agreement.canonical import canonical_text
from baton.agreement.compiled.agreement import CompiledAgreement
from baton.backtest.history import History
from baton.backtest.raw_facts import Kind, RawFact, reach_of
from baton.cluster.log import LogReader, Record
from baton.contracts import topic_names
from baton.contracts.codec import codec_for
from baton.contracts.intake import LeadPerson
from baton.contracts.slas import LeadReactivated, LeadRecycled
from baton.contracts.topic_names import (
    INTAKE_LEADS,
    LEADS_ACCEPTED,
    LEADS_MERGES,
    LEADS_PERSONS,
)
from baton.derived_ids import derived_id
from baton.engine.memory import Stored
from baton.engine.reducer import Reducer
from baton.flow import service_of
from baton.simulation.input_lines import Arrival
from baton.simulation.simulation import Simulation

_ENDS: Mapping[str, tuple[Kind, Any]] = {
    topic_names.LEADS_RECYCLED: (Kind.RECYCLED, LeadRecycled),
    topic_names.LEADS_REACTIVATED: (Kind.REACTIVATED, LeadReactivated),
}


class _Intake(Simulation):
    """Intake alone: who each event is of, each once."""

    def reducers(self) -> Sequence[Reducer[Any, Any]]:
        return service_of("ingest").reducers


def facts_of_lines(arrivals: Sequence[Arrival], agreement: CompiledAgreement) -> Iterator[RawFact]:
    """The facts of event lines (in order of time), as intake makes them."""
    made: list[RawFact] = []

    def note(stored: Stored, _: Arrival | None) -> None:
        assert stored.key is not None
        assert stored.value is not None
        made.append(
            _raw(
                Kind.INPUT, stored.key, stored.value, dict(stored.headers), stored.timestamp, stored
            )
        )

    simulation = _Intake(
        text=canonical_text(agreement.raw),
        version=agreement.version,
        start_ms=arrivals[0].at_ms,
        known=tuple(book_records(agreement.raw.attached)),
        keep=False,
        watch={INTAKE_LEADS: note},
    )
    for _ in simulation.run(arrivals):
        yield from made
        made.clear()
    yield from made


def facts_of_cluster(reader: LogReader, since_ms: int) -> Iterator[RawFact]:
    """The facts of the book of record from ``since_ms`` on: of each lead in order."""
    reach = dict(_reach(reader))
    for kind, topic in ((Kind.MERGED, LEADS_MERGES), (Kind.ACCEPTED, LEADS_ACCEPTED)):
        places = {topic: list(range(reader.partitions(topic)))}
        for record in reader.read(places, since_ms=since_ms):
            if record.value is None or record.key is None:
                continue
            known = reach.pop(record.key, 0) if kind == Kind.ACCEPTED else 0
            yield _raw(
                kind,
                record.key,
                record.value,
                dict(record.headers),
                record.at_ms,
                record,
                known,
            )


def facts_of_ends(history: History | None) -> Iterator[RawFact]:
    """When cycles ended in history, and when it brought leads back."""
    for topic, at_ms, value in () if history is None else history.ends:
        kind, record = _ENDS[topic]
        end: Any = record(**value)
        codec: Any = codec_for(record)
        own = derived_id(topic, end.recycle_id, at_ms, end.lead_id).encode()
        yield RawFact(kind, end.lead_id.encode(), own, at_ms, at_ms, codec.encode(end))


def _raw(
    kind: Kind,
    key: bytes,
    value: bytes,
    headers: Mapping[str, bytes],
    at_ms: int,
    place: Stored | Record,
    reach: int = 0,
) -> RawFact:
    own, received = headers.get("ce_id"), headers.get("received_at")
    return RawFact(
        kind,
        key,
        own or derived_id("record", place.topic, place.partition, place.offset).encode(),
        at_ms,
        int(received) if received else at_ms,
        value,
        reach,
    )


def _reach(reader: LogReader) -> Iterable[tuple[bytes, int]]:
    """Whether each lead can be reached, as is known now; nothing else of the person is kept."""
    codec = codec_for(LeadPerson)
    places = {LEADS_PERSONS: list(range(reader.partitions(LEADS_PERSONS)))}
    for record in reader.read(places):
        if record.value is not None and record.key is not None:
            value: LeadPerson = codec.decode(record.value)
            yield record.key, 0 if value.erased else reach_of(value.person)
