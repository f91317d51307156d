"""Finding a lead's records in the log: by id or any identifier, through links and merges, in the
order they happened.

A lead's records all lie in one partition of each topic, so only that one is read. Identifiers are
looked up by their digest; an address itself is neither sent anywhere nor printed. A name is looked
for in ``leads.persons.v1``, whole.
"""

import contextlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from baton.cluster.log import Record
from baton.contracts.codec import ContractError, codec_for
from baton.contracts.identity import SCHEME_PREFIXES, IdentifierScheme
from baton.contracts.intake import AliasKind, IdentityAlias, LeadMerge, LeadPerson
from baton.contracts.partitioner import partition_of
from baton.contracts.topic_names import INTAKE_ALIASES, LEADS_MERGES, LEADS_PERSONS
from baton.contracts.topics import TOPICS, Audience
from baton.derived_ids import derived_id
from baton.intake.identifiers import canonical, identity_key

STORY_TOPICS = tuple(
    spec.name
    for spec in TOPICS.values()
    if spec.record is not None
    and spec.audience is Audience.PUBLIC
    and spec.key in ("lead", "lead or goal")
)


_LEAD_ID = re.compile(r"[0-9a-f]{32}")
_MOST_NAMED = 20


class Reader(Protocol):
    """What a story is read from: a cluster's log, or a simulation's."""

    def partitions(self, topic: str) -> int:
        """How many partitions the topic has."""

    def read(
        self, places: Mapping[str, Sequence[int]], *, since_ms: int | None = None
    ) -> Iterator[Record]:
        """The records of the given partitions to their end, in order within each."""


class LeadUnknown(LookupError):
    """Nothing in the log belongs to the lead that was asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chapter:
    """One record of a lead's story, decoded. ``value`` is None where the record cannot be read;
    ``trouble`` says why."""

    record: Record
    lead_id: str
    value: Any | None
    trouble: str | None = None


def identity_of_email(address: str) -> str:
    """The identity key of an e-mail address, as intake normalises it."""
    return identity_key(canonical(IdentifierScheme.EMAIL, address))


def identity_of(who: str) -> str | None:
    """The identity key of ``ann@acme.example``, ``hubspot:4711``, ``user:u-1`` or
    ``anonymous:b7d0c1``; None where it is none of them."""
    scheme, _, value = who.strip().partition(":")
    if value and scheme in SCHEME_PREFIXES:
        forms = ((IdentifierScheme(scheme), value),)
    else:
        forms = ((IdentifierScheme.EMAIL if "@" in who else IdentifierScheme.CRM, who),)
    for form, text in forms:
        with contextlib.suppress(ValueError):
            return identity_key(canonical(form, text))
    return None


def leads_named(reader: Reader, name: str) -> list[str]:
    """The leads whose person is called so: whole name, or one of first name, last name and company;
    case does not matter."""
    wanted = " ".join(name.split()).casefold()
    found: dict[str, bool] = {}
    codec = codec_for(LeadPerson)
    for record in reader.read({LEADS_PERSONS: list(range(reader.partitions(LEADS_PERSONS)))}):
        if record.value is not None:
            value: LeadPerson = codec.decode(record.value)
            found[value.lead_id] = wanted in _names_of(value)
    return sorted(lead_id for lead_id, fits in found.items() if fits)


def _names_of(value: LeadPerson) -> set[str]:
    person = value.person
    if value.erased:
        return set()
    parts = [
        person.first_name,
        person.last_name,
        person.company,
        f"{person.first_name or ''} {person.last_name or ''}",
    ]
    return {" ".join(part.split()).casefold() for part in parts if part and part.strip()}


def find_lead(reader: Reader, who: str, *, names: bool = False) -> str:
    """The lead behind ``who`` after links and merges so far: a lead id, an identifier or, where
    ``names``, a person's name.

    Raises :class:`LeadUnknown`, which says what it could have been.
    """
    if _LEAD_ID.fullmatch(who.strip().lower()):
        return _final(reader, who.strip().lower())
    identity = identity_of(who)
    if identity is not None:
        return _final(reader, _linked_lead(reader, identity))
    if not names:
        raise LeadUnknown(
            f"{who!r} is no lead id, e-mail address or identifier such as hubspot:4711, user:u-1 "
            "or anonymous:b7d0c1;"
            " a name is looked for with --person, by who may see names"
        )
    found = leads_named(reader, who)
    if len(found) == 1:
        return _final(reader, found[0])
    if not found:
        raise LeadUnknown("nobody in leads.persons.v1 has that name")
    raise LeadUnknown(f"{len(found)} leads have that name: {', '.join(found[:_MOST_NAMED])}")


def _final(reader: Reader, lead_id: str) -> str:
    for _ in range(100):  # merges form a chain that ends; the bound is for a damaged log
        survivor = _survivor(reader, lead_id)
        if survivor is None:
            return lead_id
        lead_id = survivor
    raise LeadUnknown(f"lead {lead_id}: its merges do not end")


def story_of(
    reader: Reader, lead_id: str, *, seen: Callable[[int], None] = lambda _: None
) -> list[Chapter]:
    """All records of the lead and of those that were merged into it, in the order they were
    appended. A merge, which is published under the keys of both leads, comes once.

    ``seen`` is called with the number of records read so far, now and then.
    """
    chapters: list[Chapter] = []
    merges: set[str] = set()
    wanted, known = [lead_id], {lead_id}
    while wanted:
        current = wanted.pop()
        for chapter in _chapters(reader, current, seen):
            if isinstance(chapter.value, LeadMerge):
                if chapter.value.merge_id in merges:
                    continue
                merges.add(chapter.value.merge_id)
                if chapter.value.loser not in known:
                    known.add(chapter.value.loser)
                    wanted.append(chapter.value.loser)
            chapters.append(chapter)
    if not chapters:
        raise LeadUnknown(f"nothing in the log belongs to lead {lead_id}")
    return sorted(
        chapters,
        key=lambda chapter: (chapter.record.at_ms, chapter.record.topic, chapter.record.offset),
    )


def _chapters(reader: Reader, lead_id: str, seen: Callable[[int], None]) -> Iterator[Chapter]:
    key = lead_id.encode()
    places = {topic: [partition_of(key, reader.partitions(topic))] for topic in STORY_TOPICS}
    for number, record in enumerate(reader.read(places)):
        if number % 1000 == 0:
            seen(number)
        if record.key == key and record.value is not None:
            yield _decoded(Chapter(record=record, lead_id=lead_id, value=None))


def _decoded(chapter: Chapter) -> Chapter:
    record_type = TOPICS[chapter.record.topic].record
    assert record_type is not None, f"{chapter.record.topic} is a topic of stories"
    assert chapter.record.value is not None, "a tombstone is no chapter"
    try:
        return replace(chapter, value=codec_for(record_type).decode(chapter.record.value))
    except ContractError as error:
        return replace(chapter, trouble=error.reason)


def _linked_lead(reader: Reader, identity: str) -> str:
    lead_id = derived_id("lead", identity)
    for alias in _of_key(reader, INTAKE_ALIASES, identity, IdentityAlias):
        # the rest is what keys exchange on the way there
        if alias.kind == AliasKind.RESOLVED:
            lead_id = alias.lead_id
    return lead_id


def _survivor(reader: Reader, lead_id: str) -> str | None:
    merges = [
        merge
        for merge in _of_key(reader, LEADS_MERGES, lead_id, LeadMerge)
        if merge.loser == lead_id
    ]
    return merges[-1].survivor if merges else None


def _of_key(reader: Reader, topic: str, key: str, record_type: type[Any]) -> Iterator[Any]:
    wanted, codec = key.encode(), codec_for(record_type)  # type: ignore[arg-type]  # a class is hashable
    for record in reader.read({topic: [partition_of(wanted, reader.partitions(topic))]}):
        if record.key == wanted and record.value is not None:
            yield codec.decode(record.value)
