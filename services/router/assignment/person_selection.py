"""Who in a pool gets one lead: a person named beforehand, or whose turn it is, or nobody for now.

Pure: the pool, its turns and loads, who is away and the time go in; the decision comes out with
everybody's numbers.
"""

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Final

from baton.contracts.routing import Candidate, QueueItem, Relax
from baton.derived_ids import derived_id
from baton.evolve import evolve
from services.router.assignment import availability as available
from services.router.assignment import eligibility
from services.router.assignment.availability import Availability
from services.router.assignment.eligibility import (
    Need,
    eligible_for,
    reason_for,
    screen,
)
from services.router.assignment.pool_view import Counting, PoolMember, PoolView, sharers_of
from services.router.assignment.turn_order import (
    Book,
    Share,
    next_person,
    shares,
    urgency_and_target,
)

IN_TURN: Final = "in_turn"
ASKED_AGAIN: Final = "in_turn:asked_again"
REJECTERS_AGAIN: Final = "in_turn:rejecters_asked_again"
WITHOUT_SKILLS: Final = "in_turn:without_skills"
WITHOUT_SKILLS_AGAIN: Final = "in_turn:without_skills,asked_again"
WITHOUT_SKILLS_REJECTERS: Final = "in_turn:without_skills,rejecters_asked_again"
EVERYBODY_ABSENT: Final = "everybody_absent"
EMPTY_POOL: Final = "empty_pool"
NOT_IN_THE_POOL: Final = "not_in_the_pool"
MOST_CANDIDATES: Final = 60
"""Of a larger pool not everybody is on the record, which says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """``person`` gets it by ``rule``. ``share``: what it adds to the targets; empty if it takes no
    turn."""

    person: str
    rule: str
    candidates: tuple[Candidate, ...]
    share: Share


@dataclass(frozen=True, slots=True, kw_only=True)
class Unserved:
    """Nobody gets it now. ``waits``: somebody could, once an offer is answered."""

    reason: str
    candidates: tuple[Candidate, ...]
    waits: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """The pool at one moment."""

    pool_view: PoolView
    availability: Availability
    book: Book


def need_of(item: QueueItem, pool_view: PoolView) -> Need:
    """What the lead asks of a person."""
    said_no = _rejecters(item)
    return Need(
        skills=frozenset(item.skills),
        not_to=said_no | frozenset(item.exclude),
        rejecters=said_no,
        any_hour=pool_view.any_hour,
    )


def _rejecters(item: QueueItem) -> frozenset[str]:
    """Who said no to the lead, in this cycle or before."""
    return frozenset((*item.rejecters, *(item.qualified.rejecters if item.qualified else ())))


def choose(item: QueueItem, room: Room, *, preferred: str | None) -> Chosen | Unserved:
    """The decision. ``preferred`` (an owner, a colleague's holder) gets it unless they left, are
    away or had it before, or are beyond the limits that the pool lets them keep; then it is
    somebody's turn like any other lead's."""
    need = need_of(item, room.pool_view)
    prefix = ""
    if preferred is not None:
        hindrance = _hindrance(preferred, room, need)
        if hindrance is None:
            return _owner_match(item, preferred, room, need)
        prefix = f"{item.rule or 'preferred'}:{preferred}:{hindrance};"
    if (chosen := _in_turn(item, room, need, rule=prefix + IN_TURN)) is not None:
        return chosen
    # Rather than leaving the lead alone: where nobody else will be free, less is asked, in the
    # order of the pool.
    said_no = _rejecters(item)
    asked = need
    for wider in relaxed(item, need, room.pool_view.relax):
        if eligibility.comes_soon(screen(room.availability, asked), room.availability):
            break
        asked = wider
        if (again := _in_turn(item, room, wider, rule=prefix + ASKED_AGAIN)) is not None:
            return evolve(again, rule=prefix + _rule_of(again.person, room, need, said_no))
    return _nobody(room, need)


def _rule_of(person: str, room: Room, need: Need, said_no: Set[str]) -> str:
    """What was given up for ``person`` to have the lead, as a word of the record."""
    member = room.pool_view.member(person)
    if member is not None and not need.skills <= member.skills:
        if person in said_no:
            return WITHOUT_SKILLS_REJECTERS
        return WITHOUT_SKILLS_AGAIN if person in need.not_to else WITHOUT_SKILLS
    return REJECTERS_AGAIN if person in said_no else ASKED_AGAIN


def relaxed(item: QueueItem, need: Need, steps: Sequence[str]) -> Iterator[Need]:
    """Less and less is asked, by the pool's order of ``steps``: of the people it is not to go back
    to, those who only let it pass, who said no and who had it last are apart."""
    last = frozenset(item.exclude[-1:])
    said_no = _rejecters(item) - last
    given_up = {
        Relax.LET_PASS: need.not_to - last - said_no,
        Relax.SAID_NO: said_no,
        Relax.HAD_IT_LAST: last,
    }
    for step in steps:
        before = need
        if step == Relax.SKILLS:
            need = evolve(need, skills=frozenset())
        else:
            need = evolve(need, not_to=need.not_to - given_up[Relax(step)])
        if need != before:
            yield need


def forced(item: QueueItem, room: Room) -> Chosen:
    """A person decided: no hours, no limits, no turn; the others' numbers are recorded all the
    same."""
    need = need_of(item, room.pool_view)
    person = item.person or ""
    return Chosen(
        person=person,
        rule=item.rule,
        candidates=candidates_of(room, need, Share(), person),
        share=Share(),
    )


def _in_turn(item: QueueItem, room: Room, need: Need, *, rule: str) -> Chosen | None:
    weights = eligible_for(room.availability, need)
    if not weights:
        return None
    share = _share(room.pool_view, weights)
    person = next_person(
        room.book, weights, share, lambda who: derived_id("tie", item.handoff_id, who)
    )
    return Chosen(
        person=person, rule=rule, candidates=candidates_of(room, need, share, person), share=share
    )


def _nobody(room: Room, need: Need) -> Unserved:
    screened = screen(room.availability, need)
    reasons = sorted({(found.reason or "").partition(":")[0] for found in screened})
    reason = ",".join(reasons) or EMPTY_POOL
    if set(reasons) - {available.INACTIVE, eligibility.NO_WEIGHT} == {available.ABSENT}:
        reason = EVERYBODY_ABSENT
    share = _share(room.pool_view, {})
    return Unserved(
        reason=reason,
        candidates=candidates_of(room, need, share),
        waits=eligibility.waits(screened),
    )


def _owner_match(item: QueueItem, person: str, room: Room, need: Need) -> Chosen:
    share = Share()
    if room.pool_view.owner_uses_turn:
        # The owner counts as eligible for this one, whatever the hour, or the targets would not add
        # up to the turns.
        member = room.pool_view.member(person)
        owner = {person: member.weight} if member is not None and member.weight > 0 else {}
        share = _share(room.pool_view, {**eligible_for(room.availability, need), **owner})
    candidates = candidates_of(room, need, share, person, eligible=person if share else None)
    return Chosen(person=person, rule=item.rule, candidates=candidates, share=share)


def _hindrance(person: str, room: Room, need: Need) -> str | None:
    member = room.pool_view.member(person)
    if member is None:
        return NOT_IN_THE_POOL
    return eligibility.match_reason_for(member, room.availability, need)


def _share(pool_view: PoolView, eligible: Mapping[str, int]) -> Share:
    """Whose targets the lead adds to."""
    if pool_view.counting == Counting.ACCRUE:
        return shares(pool_view.sharers or sharers_of(pool_view.members))
    return shares(eligible)


def candidates_of(
    room: Room, need: Need, share: Share, chosen: str | None = None, *, eligible: str | None = None
) -> tuple[Candidate, ...]:
    """Everybody of the pool with their numbers, the eligible first, then by name; of a large pool
    so many that the record shows that it was cut, ``chosen`` among them. ``eligible``: who is taken
    for eligible whatever hinders them."""
    members = room.pool_view.members
    if len(members) > MOST_CANDIDATES:
        first = [
            member
            for member in (room.pool_view.member(chosen) if chosen else None,)
            if member is not None
        ]
        shown = [
            *first,
            *(member for member in members[: MOST_CANDIDATES + 2] if member.person != chosen),
        ]
        members = tuple(shown[: MOST_CANDIDATES + 1])
    found = [
        _candidate(room, member, share, _reason_shown(room, member, need, eligible))
        for member in members
    ]
    return tuple(
        sorted(found, key=lambda candidate: (candidate.excluded is not None, candidate.person))
    )


def _reason_shown(room: Room, member: PoolMember, need: Need, eligible: str | None) -> str | None:
    return None if member.person == eligible else reason_for(member, room.availability, need)


def _candidate(room: Room, member: PoolMember, share: Share, reason: str | None) -> Candidate:
    urgency, target = urgency_and_target(room.book, share, member.person, member.weight)
    return Candidate(
        person=member.person,
        weight=member.weight,
        turns=room.book.turns.get(member.person, 0),
        load=room.availability.loads.get(member.person, available.NO_LOAD).total,
        capacity=member.capacity,
        score=urgency,
        excluded=reason,
        target=target,
    )
