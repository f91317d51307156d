"""Finding a lead's records in the log: by id or by e-mail address, through links and merges, in the order they happened.

A lead's records all lie in one partition of each topic, so only that one is read. E-mail addresses are looked up by their digest;
the address itself is neither sent anywhere nor printed.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from baton.cluster.log import LogReader, Record
from baton.contracts.codec import ContractError, codec_for
from baton.contracts.intake import AliasKind, IdentifierScheme, IdentityAlias, LeadMerge
from baton.contracts.partitioner import partition_of
from baton.contracts.topic_names import INTAKE_ALIASES, LEADS_MERGES
from baton.contracts.topics import TOPICS, Audience
from baton.ids import derived_id

STORY_TOPICS = tuple(
    spec.name
    for spec in TOPICS.values()
    if spec.record is not None and spec.audience is Audience.PUBLIC and spec.key in ("lead", "lead or goal")
)


class LeadUnknown(LookupError):
    """Nothing in the log belongs to the lead that was asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chapter:
    """One record of a lead's story, decoded. ``value`` is None where the record cannot be read; ``trouble`` says why."""

    record: Record
    lead_id: str
    value: Any | None
    trouble: str | None = None


def identity_of_email(address: str) -> str:
    """The identity key of an e-mail address, as intake normalises it."""
    return derived_id("identity", IdentifierScheme.EMAIL.value, address.strip().lower())


def find_lead(reader: LogReader, who: str) -> str:
    """The lead id behind ``who``, an id or an e-mail address, after links and merges so far."""
    lead_id = _linked_lead(reader, identity_of_email(who)) if "@" in who else who.strip().lower()
    for _ in range(100):  # merges form a chain that ends; the bound is for a damaged log
        survivor = _survivor(reader, lead_id)
        if survivor is None:
            return lead_id
        lead_id = survivor
    raise LeadUnknown(f"lead {lead_id}: its merges do not end")


def story_of(reader: LogReader, lead_id: str, *, seen: Callable[[int], None] = lambda _: None) -> list[Chapter]:
    """All records of the lead and of those that were merged into it, in the order they were appended.

    ``seen`` is called with the number of records read so far, now and then.
    """
    chapters: list[Chapter] = []
    wanted, known = [lead_id], {lead_id}
    while wanted:
        current = wanted.pop()
        for chapter in _chapters(reader, current, seen):
            chapters.append(chapter)
            if isinstance(chapter.value, LeadMerge) and chapter.value.loser not in known:
                known.add(chapter.value.loser)
                wanted.append(chapter.value.loser)
    if not chapters:
        raise LeadUnknown(
            f"nothing in the log belongs to lead {lead_id}; is it an id of leads.accepted.v1, or an e-mail address?"
        )
    return sorted(chapters, key=lambda each: (each.record.at_ms, each.record.topic, each.record.offset))


def _chapters(reader: LogReader, lead_id: str, seen: Callable[[int], None]) -> Iterator[Chapter]:
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


def _linked_lead(reader: LogReader, identity: str) -> str:
    lead_id = derived_id("lead", identity)
    for alias in _of_key(reader, INTAKE_ALIASES, identity, IdentityAlias):
        if alias.kind == AliasKind.RESOLVED:  # the rest is what keys tell each other on the way there
            lead_id = alias.lead_id
    return lead_id


def _survivor(reader: LogReader, lead_id: str) -> str | None:
    merges = [merge for merge in _of_key(reader, LEADS_MERGES, lead_id, LeadMerge) if merge.loser == lead_id]
    return merges[-1].survivor if merges else None


def _of_key(reader: LogReader, topic: str, key: str, record_type: type[Any]) -> Iterator[Any]:
    wanted, codec = key.encode(), codec_for(record_type)  # type: ignore[arg-type]  # a class is hashable
    for record in reader.read({topic: [partition_of(wanted, reader.partitions(topic))]}):
        if record.key == wanted and record.value is not None:
            yield codec.decode(record.value)
