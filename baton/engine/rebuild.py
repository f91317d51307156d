"""Computes a task's state again from its journal and its inputs: it must equal the changelog byte
for byte.

The journal says in which order the records were processed and how time moved; the same core does
the rest. A difference between the rebuild and the changelog is a bug, or somebody changed the
topics.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import assert_never

from baton.engine.batch import Batch, Record
from baton.engine.core import Core
from baton.engine.errors import EngineError
from baton.engine.records import BatchJournal, Did, JournalLine


class JournalMismatch(EngineError):
    """The journal cannot be followed: an input (``topic``) lacks records that were processed, or a
    batch is missing."""

    def __init__(self, words: str, topic: str | None = None) -> None:
        super().__init__(words)
        self.topic = topic


Inputs = Callable[[str, int], Iterator[Record]]
"""``inputs(topic, offset)``: the records of the task's partition of ``topic``, from ``offset`` on,
in order."""


def rebuild(core: Core, journal: Iterable[BatchJournal], inputs: Inputs) -> Iterator[Batch]:
    """Follow the journal with a fresh ``core`` (made with :data:`~baton.engine.batch.UNLIMITED`)
    and give every batch as it was.

    The facts and the changelog of a batch are those of the live run, but for the header
    ``made_at``."""
    readers: dict[str, Iterator[Record]] = {}
    for entry in journal:
        if entry.batch != core.number + 1:
            raise JournalMismatch(
                f"{core.reducer.name}[{core.partition}]: batch {core.number + 1} is not in the "
                "journal"
            )
        core.begin(0, entry.reference)
        for line in entry.lines:
            _follow(core, line, inputs, readers)
        batch = core.seal()
        if batch is None:
            raise JournalMismatch(
                f"{core.reducer.name}[{core.partition}]: batch {entry.batch} has no lines"
            )
        yield batch
        core.commit()


def final_changelog(batches: Iterable[Batch]) -> Mapping[bytes, bytes]:
    """What a compacted changelog holds after these batches: the last value of every key, without
    the removed ones."""
    held: dict[bytes, bytes] = {}
    for batch in batches:
        for key, value in batch.changelog:
            if value is None:
                held.pop(key, None)
            else:
                held[key] = value
    return held


def _follow(
    core: Core, line: JournalLine, inputs: Inputs, readers: dict[str, Iterator[Record]]
) -> None:
    did = Did(line.did)
    match did:
        case Did.TAKE:
            _take(core, line, inputs, readers)
        case Did.PASS:
            # the topic was made anew, and is read from there
            if line.last < core.positions.get(line.topic, 0):
                readers.pop(line.topic, None)
            core.pass_over(line.topic, line.last)
        case Did.ADVANCE:
            core.advance(line.at_ms)
        case Did.WAKE:
            core.advance(line.at_ms, limit=line.count)
        case Did.FIRE:
            core.fire_held(line.at_ms, proven=line.proven, limit=line.count)
        case Did.ADOPT:
            core.adopt_slice(line.count)
        case Did.SKIP:
            core.skip(line.place)
        case _:
            assert_never(did)


def _take(
    core: Core, line: JournalLine, inputs: Inputs, readers: dict[str, Iterator[Record]]
) -> None:
    if line.topic not in readers:
        readers[line.topic] = inputs(line.topic, line.first)
    for number in range(line.count):
        record = next(readers[line.topic], None)
        if (
            record is None
            or record.offset > line.last
            or (number == 0 and record.offset != line.first)
        ):
            raise JournalMismatch(
                f"{core.reducer.name}[{core.partition}]: the {line.count} records that were "
                f"processed of {line.topic} "
                f"from {line.first} to {line.last} are not all there",
                line.topic,
            )
        core.process(line.topic, record)
