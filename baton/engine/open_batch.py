"""The open batch of a task: the overlay over its state, and what is written when it is
committed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from baton.contracts.amounts import Amount
from baton.engine.batch import Batch, Counts, Outgoing
from baton.engine.changelog import POSITION_KEY
from baton.engine.journal import JournalBuilder
from baton.engine.key_state import KeyState
from baton.engine.records import BatchJournal, Did, Position


class OpenBatch:
    """Everything the batch has done so far.

    ``positions``, ``now`` and ``adopted`` are the values from before it, for a discard.
    ``sealing``: the keys that are not encoded yet; None until encoding begins.
    """

    __slots__ = (
        "adopted",
        "changelog",
        "counts",
        "journal",
        "key_states",
        "now",
        "outgoing",
        "positions",
        "reference",
        "sealing",
        "verdicts",
        "wakes_left",
    )

    def __init__(
        self,
        *,
        now: int,
        positions: Mapping[str, int],
        adopted: str,
        reference: Mapping[str, int],
        wakes_left: int,
    ) -> None:
        self.now = now
        self.positions = dict(positions)
        self.adopted = adopted
        self.reference = dict(reference)
        self.wakes_left = wakes_left
        self.key_states: dict[str, KeyState] = {}
        self.outgoing: list[Outgoing] = []
        self.verdicts: list[bool] = []
        self.journal = JournalBuilder()
        self.changelog: list[tuple[bytes, bytes | None]] = []
        self.sealing: Iterator[KeyState] | None = None
        self.counts = Counts()

    def measure(self, amount: Amount) -> None:
        """Keep the amount until the batch is committed."""
        place = amount.metric, amount.labels
        if amount.sets:
            self.counts.gauges[place] = amount.value
        else:
            self.counts.measured[place] = self.counts.measured.get(place, 0) + amount.value

    def sealed(self, position: Position, codecs: Mapping[type, Any]) -> Batch:
        """The batch, encoded; ``position`` is the task's position after it."""
        self.changelog.append((POSITION_KEY, codecs[Position].encode(position)))
        lines = self.journal.lines()
        journal = BatchJournal(
            batch=position.batch,
            now_ms=position.now_ms,
            offsets=position.offsets,
            reference=position.reference,
            lines=lines,
        )
        facts = self.counts.facts
        for out in self.outgoing:
            facts[out.topic] = facts.get(out.topic, 0) + 1
        for line in lines:
            if line.did == Did.TAKE:
                self.counts.taken[line.topic] = self.counts.taken.get(line.topic, 0) + line.count
        return Batch(
            number=position.batch,
            offsets=position.offsets,
            metadata=str(position.batch),
            outgoing=self.outgoing,
            changelog=self.changelog,
            journal=(str(position.batch).encode(), codecs[BatchJournal].encode(journal)),
            verdicts=self.verdicts,
            counts=self.counts,
        )
