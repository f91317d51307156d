"""A fact on its way to a replay: the bytes of its record, as the log has them, and what orders it.

It is decoded by the process that replays its lead, and not before: of a sample most never are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from enum import IntEnum
from typing import Any, Final, NamedTuple

from baton.contracts.codec import codec_for
from baton.contracts.intake import LeadEvent, LeadInput, LeadMerge, Person
from baton.contracts.slas import LeadReactivated, LeadRecycled
from baton.contracts.topic_names import INTAKE_LEADS, SLA_LEADS
from baton.engine.reducer import Event

_DOMAIN: Final = b"\x0cdomain"
"""The key ``domain`` of a map of strings in Avro: its length in zigzag, and the word."""
_MORE, _BITS = 0x80, 0x7F
_LONGEST: Final = 253
_LONGEST_SHIFT: Final = 28
_REACH: Final = (
    ("email", "x@x.invalid"),
    ("phone", "+490000000"),
    ("first_name", "x"),
    ("last_name", "x"),
    ("company", "x"),
)
"""What may be known of a person, and what stands for it in a replay: a bit each."""


class Kind(IntEnum):
    """Which record the bytes are."""

    INPUT = 0
    ACCEPTED = 1
    MERGED = 2
    RECYCLED = 3
    REACTIVATED = 4


_RECORDS: Final = (
    LeadInput,
    LeadEvent,
    LeadMerge,
    LeadRecycled,
    LeadReactivated,
)


class RawFact(NamedTuple):
    """``key``: the lead. ``reach``: bits of what is known of its person, see :func:`reach_of`; with
    the first fact of a lead whose facts do not say it themselves."""

    kind: int
    key: bytes
    id: bytes
    at_ms: int
    received_at_ms: int
    value: bytes
    reach: int = 0


def reach_of(person: Person) -> int:
    """Which direct identifiers are known; not what they are."""
    return sum(bool(getattr(person, name)) << bit for bit, (name, _) in enumerate(_REACH))


def event_of(fact: RawFact, number: int) -> Event:
    """The event that the lead reducer takes, or the end of a cycle; ``number`` is its place."""
    record: Any = _RECORDS[fact.kind]
    value: Any = codec_for(record).decode(fact.value)
    key = fact.key.decode()
    if fact.kind == Kind.INPUT:
        if value.act is not None or value.command is not None:
            value = replace(value, act=None, command=None)  # of people, and joined
    elif fact.kind == Kind.ACCEPTED:
        value = LeadInput(
            lead_id=key,
            cause_id=value.event_id,
            event=value,
            occurred_at_ms=value.occurred_at_ms,
            person=_person(fact.reach) if fact.reach else None,
        )
    elif fact.kind == Kind.MERGED:
        value = LeadInput(
            lead_id=key,
            cause_id=value.cause_id,
            merge=value,
            occurred_at_ms=value.occurred_at_ms,
            person=_person(fact.reach) if fact.reach else None,
        )
    return Event(
        topic=INTAKE_LEADS if fact.kind <= Kind.MERGED else SLA_LEADS,
        partition=0,
        offset=number,
        key=key,
        value=value,
        id=fact.id.decode(),
        at_ms=fact.at_ms,
        received_at_ms=fact.received_at_ms,
    )


def _person(reach: int) -> Person:
    return Person(**{name: text for bit, (name, text) in enumerate(_REACH) if reach >> bit & 1})


def domains_in(value: bytes) -> Iterator[bytes]:
    """Every text that may be the domain of the record's profile, without decoding it: what the
    record says is among them, and what only looks so may be too."""
    found = value.find(_DOMAIN)
    while found >= 0:
        after = at = found + len(_DOMAIN)
        length = shift = 0
        while at < len(value):
            byte = value[at]
            at += 1
            length |= (byte & _BITS) << shift
            shift += 7
            if not byte & _MORE or shift > _LONGEST_SHIFT:
                break
        if 0 < length >> 1 <= _LONGEST:
            yield value[at : at + (length >> 1)]
        found = value.find(_DOMAIN, after)
