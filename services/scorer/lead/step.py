"""One step of the lead reducer in progress: reads through to the view, collects what changes, gives the Step at the end.

It lives for one call and is the only thing in the scorer that changes in place.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

from baton.agreement.compiled.agreement import CompiledAgreement
from baton.agreement.reference import AgreementReference
from baton.engine.reducer import Drop, EntryKind, Fact, Put, Step, View
from baton.evolve import evolve, maker
from services.scorer.lead.state import COURSE, ENTRY_KINDS, ONLY, PROFILE, Course, LeadHead, ProfileBook
from services.scorer.score.entry_counting import counted
from services.scorer.score.group_totals import folded, holds, prune_at
from services.scorer.score.rule_table import ScoreTable, table_of

T = TypeVar("T")
MAX_ENTRIES = 10_000
_step: Callable[..., Step[LeadHead]] = maker(Step)


class Turn:
    """``head`` is the lead as it will be; ``cause`` what new ids derive from; ``received_at_ms`` when the cause reached the log.
    ``falls_at_ms``: when the lead changes by itself, if it ``was_rated``. ``role_moved``: its account has to be told who the lead is now."""

    def __init__(
        self, view: View[LeadHead], *, now: int, reference: AgreementReference, received_at_ms: int | None = None
    ) -> None:
        self.view = view
        self.lead_id = view.key
        self.cause = view.cause
        self.now = now
        self.received_at_ms = now if received_at_ms is None else received_at_ms
        self.agreement: CompiledAgreement = reference.agreement
        self.table: ScoreTable = table_of(reference.agreement)
        self.head = view.head or LeadHead()
        self.falls_at_ms: int | None = None
        self.was_rated = False
        self.role_moved = False
        self._put: dict[tuple[EntryKind[Any], str], Any] = {}
        self._drop: set[tuple[EntryKind[Any], str]] = set()
        self._facts: list[Fact] = []

    def get(self, kind: EntryKind[T], item: str) -> T | None:
        """The entry as it will be after this step."""
        place = kind, item
        if place in self._put:
            found: T = self._put[place]
            return found
        return None if place in self._drop else self.view.get(kind, item)

    def items(self, kind: EntryKind[T]) -> list[tuple[str, T]]:
        """All entries of a kind as they will be, in the order of their items."""
        return sorted(self._items(kind).items())

    def _items(self, kind: EntryKind[Any]) -> dict[str, Any]:
        stored: dict[str, Any] = dict(self.view.scan(kind, limit=MAX_ENTRIES)) if self.view.count(kind) else {}
        for each, item in self._drop:
            if each == kind:
                stored.pop(item, None)
        stored.update({item: value for (each, item), value in self._put.items() if each == kind})
        return stored

    def put(self, kind: EntryKind[T], item: str, value: T) -> None:
        """Store an entry, unless it is what is stored already."""
        if (kind, item) in self._put or (kind, item) in self._drop or self.view.get(kind, item) != value:
            self.store(kind, item, value)

    def store(self, kind: EntryKind[T], item: str, value: T) -> None:
        """Store an entry that is known to have changed."""
        self._drop.discard((kind, item))
        self._put[kind, item] = value

    def drop(self, kind: EntryKind[Any], item: str) -> None:
        """Remove an entry."""
        self._put.pop((kind, item), None)
        self._drop.add((kind, item))

    def forget_entries(self) -> None:
        """Remove every entry of the lead."""
        for kind in ENTRY_KINDS:
            for item in tuple(self._items(kind)):
                self.drop(kind, item)

    def recount(self) -> None:
        """Derive anew which entries of the ledger count."""
        head = self.head
        derived = counted(head.ledger, head.retracted, head.since_ms, self.table, self.now)
        self.head = evolve(head, ledger=derived.ledger, marks=derived.marks, totals=derived.totals)

    def refold(self) -> None:
        """Sum anew where an entry has left its window since."""
        head = self.head
        if head.totals and not holds(head.totals, self.now):
            totals = folded(head.marks, self.table, self.now, prune_at_ms=prune_at(head.totals))
            self.head = evolve(head, totals=totals)

    @property
    def course(self) -> Course:
        """The course of the present cycle."""
        return self.get(COURSE, ONLY) or Course()

    def steer(self, **changes: Any) -> Course:
        """Change the course."""
        course = replace(self.course, **changes)
        self.put(COURSE, ONLY, course)
        return course

    @property
    def profile(self) -> dict[str, str]:
        """The profile in force."""
        return (self.get(PROFILE, ONLY) or ProfileBook()).plain()

    def publish(self, topic: str, value: Any, key: str | None = None) -> None:
        """Publish a fact, under the lead's key unless another is given."""
        self._facts.append(Fact(topic, self.lead_id if key is None else key, value))

    def published(self, topic: str) -> bool:
        """Whether this step publishes on ``topic`` already."""
        return any(fact.topic == topic for fact in self._facts)

    def step(self) -> Step[LeadHead]:
        """The outcome."""
        return _step(
            head=self.head,
            wake_at=self._wake_at(),
            put=tuple(Put(kind, item, value) for (kind, item), value in self._put.items()),
            drop=tuple(Drop(kind, item) for kind, item in sorted(self._drop, key=_by_name)) if self._drop else (),
            facts=tuple(self._facts),
        )

    def _wake_at(self) -> int | None:
        """When the lead changes by itself. A step that did not score does not change that."""
        if self.head.ended:
            return None
        return self.falls_at_ms if self.was_rated else self.view.wake_at

    def unchanged(self) -> Step[LeadHead]:
        """Nothing happened."""
        return Step(head=self.view.head, wake_at=self.view.wake_at)


def _by_name(place: tuple[EntryKind[Any], str]) -> tuple[str, str]:
    return place[0].name, place[1]
