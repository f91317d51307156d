"""The sums of a run, counted from the log itself once everything is in."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from baton.cluster.log import LogReader
from baton.contracts.codec import codec_for
from baton.contracts.routing import LeadRouted
from baton.contracts.slas import ClockState
from baton.contracts.topic_names import (
    INTAKE_KEYED,
    LEADS_ACCEPTED,
    LEADS_ACTS,
    LEADS_COMMANDS,
    LEADS_HANDOFFS,
    LEADS_INBOX,
    LEADS_QUALIFIED,
    LEADS_RECYCLED,
    LEADS_ROUTED_SALES,
    LEADS_ROUTED_SDR,
    LEADS_SLA_CLOCKS,
    LEADS_SLA_VIOLATIONS,
    LEADS_UNROUTED,
)
from baton.contracts.topics import TOPICS, dead_letter_topic
from baton.derived_ids import derived_id
from baton.local.demo.sums import Sums

_ENDS = {
    ClockState.MET,
    ClockState.CANCELLED,
    ClockState.MET_LATE,
    ClockState.ABANDONED,
    ClockState.WITHDRAWN,
}
_ACCEPTED = (LEADS_ACCEPTED, LEADS_ACTS, LEADS_COMMANDS)
_ROUTED = (LEADS_ROUTED_SDR, LEADS_ROUTED_SALES)


def count(reader: LogReader, *, sent: int, poison: int) -> Sums:
    """Read every topic that matters from its beginning, and count."""
    keyed = [record.event_id for record in _all(reader, INTAKE_KEYED)]
    accepted = Counter(record.event_id for topic in _ACCEPTED for record in _all(reader, topic))
    routed = [record for topic in _ROUTED for record in _all(reader, topic)]
    handed = {
        record.qualification_id
        for record in (*routed, *_all(reader, LEADS_UNROUTED), *_all(reader, LEADS_HANDOFFS))
    }
    qualified = {record.qualification_id for record in _all(reader, LEADS_QUALIFIED)}
    clock_ends = Counter(
        clock.clock_id for clock in _all(reader, LEADS_SLA_CLOCKS) if clock.state in _ENDS
    )
    violations = (
        record for record in _all(reader, LEADS_SLA_VIOLATIONS) if record.kind == "breach"
    )
    dead = _raw(reader, dead_letter_topic(LEADS_INBOX))
    return Sums(
        sent=sent,
        poison=poison,
        keyed=len(keyed),
        distinct=len(set(keyed)),
        accepted=len(accepted.keys() & set(keyed)),
        uncaused=len(accepted.keys() - _caused_by(keyed)),
        twice=sum(number > 1 for number in accepted.values()),
        dead=sum(1 for _ in dead),
        qualified=len(qualified),
        first_handoffs=len(qualified & handed),
        routed=dict(Counter(record.pool for record in routed)),
        violated=dict(Counter(violation.clock for violation in violations)),
        recycled=dict(Counter(record.reason for record in _all(reader, LEADS_RECYCLED))),
        uncallable=len({fact.lead_id for fact in routed if not is_callable(fact)}),
        clocks_ended_twice=sum(number > 1 for number in clock_ends.values()),
    )


def is_callable(routed: LeadRouted) -> bool:
    """Whether who gets the lead has a way to reach it."""
    person = routed.qualified.story.person
    return person is not None and bool(person.email or person.phone)


def _caused_by(events: list[str]) -> set[str]:
    """Their ids, and those of what identity adds to an event: the account that an address
    reports."""
    return {own for event_id in events for own in (event_id, derived_id(event_id, "profile"))}


def _raw(reader: LogReader, topic: str) -> Iterator[bytes]:
    for record in reader.read({topic: list(range(reader.partitions(topic)))}):
        if record.value is not None:
            yield record.value


def _all(reader: LogReader, topic: str) -> Iterator[Any]:
    record_type = TOPICS[topic].record
    assert record_type is not None, f"{topic} has no record type"
    codec = codec_for(record_type)
    return (codec.decode(value) for value in _raw(reader, topic))
