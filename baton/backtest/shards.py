"""The facts on disk, by lead: so many files that one of them fits in memory whatever the history.

Leads that were merged lie in one file. A file is read by one process, whole; its order is that of
the log.
"""

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import BinaryIO, Final

from baton.contracts.codec import codec_for
from baton.contracts.intake import LeadInput
from baton.contracts.topic_names import INTAKE_LEADS
from baton.engine.reducer import Event

_HEAD: Final = struct.Struct(">qqHHI")
SHARDS: Final = 64


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


def spill(facts: Iterable[Event], folder: Path, shards: int = SHARDS) -> MergedLeads:
    """Write every fact to the file of its lead; gives the groups."""
    groups, codec = MergedLeads(), codec_for(LeadInput)
    files = [(folder / f"lead-{number:03d}.facts").open("wb") for number in range(shards)]
    try:
        for fact in facts:
            message: LeadInput = fact.value
            if message.merge is not None:
                groups.join(message.merge.loser, message.merge.survivor)
            _write(files[hashed(fact.key) % shards], fact, codec.encode(message))
    finally:
        for file in files:
            file.close()
    return groups


def regroup(folder: Path, groups: MergedLeads, shards: int = SHARDS) -> list[Path]:
    """Files of whole groups: what was written under another lead of a group moves to its root's.
    Gives the files that have something."""
    moved = [(folder / f"group-{number:03d}.facts").open("wb") for number in range(shards)]
    try:
        for number in range(shards):
            source = folder / f"lead-{number:03d}.facts"
            for at, key, raw in _raw_records(source):
                moved[hashed(groups.root(key)) % shards].write(at + raw)
            source.unlink()
    finally:
        for file in moved:
            file.close()
    return [Path(file.name) for file in moved if Path(file.name).stat().st_size]


def read(path: Path, groups: MergedLeads) -> dict[str, list[Event]]:
    """The facts of a file by group, in the order of the log."""
    codec, found = codec_for(LeadInput), dict[str, list[Event]]()
    for number, (head, key, raw) in enumerate(_raw_records(path)):
        at_ms, received_at_ms, id_size, key_size, _ = _HEAD.unpack(head)
        start = id_size + key_size
        event = Event(
            topic=INTAKE_LEADS,
            partition=0,
            offset=number,
            key=key,
            value=codec.decode(raw, start),
            id=raw[:id_size].decode(),
            at_ms=at_ms,
            received_at_ms=received_at_ms,
        )
        found.setdefault(groups.root(key), []).append(event)
    for events in found.values():
        events.sort(key=lambda event: event.at_ms)
    return found


def hashed(text: str) -> int:
    """A hash that is the same in every process."""
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big")


def _write(file: BinaryIO, fact: Event, value: bytes) -> None:
    own, key = fact.id.encode(), fact.key.encode()
    head = _HEAD.pack(fact.at_ms, fact.received_at_ms, len(own), len(key), len(value))
    file.write(head + own + key + value)


def _raw_records(path: Path) -> Iterator[tuple[bytes, str, bytes]]:
    """Head, key, and the rest, of each record."""
    with path.open("rb") as file:
        while head := file.read(_HEAD.size):
            _, _, id_size, key_size, size = _HEAD.unpack(head)
            raw = file.read(id_size + key_size + size)
            yield head, raw[id_size : id_size + key_size].decode(), raw
