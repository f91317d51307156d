"""Reports that say again what is known already: kept as bytes in the head, without touching the
books.

Most events repeat the address and the domain of the one before. They change no value, but each of
them is a report that must be known when others are retracted (:mod:`.field_history`). Where an
event says word for word what the former one said, and every word of it stands, only its moment and
its id are kept, as many of them as a field keeps reports. Before anything else reads or changes the
reports of a book, :func:`enter_repeats` writes them there: a book is at any time what it would be
had each of them been entered at once.

Layout: digest of what was said (16), id of the event whose reports the books have (16), and for
each repetition its event time in ms (8) and its id (16), oldest first.
"""

from __future__ import annotations

import struct
from collections.abc import Collection
from hashlib import blake2b
from operator import attrgetter
from typing import Final

from baton.contracts.intake import LeadEvent, LeadInput
from baton.evolve import evolve
from services.scorer.lead.field_history import KEPT
from services.scorer.lead.profile import (
    PERSON_FIELDS,
    Repetition,
    has_person,
    has_profile,
    person_with_repeats,
    profile_with_repeats,
)
from services.scorer.lead.state import NO_PROFILE, NOBODY, ONLY, PERSON, PROFILE
from services.scorer.lead.step import LeadStep
from services.scorer.score.ledger import id_bytes, retracted_ids

_ENTRY: Final = struct.Struct(">Q16s")
_DIGEST: Final = 16
_BASE: Final = 32
_ID_CHARACTERS: Final = 32
_person_values = attrgetter(*PERSON_FIELDS)


def take_repeat(step: LeadStep, record: LeadInput) -> bool | None:
    """Take a record that says what the former one said; None for any other. False: its reports are
    none of those that a field keeps."""
    repeats, event = step.head.repeats, record.event
    if not repeats or event is None or not _is_plain(record, event):
        return None
    if _said(record, event) != repeats[:_DIGEST] or _is_known(step, repeats, event):
        return None
    entry = _ENTRY.pack(event.occurred_at_ms, bytes.fromhex(event.event_id))
    entries = _entries(repeats)
    if len(entries) >= KEPT and entry < entries[0]:
        return False
    kept = sorted([*entries, entry])[-KEPT:]
    step.head = evolve(step.head, repeats=repeats[:_BASE] + b"".join(kept))
    return True


def expect_repeat(step: LeadStep, record: LeadInput) -> None:
    """The books have the reports of ``record``: from now on its repetitions can be kept apart, if
    all that it said stands."""
    event = record.event
    if step.head.ended or event is None or not _is_plain(record, event):
        return
    profile = step.get(PROFILE, ONLY) or NO_PROFILE
    person = step.get(PERSON, ONLY) or NOBODY
    stands = has_profile(profile, event) and (
        record.person is None or has_person(person, record.person, event.event_id)
    )
    if stands:
        base = _said(record, event) + bytes.fromhex(event.event_id)
        step.head = evolve(step.head, repeats=base)


def enter_repeats(step: LeadStep) -> None:
    """Write into the books what was kept apart."""
    repeats = step.head.repeats
    if not repeats:
        return
    step.head = evolve(step.head, repeats=b"")
    found = [_ENTRY.unpack(entry) for entry in _entries(repeats)]
    if not found:
        return
    base = repeats[_DIGEST:_BASE].hex()
    repetitions = [Repetition(at_ms, event.hex()) for at_ms, event in found]
    profile, person = step.get(PROFILE, ONLY), step.get(PERSON, ONLY)
    if profile is not None:
        entered = profile_with_repeats(profile, base, repetitions)
        if entered is not profile:
            step.store(PROFILE, ONLY, entered)
    if person is not None:
        named = person_with_repeats(person, base, repetitions)
        if named is not person:
            step.store(PERSON, ONLY, named)


def _is_plain(record: LeadInput, event: LeadEvent) -> bool:
    """Whether profile and person are reports of one event with an id that fits."""
    return (
        bool(event.profile)
        and record.cause_id == event.event_id
        and record.occurred_at_ms == event.occurred_at_ms
        and len(event.event_id) == _ID_CHARACTERS
        and id_bytes(event.event_id).hex() == event.event_id
    )


def _is_known(step: LeadStep, repeats: bytes, event: LeadEvent) -> bool:
    """Whether the event was reported or retracted already."""
    known = bytes.fromhex(event.event_id)
    gone: Collection[bytes] = retracted_ids(step.head.retracted) if step.head.retracted else ()
    return known in repeats or known in gone


def _entries(repeats: bytes) -> list[bytes]:
    return [repeats[at : at + _ENTRY.size] for at in range(_BASE, len(repeats), _ENTRY.size)]


def _said(record: LeadInput, event: LeadEvent) -> bytes:
    person = record.person
    words = (
        event.source,
        tuple(event.profile.items()),
        tuple(event.derived),
        None if person is None else _person_values(person),
    )
    return blake2b(repr(words).encode("utf-8", "surrogatepass"), digest_size=_DIGEST).digest()
