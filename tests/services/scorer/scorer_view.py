"""One key's state in a dictionary, and what a step does to it: enough of a host to call the lead
reducer by hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from baton.agreement.reference import AgreementReference
from baton.contracts.codec import codec_for
from baton.derived_ids import derived_id
from baton.engine.reducer import EntryKind, Event, Fact, Step
from services.scorer.lead.reducer import Lead
from services.scorer.lead.repeated_reports import enter_repeats
from services.scorer.lead.step import LeadStep
from tests.services.scorer.scorer_world import said_of


class Shelf:
    """A lead. It is its own view."""

    def __init__(self, reference: AgreementReference, key: str = "l1") -> None:
        self.reference = reference
        self.key = key
        self.cause = ""
        self.head: Any = None
        self.wake_at: int | None = None
        self.proven = True
        self.facts: list[Fact] = []
        self._entries: dict[str, dict[str, Any]] = {}
        self._steps = 0

    def get(self, kind: EntryKind[Any], item: str) -> Any:
        return self._entries.get(kind.name, {}).get(item)

    def scan(
        self,
        kind: EntryKind[Any],
        *,
        first: str = "",
        below: str | None = None,
        limit: int,
        reverse: bool = False,
    ) -> Sequence[tuple[str, Any]]:
        found = sorted(self._entries.get(kind.name, {}).items(), reverse=reverse)
        return [line for line in found if line[0] >= first and (below is None or line[0] < below)][
            :limit
        ]

    def count(self, kind: EntryKind[Any]) -> int:
        return len(self._entries.get(kind.name, {}))

    def take(self, value: Any, *, now: int, topic: str = "intake.leads.v1") -> list[Fact]:
        """One record through the reducer; timers that are due by then fire first."""
        self.pass_time(now)
        self._steps += 1
        self.cause = derived_id("step", self._steps)
        received = getattr(value, "received_at_ms", now)
        event = Event(
            topic=topic,
            partition=0,
            offset=self._steps,
            key=self.key,
            value=said_of(self.key, value),
            id=self.cause,
            at_ms=now,
            received_at_ms=received,
        )
        return self._absorb(Lead().step(self, event, now=now, reference=self.reference))

    def pass_time(self, now: int) -> list[Fact]:
        """Wake the lead whenever it asked to be, up to ``now``."""
        said: list[Fact] = []
        while self.wake_at is not None and self.wake_at <= now:
            due = self.wake_at
            self._steps += 1
            self.cause = derived_id("wake", due, self._steps)
            said += self._absorb(Lead().wake(self, now=due, reference=self.reference))
        return said

    def adopt(self, reference: AgreementReference, *, now: int) -> list[Fact]:
        """Another agreement is in force."""
        self.pass_time(now)
        old, self.reference = self.reference.version, reference
        self._steps += 1
        self.cause = derived_id("adopt", self._steps)
        return self._absorb(Lead().adopt(self, old=old, new=reference, now=now))

    def stored(self) -> dict[str, bytes]:
        """Every byte of the state, with the reports that are kept apart entered into the books."""
        entered = self._with_repeats()
        head = entered.head
        found = {} if head is None else {"head": codec_for(type(head)).encode(head)}
        for kind, entries in entered._entries.items():
            found |= {
                f"{kind}/{item}": codec_for(type(value)).encode(value)
                for item, value in entries.items()
            }
        return found

    def _with_repeats(self) -> Shelf:
        entered = Shelf(self.reference, self.key)
        entered.head, entered.wake_at = self.head, self.wake_at
        entered._entries = {kind: dict(entries) for kind, entries in self._entries.items()}
        if self.head is not None:
            step = LeadStep(entered, now=0, reference=self.reference)
            enter_repeats(step)
            entered._absorb(step.build(step.head, self.wake_at))
        return entered

    def _absorb(self, step: Step[Any]) -> list[Fact]:
        self.head, self.wake_at = step.head, step.wake_at
        for put in step.put:
            self._entries.setdefault(put.kind.name, {})[put.item] = put.value
        for drop in step.drop:
            self._entries.get(drop.kind.name, {}).pop(drop.item, None)
        self._entries = {name: entries for name, entries in self._entries.items() if entries}
        self.facts += step.facts
        return list(step.facts)
