"""The batch that is open: the overlay over a task's state, and what is to be written if it is committed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from baton.contracts.fact_metrics import Amount
from baton.engine.batch import Batch, Counts, Outgoing
from baton.engine.changelog import POSITION_KEY
from baton.engine.journal import Notes
from baton.engine.key_state import KeyState
from baton.engine.records import BatchJournal, Did, Position


class OpenBatch:
    """Everything a batch has done so far. ``positions``, ``now`` and ``adopted`` are kept as they were when it began."""

    __slots__ = (
        "adopted",
        "counts",
        "key_states",
        "notes",
        "now",
        "outgoing",
        "positions",
        "reference",
        "verdicts",
        "wakes_left",
    )

    def __init__(
        self, *, now: int, positions: Mapping[str, int], adopted: str, reference: Mapping[str, int], wakes_left: int
    ) -> None:
        self.now = now
        self.positions = dict(positions)
        self.adopted = adopted
        self.reference = dict(reference)
        self.wakes_left = wakes_left
        self.key_states: dict[str, KeyState] = {}
        self.outgoing: list[Outgoing] = []
        self.verdicts: list[bool] = []
        self.notes = Notes()
        self.counts = Counts()

    def measure(self, amount: Amount) -> None:
        """Keep what a fact or a state is measured by until the batch is committed."""
        place = amount.metric, amount.labels
        if amount.sets:
            self.counts.standing[place] = amount.value
        else:
            self.counts.measured[place] = self.counts.measured.get(place, 0) + amount.value

    def sealed(self, position: Position, changelog: list[tuple[bytes, bytes | None]], codecs: Mapping[type, Any]) -> Batch:
        """The batch, encoded; ``position`` is where the task stands after it."""
        changelog.append((POSITION_KEY, codecs[Position].encode(position)))
        lines = self.notes.lines()
        journal = BatchJournal(
            batch=position.batch,
            now_ms=position.now_ms,
            offsets=position.offsets,
            reference=position.reference,
            lines=lines,
        )
        self.counts.facts = dict(Counter(each.topic for each in self.outgoing))
        for line in lines:
            if line.did == Did.TAKE:
                self.counts.taken[line.topic] = self.counts.taken.get(line.topic, 0) + line.count
        return Batch(
            number=position.batch,
            offsets=position.offsets,
            metadata=str(position.batch),
            outgoing=self.outgoing,
            changelog=changelog,
            journal=(str(position.batch).encode(), codecs[BatchJournal].encode(journal)),
            verdicts=self.verdicts,
            counts=self.counts,
        )
