"""A pool over time: turns are counted right from one decision to the next, nobody is a lead from
their share, nobody is overloaded.

Pure. It counts by itself, from the routed records and the releases alone. What was decided in one
and the same millisecond has no order here, so counts are held against bounds that are right for
every order of it.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple

from baton.contracts.routing import (
    LeadRouted,
    LeadUnrouted,
    QueueItem,
    RequestKind,
    UnroutedOutcome,
)
from baton.proof.audit.findings import Add, Finding, Invariant, Place
from baton.proof.audit.turns import by_turn

NO_FAULT = "no_fault"


class Seat(NamedTuple):
    """A person in a decision: what the record says of them."""

    person: str
    turns: int
    weight: int
    eligible: bool
    load: int = 0


class Decision(NamedTuple):
    """A lead was given to ``owner``."""

    at_ms: int
    place: tuple[str, int, int]
    handoff_id: str
    level: str
    owner: str
    turn_used: bool
    capacity: int | None
    seats: tuple[Seat, ...]
    in_turn: bool = True


class Release(NamedTuple):
    """A hand-off was given back; ``turn_back``: and the turn with it. ``undone``: or rather it
    stands again, with whatever it took, and ``person`` has it (None: its owner)."""

    at_ms: int
    handoff_id: str
    turn_back: bool
    undone: bool
    person: str | None = None


class Answer(NamedTuple):
    """An offer was accepted: it is open work of ``person`` (None: of its owner) from now on, even
    where it had been given back."""

    at_ms: int
    handoff_id: str
    person: str | None = None


def decision_of(routed: LeadRouted, place: tuple[str, int, int]) -> Decision:
    """What a routed record says for its pool. ``capacity``: only where the lead came to its owner
    by turn."""
    chosen = next(
        (candidate for candidate in routed.candidates if candidate.person == routed.owner), None
    )
    capacity = chosen.capacity if chosen is not None and by_turn(routed.rule) else None
    seats = tuple(
        Seat(
            candidate.person,
            candidate.turns,
            candidate.weight,
            candidate.excluded is None,
            candidate.load,
        )
        for candidate in routed.candidates
    )
    whole = routed.turn_used and not routed.trace_cut
    return Decision(
        routed.routed_at_ms,
        place,
        routed.handoff_id,
        routed.level,
        routed.owner,
        whole,
        capacity,
        seats if whole else (),
        by_turn(routed.rule),
    )


def release_of(item: QueueItem, at_ms: int) -> Release | None:
    """What a record of the queue gives back or reinstates, if anything."""
    if item.kind not in (RequestKind.RELEASE, RequestKind.OFFERED):
        return None
    undone = item.kind == RequestKind.OFFERED
    return Release(at_ms, item.handoff_id, item.fault == NO_FAULT, undone, item.person)


def let_go_of(unrouted: LeadUnrouted) -> tuple[str, Release] | None:
    """A pool, and what it gave back by itself: a hand-off of a lead that may not be handed to
    anybody any more is off its books at once. Its release comes later, and changes nothing."""
    if unrouted.outcome != UnroutedOutcome.SUPPRESSED or unrouted.pool is None:
        return None
    return unrouted.pool, Release(unrouted.at_ms, unrouted.handoff_id, True, False)


def denied_of(
    item: QueueItem, at_ms: int, place: tuple[str, int, int]
) -> tuple[Decision, Release] | None:
    """A proposal that a limit over all pools denied: a turn of the person that other decisions of
    the pool may have counted until it was given back at ``at_ms``."""
    if item.kind != RequestKind.DENIED or item.limited is None or item.qualified is None:
        return None
    own_id = f"{item.handoff_id}/{at_ms}"
    level, took_turn = item.qualified.level, item.took_turn
    taken = Decision(
        item.at_ms, place, own_id, level, item.limited, took_turn, None, (), in_turn=took_turn
    )
    return taken, Release(at_ms, own_id, took_turn, False, item.limited)


def answer_of(item: QueueItem, at_ms: int) -> Answer | None:
    """An acceptance, if it is one."""
    if item.kind != RequestKind.ACCEPTED:
        return None
    return Answer(at_ms, item.handoff_id, item.person)


def plain(row: Decision | Release | Answer) -> tuple[Any, ...]:
    """The row of plain values, as a spill takes it."""
    if isinstance(row, Release | Answer):
        return tuple(row)
    return tuple(row._replace(seats=tuple(map(tuple, row.seats))))  # type: ignore[arg-type]  # a spill knows no classes


def of_plain(rows: Iterable[tuple[Any, ...]]) -> tuple[list[Decision], list[Release], list[Answer]]:
    """The inverse of :func:`plain`, sorted out; releases in the order of time."""
    decisions, releases, answers = [], [], []
    for row in rows:
        if len(row) == len(Release._fields):
            releases.append(Release._make(row))
        elif len(row) == len(Answer._fields):
            answers.append(Answer._make(row))
        else:
            decision = Decision._make(row)
            decisions.append(decision._replace(seats=tuple(map(Seat._make, decision.seats))))
    return decisions, sorted(releases, key=lambda release: release.at_ms), answers


def check_pool(
    pool: str,
    decisions: Sequence[Decision],
    releases: Sequence[Release],
    *,
    period_of: Callable[[int], str],
    add: Add,
) -> None:
    """Everything about one pool; ``releases`` in the order of time, the first one of a hand-off
    gives its turn back. ``period_of``: the period in which a turn at that time is counted; each
    begins at nothing."""
    undone = {release.handoff_id for release in releases if release.undone}
    back = {
        release.handoff_id: (release.at_ms, release.handoff_id not in undone)
        for release in reversed(releases)
        if release.turn_back
    }
    ledgers: dict[tuple[str, str], list[Decision]] = defaultdict(list)
    for decision in decisions:
        if decision.turn_used:
            ledgers[decision.level, period_of(decision.at_ms)].append(decision)
    for (level, period), taken in ledgers.items():
        taken.sort(key=_order)
        _check_counts(f"{pool}, {level}, {period}", taken, back, add)
        _check_shares(f"{pool}, {level}, {period}", taken, back, add)


_Back = dict[str, tuple[int, bool]]
"""By hand-off: when its turn was given back, and whether it surely stayed so."""


def _order(decision: Decision) -> tuple[int, int]:
    return decision.at_ms, sum(seat.turns for seat in decision.seats)


@dataclass(slots=True)
class _Tally:
    """When a person had turns, when one may have been given back, and when one surely was; each in
    order."""

    had: list[int]
    maybe_back: list[int]
    back: list[int]


def _check_counts(where: str, taken: Sequence[Decision], back: _Back, add: Add) -> None:
    """The turns a record says a person had are those that were taken before it, less what was given
    back by then."""
    tallies: dict[str, _Tally] = defaultdict(lambda: _Tally([], [], []))
    for decision in taken:
        tally = tallies[decision.owner]
        tally.had.append(decision.at_ms)
        if decision.handoff_id in back:
            at_ms, surely = back[decision.handoff_id]
            tally.maybe_back.append(at_ms)
            if surely:
                tally.back.append(at_ms)
    for tally in tallies.values():
        tally.maybe_back.sort()
        tally.back.sort()
    for decision in taken:
        for seat in decision.seats:
            tally = tallies[seat.person]
            own = seat.person == decision.owner
            least = bisect_left(tally.had, decision.at_ms) - bisect_right(
                tally.maybe_back, decision.at_ms
            )
            most = (
                bisect_right(tally.had, decision.at_ms)
                - own
                - bisect_left(tally.back, decision.at_ms)
            )
            if not least <= seat.turns <= most:
                words = (
                    f"{where}: {seat.person} had {least} turns or {most}, the record counts "
                    f"{seat.turns}"
                )
                add(Finding(invariant=Invariant.TURNS, words=words, place=Place.of(decision.place)))


def _check_shares(where: str, taken: Sequence[Decision], back: _Back, add: Add) -> None:
    """As long as the same people are eligible with the same weights from the first turn on,
    everybody is less than one lead from their share after each (the bound of the quota method)."""
    first = _sharers(taken[0])
    whole = sum(first.values())
    had = dict.fromkeys(first, 0)
    for number, decision in enumerate(taken, start=1):
        if _sharers(decision) != first or decision.owner not in had or decision.handoff_id in back:
            return
        had[decision.owner] += 1
        for person, turns in had.items():
            share = Fraction(first[person] * number, whole)
            if abs(turns - share) >= 1:
                words = (
                    f"{where}: after {number} turns {person} had {turns}, and {share} is their "
                    "share"
                )
                add(Finding(invariant=Invariant.TURNS, words=words, place=Place.of(decision.place)))
                return


def _sharers(decision: Decision) -> dict[str, int]:
    return {
        seat.person: seat.weight for seat in decision.seats if seat.eligible and seat.weight > 0
    }
