"""The facts that are replayed, from a file of event lines or from the book of record.

A fact is what ``identify`` says of a lead: an accepted event, or a merge. From a file it is
computed by the reducers of intake, from the cluster read from public topics, whose events carry no
direct identifiers: whether a lead can be reached is then taken from what is known of it now.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from baton.agreement.books import book_records
from baton.agreement.canonical import canonical_text
from baton.agreement.compiled.agreement import CompiledAgreement
from baton.cluster.log import LogReader, Record
from baton.contracts.codec import codec_for
from baton.contracts.intake import LeadEvent, LeadInput, LeadMerge, LeadPerson, Person
from baton.contracts.topic_names import (
    INTAKE_LEADS,
    LEADS_ACCEPTED,
    LEADS_MERGES,
    LEADS_PERSONS,
)
from baton.contracts.topics import TOPICS
from baton.engine.memory import Stored
from baton.engine.record_headers import RecordDecoder
from baton.engine.reducer import Event, Reducer
from baton.flow import service_of
from baton.simulation.lines import Arrival
from baton.simulation.simulation import Simulation


class _Intake(Simulation):
    """Intake alone: who each event is of, each once."""

    def reducers(self) -> Sequence[Reducer[Any, Any]]:
        return service_of("ingest").reducers


def facts_of_lines(arrivals: Sequence[Arrival], agreement: CompiledAgreement) -> Iterator[Event]:
    """The facts of event lines (in order of time), as intake makes them."""
    decoder = RecordDecoder(TOPICS[INTAKE_LEADS], 0, codec_for)
    made: list[Event] = []

    def note(stored: Stored, _: Arrival | None) -> None:
        made.append(decoder.event(stored))

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


def facts_of_cluster(reader: LogReader, since_ms: int) -> Iterator[Event]:
    """The facts of the book of record from ``since_ms`` on: of each lead in order."""
    people = dict(_people(reader))
    for topic in (LEADS_MERGES, LEADS_ACCEPTED):
        places = {topic: list(range(reader.partitions(topic)))}
        yield from _facts(reader.read(places, since_ms=since_ms), people)


def _facts(records: Iterable[Record], people: dict[str, Person]) -> Iterator[Event]:
    accepted, merged = codec_for(LeadEvent), codec_for(LeadMerge)
    for record in records:
        if record.value is None or record.key is None:
            continue
        lead_id = record.key.decode()
        if record.topic == LEADS_MERGES:
            merge: LeadMerge = merged.decode(record.value)
            message = LeadInput(
                lead_id=lead_id,
                cause_id=merge.cause_id,
                merge=merge,
                occurred_at_ms=merge.occurred_at_ms,
            )
        else:
            event: LeadEvent = accepted.decode(record.value)
            message = LeadInput(
                lead_id=lead_id,
                cause_id=event.event_id,
                event=event,
                occurred_at_ms=event.occurred_at_ms,
            )
            if (person := people.pop(lead_id, None)) is not None:
                message = replace(message, person=person)
        yield _event(record, lead_id, message)


def _event(record: Record, lead_id: str, message: LeadInput) -> Event:
    received = record.header("received_at")
    return Event(
        topic=INTAKE_LEADS,
        partition=record.partition,
        offset=record.offset,
        key=lead_id,
        value=message,
        id=record.header("ce_id") or message.cause_id,
        at_ms=record.at_ms,
        received_at_ms=int(received) if received else record.at_ms,
    )


def _people(reader: LogReader) -> Iterator[tuple[str, Person]]:
    """Whether each lead can be reached, as is known now; nothing else of the person is kept."""
    codec = codec_for(LeadPerson)
    places = {LEADS_PERSONS: list(range(reader.partitions(LEADS_PERSONS)))}
    for record in reader.read(places):
        if record.value is not None:
            value: LeadPerson = codec.decode(record.value)
            if not value.erased:
                person = value.person
                yield (
                    value.lead_id,
                    Person(
                        email="x@x.invalid" if person.email else None,
                        phone="+490000000" if person.phone else None,
                        first_name="x" if person.first_name else None,
                        last_name="x" if person.last_name else None,
                        company="x" if person.company else None,
                    ),
                )
