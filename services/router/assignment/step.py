"""The pool during one step: its turns, loads, queue and open work, read through what the step has
changed already.

It lives for one call of the reducer and keeps the books. Who gets a lead is decided in
:mod:`services.router.assignment.person_selection`, what follows in :mod:`.queue`.
"""

from collections.abc import Mapping

from baton.contracts.routing import QueueItem
from baton.engine.reducer import Step, View
from baton.engine.step_builder import StepBuilder
from baton.evolve import evolve
from services.router.assignment.barred import still_barred
from services.router.assignment.open_loads import Load, loads_table
from services.router.assignment.pool_view import PoolView
from services.router.assignment.state import (
    HELD,
    LANE,
    OFFER,
    TASK,
    WORK,
    LaneHead,
    OpenOffer,
    OpenTask,
    PoolHeld,
    PoolState,
    PoolWork,
    TurnCredit,
    WorkState,
    credited_share,
    lane_of,
    place_in_queue,
    split_place,
    with_sharers,
)
from services.router.assignment.turn_ledger import (
    kept_book,
    latest_of,
    latest_table,
    ledger_of,
)
from services.router.assignment.turn_order import (
    Book,
    Share,
    given_back,
    taken,
)

_AFTER = "\0"
"""Behind a key, so that a scan begins just after it."""


class AssignmentStep(StepBuilder[PoolState]):
    """The pool's books while one step runs."""

    def __init__(self, view: View[PoolState], *, now: int, pool_view: PoolView) -> None:
        super().__init__(view, now=now)
        self._head = view.head or PoolState(pool=view.key)
        self._period = pool_view.period
        self._books: dict[str, Book] = {}
        self._read: dict[str, Book] = {}
        self.loads: dict[str, Load] = dict(self._head.loads)
        self._reloaded: set[str] = set()
        self._latest = latest_of(self._head.latest)
        self._advanced: set[str] = set()
        self.decided = self._head.decided
        self.resume = self._head.resume
        self.again = self._head.again
        self.review = self._head.review
        self.deserted = self._head.deserted
        self.relieving = self._head.relieving
        self.barred = {
            entry.person: entry for entry in self._head.barred if still_barred(entry, pool_view)
        }

    # ------------------------------------------------------------------ entries, with what this
    # step changed

    def work(self, handoff_id: str) -> PoolWork | None:
        """The open hand-off of this id."""
        return self.get(WORK, handoff_id)

    def held(self, place: str) -> PoolHeld | None:
        """The lead at this place of the queue."""
        return self.get(HELD, place)

    def preferred(self, item: QueueItem) -> str | None:
        """Whom the lead is to go to: by name, or whoever has its colleague."""
        work = self.work(item.beside) if item.beside and item.person is None else None
        return work.person if work is not None else item.person

    def put_work(self, handoff_id: str, work: PoolWork) -> None:
        """Keep an open hand-off."""
        self.store(WORK, handoff_id, work)

    def drop_work(self, handoff_id: str) -> None:
        """Forget a hand-off that is closed."""
        self.drop(WORK, handoff_id)

    def enqueue(self, held: PoolHeld) -> str:
        """Put a lead into its lane of the queue; gives the key it has there."""
        item = held.item
        lane, place = lane_of(item, to=self.preferred(item)), place_in_queue(item)
        first = self._first_of(lane)
        self.store(HELD, lane + place, held)
        if first is None or place < first:
            if first is not None:
                self.drop(LANE, first)
            self.store(LANE, place, LaneHead(lane=lane))
        return lane + place

    def leave_queue(self, key: str) -> None:
        """Take a lead out of the queue; the next one of its lane is looked at from now on."""
        lane, place = split_place(key)
        self.drop(HELD, key)
        head = self.get(LANE, place)
        if head is None or head.lane != lane:
            return
        self.drop(LANE, place)
        following = self._first_of(lane, behind=place)
        if following is not None:
            self.store(LANE, following, head)

    def is_first(self, key: str) -> bool:
        """Whether the lead is the first of its lane."""
        lane, place = split_place(key)
        head = self.get(LANE, place)
        return head is not None and head.lane == lane

    def next_lane(self, *, first: str) -> tuple[str, str] | None:
        """Of the lane whose first lead comes next in the order of all that wait, from the place
        ``first`` on: key and place."""
        found = self.scan(LANE, first=first, limit=1)
        return (found[0][1].lane + found[0][0], found[0][0]) if found else None

    def queue(self, *, first: str, limit: int) -> list[tuple[str, PoolHeld]]:
        """At most ``limit`` leads of the queue, lane by lane, from the key ``first`` on."""
        return self.scan(HELD, first=first, limit=limit)

    def _first_of(self, lane: str, *, behind: str = "") -> str | None:
        found = self.scan(HELD, first=lane + behind + (_AFTER if behind else ""), limit=1)
        if not found:
            return None
        kept_in, place = split_place(found[0][0])
        return place if kept_in == lane else None

    def offers_of(self, person: str, *, limit: int) -> list[tuple[str, OpenOffer]]:
        """At most ``limit`` offers that the person has not answered, by their hand-off."""
        begin = f"{person}/"
        found = self.scan(OFFER, first=begin, limit=limit)
        return [
            (item.removeprefix(begin), offer) for item, offer in found if item.startswith(begin)
        ]

    def note_offer(self, person: str, handoff_id: str, offer: OpenOffer) -> None:
        """Remember an offer until it is answered."""
        self.store(OFFER, f"{person}/{handoff_id}", offer)

    def forget_offer(self, person: str, handoff_id: str) -> None:
        """The offer is answered, or taken back."""
        self.drop(OFFER, f"{person}/{handoff_id}")

    def tasks_of(self, person: str, *, limit: int) -> list[tuple[str, OpenOffer]]:
        """At most ``limit`` leads that the person has accepted, by their hand-off."""
        begin = f"{person}/"
        found = self.scan(TASK, first=begin, limit=limit)
        return [
            (item.removeprefix(begin), task.offer) for item, task in found if item.startswith(begin)
        ]

    def offer_of(self, person: str, handoff_id: str) -> OpenOffer | None:
        """The offer that the person has not answered."""
        return self.get(OFFER, f"{person}/{handoff_id}")

    def note_task(self, person: str, handoff_id: str, offer: OpenOffer) -> None:
        """Remember an accepted lead until it ends."""
        task = OpenTask(offer=evolve(offer, amended=None))
        self.store(TASK, f"{person}/{handoff_id}", task)

    def forget_task(self, person: str, handoff_id: str) -> None:
        """The lead has ended, or goes to somebody else."""
        self.drop(TASK, f"{person}/{handoff_id}")

    def waiting(self) -> int:
        """How many leads are in the queue."""
        return self.count(HELD)

    # ------------------------------------------------------------------ turns

    def book(self, level: str) -> Book:
        """The standings at ``level`` in the period that runs. A new period starts afresh; who has
        waited longest is known over all levels and periods."""
        if level not in self._read:
            book = self._books.get(level) or kept_book(self._head.ledgers, level, self._period)
            self._read[level] = evolve(book, last=self._latest)
        return self._read[level]

    def take_turn(
        self, level: str, person: str, share: Share, sharers: Mapping[str, int]
    ) -> TurnCredit:
        """``person`` had a turn that added ``share`` to the targets; with what is returned it can
        be given back. ``sharers``: everybody of the pool who may share a turn, with their
        weights."""
        book = self.book(level)
        self.decided += 1
        self._set_book(level, taken(book, person, share, self.decided), person)
        credit = TurnCredit(
            level=level,
            period=self._period,
            ordinal=self.decided,
            before=book.last.get(person, 0),
            parts=(),
        )
        return with_sharers(credit, share, sharers)

    def give_turn_back(self, work: PoolWork, sharers: Mapping[str, int]) -> None:
        """As if the turn had not been; nothing happens where none was taken, or where its period is
        over."""
        turn = work.turn
        if work.person is None or turn is None or turn.period != self._period:
            return
        share = credited_share(turn, sharers)
        book = given_back(
            self.book(turn.level), work.person, share, ordinal=turn.ordinal, before=turn.before
        )
        self._set_book(turn.level, book, work.person)

    def _set_book(self, level: str, book: Book, person: str) -> None:
        self._books[level] = book
        self._latest = book.last
        self._advanced.add(person)
        self._read.clear()

    # ------------------------------------------------------------------ loads

    def load(self, person: str, state: str, amount: int) -> None:
        """Count ``amount`` more (or less) of what ``person`` was offered or has accepted."""
        before = self.loads.get(person, Load(person=person))
        if state == WorkState.OFFERED:
            after = evolve(before, offered=max(0, before.offered + amount))
        else:
            after = evolve(before, accepted=max(0, before.accepted + amount))
        self._set_load(after)

    def count_handed(self, person: str, *, handed_on: str, view: PoolView, amount: int) -> None:
        """Count what was handed on that day to somebody who has a limit by day or by week;
        ``amount`` -1: as if it had not been."""
        before = self.loads.get(person, Load(person=person))
        today = before.today if before.day == view.day else 0
        this_week = before.this_week if before.day >= view.monday else 0
        today += amount if handed_on == view.day else 0
        this_week += amount if handed_on >= view.monday else 0
        self._set_load(
            evolve(before, day=view.day, today=max(0, today), this_week=max(0, this_week))
        )

    def _set_load(self, after: Load) -> None:
        self._reloaded.add(after.person)
        if after.total or after.today or after.this_week:
            self.loads[after.person] = after
        else:
            self.loads.pop(after.person, None)

    # ------------------------------------------------------------------ the outcome

    def finish(self, wake_at: int | None) -> Step[PoolState]:
        """Everything that changed, as a step."""
        head = self._head
        ledgers = {ledger.level: ledger for ledger in head.ledgers} | {
            level: ledger_of(level, self._period, book) for level, book in self._books.items()
        }
        after = evolve(
            head,
            decided=self.decided,
            ledgers=tuple(ledger for _, ledger in sorted(ledgers.items())),
            latest=latest_table(head.latest, self._latest, frozenset(self._advanced)),
            open_loads=loads_table(head.open_loads, self.loads, self._reloaded),
            resume=self.resume,
            again=self.again,
            review=self.review,
            deserted=self.deserted,
            relieving=self.relieving,
            barred=tuple(entry for _, entry in sorted(self.barred.items())),
        )
        unchanged = self.view.head is not None and after == self._head
        return self.build(self.view.head if unchanged else after, wake_at)
