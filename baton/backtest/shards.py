"""The facts on disk, by lead: so many files that one of them fits in memory whatever the history.

Leads that were merged lie in one file. A file is read by one process, whole; its order is that of
the log. Bytes are written as they came.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import Any, BinaryIO, Final

from baton.backtest.raw_facts import Kind, RawFact, domains_in, event_of
from baton.contracts.codec import codec_for
from baton.contracts.intake import LeadInput, LeadMerge
from baton.engine.reducer import Event

_HEAD: Final = struct.Struct(">BBqqHHI")
SHARDS: Final = 64
PARTS: Final = 10_000
"""A sample is so many of so many parts of the accounts, by their hash."""


@dataclass(slots=True)
class MergedLeads:
    """Which leads belong together, by the merges so far (union-find)."""

    parents: dict[str, str] = field(default_factory=dict)

    def root(self, lead_id: str) -> str:
        """The lead that stands for the group of ``lead_id``."""
        root = lead_id
        while (above := self.parents.get(root, root)) != root:
            root = above
        while (above := self.parents.get(lead_id, lead_id)) != root:
            self.parents[lead_id] = root
            lead_id = above
        return root

    def join(self, one: str, other: str) -> None:
        """They are one person."""
        first, second = sorted((self.root(one), self.root(other)))
        self.parents[second] = first


@dataclass(slots=True)
class Sampled:
    """Which groups may be in a sample of ``parts``, as far as it can be seen without decoding: by
    lead, whether a domain was seen, and one that is in the sample."""

    parts: int
    seen: dict[bytes, bool] = field(default_factory=dict)

    def note(self, fact: RawFact) -> None:
        """A fact of a lead."""
        known = self.seen.get(fact.key)
        if not known and fact.kind <= Kind.ACCEPTED:
            for domain in domains_in(fact.value):
                known = self.seen[fact.key] = _part(domain) < self.parts
                if known:
                    return

    def roots(self, groups: MergedLeads, leads: Iterable[bytes]) -> list[str]:
        """Of ``leads``, the groups to look at. One without any domain is in by its own hash."""
        found: dict[str, bool | None] = {}
        for lead in leads:
            root, seen = groups.root(lead.decode()), self.seen.get(lead)
            if seen is not None or root not in found:
                found[root] = bool(found.get(root)) or seen
        return [
            root
            for root, seen in found.items()
            if seen or (seen is None and in_sample(root, self.parts))
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spilled:
    """What was written. ``roots``: the groups that may be in the sample; None: all."""

    groups: MergedLeads
    files: list[Path]
    roots: list[str] | None
    facts: int
    began_ms: int


def spill(
    facts: Iterable[RawFact], folder: Path, *, parts: int = PARTS, shards: int = SHARDS
) -> Spilled:
    """Write every fact to the file of its lead's group."""
    groups, late = MergedLeads(), False
    sampled = Sampled(parts) if parts < PARTS else None
    leads: set[bytes] = set()
    number, began_ms = 0, 0
    paths = [folder / f"lead-{shard:03d}.facts" for shard in range(shards)]
    files = [path.open("wb") for path in paths]
    try:
        for fact in facts:
            merge = _merge_of(fact)
            if merge is not None:
                groups.join(merge.loser, merge.survivor)
                late = late or number > 0
            if sampled is not None:
                sampled.note(fact)
                leads.add(fact.key)
            if number == 0 or fact.at_ms < began_ms:
                began_ms = fact.at_ms
            _write(files[_shard(fact.key, groups, shards)], fact)
            number += 1
    finally:
        for file in files:
            file.close()
    if late:
        paths = _regroup(paths, groups)
    return Spilled(
        groups=groups,
        files=[path for path in paths if path.stat().st_size],
        roots=None if sampled is None else sampled.roots(groups, leads),
        facts=number,
        began_ms=began_ms,
    )


def _merge_of(fact: RawFact) -> LeadMerge | None:
    """What it merges; only a merge, and what intake made of a line, may say so."""
    if fact.kind == Kind.MERGED:
        merged: LeadMerge = codec_for(LeadMerge).decode(fact.value)
        return merged
    if fact.kind == Kind.INPUT:
        message: LeadInput = codec_for(LeadInput).decode(fact.value)
        return message.merge
    return None


def _shard(key: bytes, groups: MergedLeads, shards: int) -> int:
    if groups.parents:
        key = groups.root(key.decode()).encode()
    return _hashed(key) % shards


def _regroup(sources: list[Path], groups: MergedLeads) -> list[Path]:
    """Files of whole groups: leads were merged after something of them was written."""
    paths = [source.with_name(f"group-{source.name}") for source in sources]
    moved = [path.open("wb") for path in paths]
    try:
        for source in sources:
            for fact in _facts(source):
                _write(moved[_shard(fact.key, groups, len(sources))], fact)
            source.unlink()
    finally:
        for file in moved:
            file.close()
    return paths


def read(path: Path, groups: MergedLeads, roots: frozenset[str] | None) -> dict[str, list[Event]]:
    """The facts of a file by group, in the order of the log. ``roots``: these groups; None: all."""
    found: dict[str, list[Event]] = {}
    for number, fact in enumerate(_facts(path)):
        root = groups.root(fact.key.decode())
        if roots is None or root in roots:
            found.setdefault(root, []).append(event_of(fact, number))
    for events in found.values():
        events.sort(key=lambda event: event.at_ms)
    return found


def in_sample(unit: str, parts: int) -> bool:
    """Whether an account, or a lead without one, is in the sample: by its hash, the same in every
    process."""
    return _part(unit.encode()) < parts


@lru_cache(maxsize=100_000)
def _part(unit: bytes) -> int:
    return _hashed(unit) % PARTS


def _hashed(text: bytes) -> int:
    return int.from_bytes(blake2b(text, digest_size=8).digest(), "big")


def _write(file: BinaryIO, fact: RawFact) -> None:
    kind, key, own, at_ms, received_at_ms, value, reach = fact
    head = _HEAD.pack(kind, reach, at_ms, received_at_ms, len(own), len(key), len(value))
    file.write(b"".join((head, own, key, value)))


def _facts(path: Path) -> Iterator[RawFact]:
    with path.open("rb") as file:
        while head := file.read(_HEAD.size):
            kind, reach, at_ms, received_at_ms, own, key, size = _HEAD.unpack(head)
            raw: Any = file.read(own + key + size)
            yield RawFact(
                kind,
                raw[own : own + key],
                raw[:own],
                at_ms,
                received_at_ms,
                raw[own + key :],
                reach,
            )
