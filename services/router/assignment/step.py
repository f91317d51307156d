"""The pool during one step: its turns, loads, queue and open work, read through what the step has changed already.

An ``AssignmentStep`` lives for one call of the reducer. It keeps the books; it does not decide who gets a lead (:mod:`services.router.assignment.person_selection`)
nor what follows from it (:mod:`services.router.assignment.reducer`).
"""

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction

from baton.engine.reducer import Step, View
from baton.engine.step_builder import StepBuilder
from services.router.assignment.fair_share import NEW, Book, Standing, given_back, taken
from services.router.assignment.state import (
    HELD,
    WORK,
    Load,
    Part,
    PoolHeld,
    PoolState,
    PoolWork,
    TurnCredit,
    WorkState,
    book_of,
    fraction_text,
    ledger_of,
)


class AssignmentStep(StepBuilder[PoolState]):
    """The pool's books while one step runs."""

    def __init__(self, view: View[PoolState], *, now: int, period: str) -> None:
        super().__init__(view, now=now)
        self._head = view.head or PoolState(pool=view.key)
        self._period = period
        self._books: dict[str, tuple[str, Book]] = {each.level: (each.period, book_of(each)) for each in self._head.ledgers}
        self._books_changed = False
        self._read: dict[str, Book] = {}
        self.loads: dict[str, Load] = {each.person: each for each in self._head.loads}
        self.decided = self._head.decided
        self.resume = self._head.resume
        self.again = self._head.again

    # ------------------------------------------------------------------ entries, with what this step changed

    def work(self, handoff_id: str) -> PoolWork | None:
        """The open hand-off of this id."""
        return self.get(WORK, handoff_id)

    def held(self, place: str) -> PoolHeld | None:
        """The lead at this place of the queue."""
        return self.get(HELD, place)

    def put_work(self, handoff_id: str, work: PoolWork) -> None:
        """Keep an open hand-off."""
        self.store(WORK, handoff_id, work)

    def drop_work(self, handoff_id: str) -> None:
        """Forget a hand-off that is closed."""
        self.drop(WORK, handoff_id)

    def enqueue(self, place: str, held: PoolHeld) -> None:
        """Put a lead into the queue."""
        self.store(HELD, place, held)

    def leave_queue(self, place: str) -> None:
        """Take a lead out of the queue."""
        self.drop(HELD, place)

    def queue(self, *, first: str, limit: int) -> list[tuple[str, PoolHeld]]:
        """At most ``limit`` leads of the queue in order, from ``first`` on."""
        return self.scan(HELD, first=first, limit=limit)

    def waiting(self) -> int:
        """How many leads are in the queue."""
        return self.count(HELD)

    # ------------------------------------------------------------------ turns

    def book(self, level: str) -> Book:
        """The standings at ``level`` in the period that runs. A new period starts afresh; who has waited longest is known over all
        levels and periods."""
        if level not in self._read:
            period, book = self._books.get(level, (self._period, {}))
            current = book if period == self._period else {}
            latest: dict[str, int] = {}
            for _, each in self._books.values():
                for person, standing in each.items():
                    latest[person] = max(standing.last, latest.get(person, 0))
            self._read[level] = {person: _dated(current.get(person, NEW), last) for person, last in latest.items()}
        return self._read[level]

    def take_turn(self, level: str, person: str, share: Mapping[str, Fraction]) -> TurnCredit:
        """``person`` had a turn that added ``share`` to the targets; with what is returned it can be given back."""
        book = self.book(level)
        self.decided += 1
        self._set_book(level, taken(book, person, share, self.decided))
        parts = tuple(Part(person=each, part=fraction_text(part)) for each, part in sorted(share.items()))
        before = book.get(person, NEW).last
        return TurnCredit(level=level, period=self._period, ordinal=self.decided, before=before, parts=parts)

    def give_turn_back(self, work: PoolWork) -> None:
        """As if the turn had not been; nothing happens where none was taken, or where its period is over."""
        turn = work.turn
        if work.person is None or turn is None or turn.period != self._period:
            return
        share = {each.person: Fraction(each.part) for each in turn.parts}
        book = given_back(self.book(turn.level), work.person, share, ordinal=turn.ordinal, before=turn.before)
        self._set_book(turn.level, book)

    def _set_book(self, level: str, book: Book) -> None:
        self._books[level] = (self._period, book)
        self._read.clear()
        self._books_changed = True

    # ------------------------------------------------------------------ loads

    def load(self, person: str, state: str, amount: int) -> None:
        """Count ``amount`` more (or less) of what ``person`` was offered or has accepted."""
        before = self.loads.get(person, Load(person=person))
        if state == WorkState.OFFERED:
            after = replace(before, offered=max(0, before.offered + amount))
        else:
            after = replace(before, accepted=max(0, before.accepted + amount))
        if after.total:
            self.loads[person] = after
        else:
            self.loads.pop(person, None)

    # ------------------------------------------------------------------ the outcome

    def finish(self, wake_at: int | None) -> Step[PoolState]:
        """Everything that changed, as a step."""
        ledgers = self._head.ledgers
        if self._books_changed:
            ledgers = tuple(ledger_of(level, period, book) for level, (period, book) in sorted(self._books.items()))
        after = replace(
            self._head,
            decided=self.decided,
            ledgers=ledgers,
            loads=tuple(load for _, load in sorted(self.loads.items())),
            resume=self.resume,
            again=self.again,
        )
        unchanged = self.view.head is not None and after == self._head
        return self.build(self.view.head if unchanged else after, wake_at)


def _dated(standing: Standing, last: int) -> Standing:
    return standing if standing.last == last else Standing(turns=standing.turns, target=standing.target, last=last)
