"""What of all leads wants a person's eye, read from the log: identities in conflict, acts refused,
words nobody knows, erasures.

Each is a fold over the records of a topic; nothing is written. No record of it holds personal data
but an :class:`Erasure`.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, NamedTuple

from baton.cluster.log import LogReader, Record
from baton.contracts.codec import ContractError, codec_for
from baton.contracts.intake import AliasKind, EventKind, IdentityAlias, IntakeRecord, LeadEvent
from baton.contracts.leads import LeadRefused
from baton.contracts.topics import TOPICS
from baton.derived_ids import derived_id

_DERIVED = frozenset({"domain", "email_kind"})
"""Fields that Baton itself makes from an address."""
_LIKE = 0.6
_MOST_WORDS = 10_000


class Conflict(NamedTuple):
    """Two known people were said to be one by the event ``cause_id``; nothing was merged."""

    at_ms: int
    leads: tuple[str, ...]
    cause_id: str


class Refusal(NamedTuple):
    """An act or command that was not carried out, and when the log has it."""

    at_ms: int
    refused: LeadRefused


@dataclass(slots=True)
class Word:
    """A word that the agreement does not know: how often it came, from which sources, when last,
    and what it may stand for."""

    kind: str
    word: str
    count: int = 0
    sources: set[str] = field(default_factory=set)
    last_ms: int = 0
    like: str | None = None


class Erasure(NamedTuple):
    """A wish to be forgotten. ``identifiers`` by scheme; None where intake's record of it is
    gone."""

    event_id: str
    lead_id: str | None
    source: str
    at_ms: int
    identifiers: Mapping[str, tuple[str, ...]] | None


def values_of(
    reader: LogReader, topic: str, since_ms: int | None = None
) -> Iterator[tuple[Record, Any]]:
    """The records of a topic, decoded; what cannot be read is left to ``baton audit``."""
    record_type = TOPICS[topic].record
    assert record_type is not None, f"{topic} has no record type"
    codec = codec_for(record_type)
    for record in reader.read({topic: list(range(reader.partitions(topic)))}, since_ms=since_ms):
        if record.value is not None:
            try:
                yield record, codec.decode(record.value)
            except ContractError:
                continue


def conflicts(aliases: Iterable[tuple[int, IdentityAlias]], since_ms: int = 0) -> list[Conflict]:
    """The conflicts among what identities reported that nobody has settled, oldest first.
    ``aliases`` with the log's time, from the beginning: who is who. Settled is what is one lead by
    now, by whatever way, and what a person has said to be two."""
    lead_of: dict[str, str] = {}
    found: list[tuple[int, IdentityAlias]] = []
    separated: list[IdentityAlias] = []
    for at_ms, alias in aliases:
        if alias.kind == AliasKind.RESOLVED:
            lead_of[alias.identity] = alias.lead_id
        elif alias.kind == AliasKind.SPLIT:
            separated.append(alias)
        elif alias.kind == AliasKind.CONFLICT and at_ms >= since_ms:
            found.append((at_ms, alias))
    two = {
        frozenset(
            (lead_of.get(alias.identity, ""), lead_of.get(alias.from_identity, alias.lead_id))
        )
        for alias in separated
    }
    pairs = ((at_ms, _leads_of(alias, lead_of), alias.cause_id) for at_ms, alias in found)
    return sorted(
        Conflict(at_ms, tuple(sorted(leads)), cause_id)
        for at_ms, leads, cause_id in pairs
        if len(leads) > 1 and leads not in two
    )


def _leads_of(alias: IdentityAlias, lead_of: Mapping[str, str]) -> set[str]:
    """The leads of the two; an identity that was never given to another lead has its own."""
    identities = [side for side in (alias.identity, alias.subject) if side]
    return {lead_of.get(identity, derived_id("lead", identity)) for identity in identities}


def unknown_words(
    events: Iterable[LeadEvent], *, acts: Iterable[str], fields: Iterable[str]
) -> list[Word]:
    """Acts and profile fields that the agreement does not know, the most frequent first; so many
    different ones at most."""
    known = {"act": frozenset(acts), "field": frozenset(fields)}
    found: dict[tuple[str, str], Word] = {}
    for event in events:
        words = [("field", name) for name in event.profile if name not in _DERIVED]
        if event.engagement is not None:
            words.append(("act", event.engagement.act))
        for kind, text in words:
            if text in known[kind] or ((kind, text) not in found and len(found) >= _MOST_WORDS):
                continue
            word = found.setdefault((kind, text), Word(kind, text, like=_like(text, known[kind])))
            word.count += 1
            word.sources.add(event.source)
            word.last_ms = max(word.last_ms, event.received_at_ms)
    return sorted(
        found.values(), key=lambda conflict: (-conflict.count, conflict.kind, conflict.word)
    )


def _like(word: str, known: Iterable[str]) -> str | None:
    plain = "_".join(word.replace("-", " ").replace("_", " ").lower().split())
    near = get_close_matches(plain, list(known), n=1, cutoff=_LIKE)
    return near[0] if near else None


def erasures(
    keyed: Iterable[tuple[int, IntakeRecord]], accepted: Iterable[tuple[int, LeadEvent]]
) -> list[Erasure]:
    """Every erasure once, oldest first: as it was asked for where intake's record is still there,
    else the lead it forgot."""
    found: dict[str, Erasure] = {}
    for at_ms, record in keyed:
        if record.kind == EventKind.ERASURE and record.event_id not in found:
            by_scheme: dict[str, tuple[str, ...]] = {}
            for identifier in record.identifiers:
                by_scheme[identifier.scheme] = (
                    *by_scheme.get(identifier.scheme, ()),
                    identifier.value,
                )
            found[record.event_id] = Erasure(record.event_id, None, record.source, at_ms, by_scheme)
    for at_ms, event in accepted:
        if (
            event.kind == EventKind.ERASURE
            and event.source != _OURS
            and event.event_id not in found
        ):
            found[event.event_id] = Erasure(
                event.event_id, event.lead_id, event.source, at_ms, None
            )
    return sorted(found.values(), key=lambda erasure: (erasure.at_ms, erasure.event_id))


_OURS = "baton"
"""The source of what identity itself makes of a wish: the same wish, for another of its leads."""


def count_reasons(refusals: Iterable[Refusal]) -> Counter[str]:
    """How often each reason was given."""
    return Counter(refusal.refused.reason for refusal in refusals)
