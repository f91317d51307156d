"""Who in a pool gets one lead: a person named beforehand, or whose turn it is, or nobody for now.

Pure: the pool, its turns and loads, who is away and the time go in; the decision comes out with everybody's numbers.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from baton.contracts.routing import Candidate, QueueItem
from baton.ids import derived_id
from services.router.assignment import eligibility
from services.router.assignment.eligibility import Availability, Need, Screened, screen
from services.router.assignment.fair_share import NEW, Book, next_person, shares, urgency
from services.router.assignment.pool_view import Counting, PoolView
from services.router.assignment.state import fraction_text

IN_TURN: Final = "in_turn"
ASKED_AGAIN: Final = "in_turn:asked_again"
REJECTERS_AGAIN: Final = "in_turn:rejecters_asked_again"
EVERYBODY_ABSENT: Final = "everybody_absent"
EMPTY_POOL: Final = "empty_pool"
NOT_IN_THE_POOL: Final = "not_in_the_pool"


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """``person`` gets it by ``rule``. ``share``: what it adds to the targets; empty if it takes no turn."""

    person: str
    rule: str
    candidates: tuple[Candidate, ...]
    share: Mapping[str, Fraction]


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
    return Need(skills=frozenset(item.skills), not_to=frozenset((*item.exclude, *_rejecters(item))), any_hour=pool_view.any_hour)


def _rejecters(item: QueueItem) -> frozenset[str]:
    """Who said no to the lead, in this cycle or before."""
    return frozenset((*item.rejecters, *(item.qualified.rejecters if item.qualified else ())))


def choose(item: QueueItem, room: Room, *, preferred: str | None) -> Chosen | Unserved:
    """The decision. ``preferred`` (an owner, a colleague's holder) gets it unless they left, are away or had it before, or are beyond
    the limits that the pool lets them keep; then it is somebody's turn like any other lead's."""
    need = need_of(item, room.pool_view)
    screened = screen(room.availability, need)
    prefix = ""
    if preferred is not None:
        hindrance = _hindrance(preferred, screened, room.pool_view)
        if hindrance is None:
            return _owner_match(item, preferred, screened, room)
        prefix = f"{item.rule or 'preferred'}:{preferred}:{hindrance};"
    decision = _in_turn(item, screened, room, rule=prefix + IN_TURN)
    if isinstance(decision, Chosen):
        return decision
    # Rather than leaving the lead alone: where nobody else will be free, those it was taken from are asked again, the latest last.
    for wider in _relaxed(item, need):
        if eligibility.comes_soon(screened, room.availability):
            return decision
        screened = screen(room.availability, wider)
        again = _in_turn(item, screened, room, rule=prefix + IN_TURN)
        if isinstance(again, Chosen):
            said_no = again.person in _rejecters(item)
            return Chosen(
                person=again.person,
                rule=prefix + (REJECTERS_AGAIN if said_no else ASKED_AGAIN),
                candidates=again.candidates,
                share=again.share,
            )
    return decision


def _relaxed(item: QueueItem, need: Need) -> Iterator[Need]:
    """Less and less is asked: who only let it pass may have it again, then who said no, last of all who had it last."""
    last = frozenset(item.exclude[-1:])
    stages = ((_rejecters(item) | last) & need.not_to, last & need.not_to, frozenset[str]())
    before = need.not_to
    for not_to in stages:
        if not_to != before:
            before = not_to
            yield Need(skills=need.skills, not_to=not_to, any_hour=need.any_hour)


def forced(item: QueueItem, room: Room) -> Chosen:
    """A person decided: no hours, no limits, no turn; the others' numbers are recorded all the same."""
    screened = screen(room.availability, need_of(item, room.pool_view))
    return Chosen(person=item.person or "", rule=item.rule, candidates=candidates_of(screened, {}, room), share={})


def _in_turn(item: QueueItem, screened: tuple[Screened, ...], room: Room, *, rule: str) -> Chosen | Unserved:
    share = _share(screened, room.pool_view)
    candidates = candidates_of(screened, share, room)
    members = eligibility.eligible(screened)
    if not members:
        return Unserved(reason=_why_nobody(screened), candidates=candidates, waits=eligibility.waits(screened))
    weights = {member.person: member.weight for member in members}
    person = next_person(room.book, weights, share, lambda who: derived_id("tie", item.handoff_id, who))
    return Chosen(person=person, rule=rule, candidates=candidates, share=share)


def _why_nobody(screened: tuple[Screened, ...]) -> str:
    reasons = sorted({(found.reason or "").partition(":")[0] for found in screened})
    if set(reasons) - {eligibility.INACTIVE, eligibility.NO_WEIGHT} == {eligibility.ABSENT}:
        return EVERYBODY_ABSENT
    return ",".join(reasons) or EMPTY_POOL


def _owner_match(item: QueueItem, person: str, screened: tuple[Screened, ...], room: Room) -> Chosen:
    if not room.pool_view.owner_uses_turn:
        return Chosen(person=person, rule=item.rule, candidates=candidates_of(screened, {}, room), share={})
    # The owner counts as eligible for this one, whatever the hour, or the targets would not add up to the turns.
    owned = tuple(
        Screened(member=found.member, reason=None) if found.member.person == person else found for found in screened
    )
    share = _share(owned, room.pool_view)
    return Chosen(person=person, rule=item.rule, candidates=candidates_of(owned, share, room), share=share)


def _hindrance(person: str, screened: tuple[Screened, ...], pool_view: PoolView) -> str | None:
    reason = next((found.reason for found in screened if found.member.person == person), NOT_IN_THE_POOL)
    lasting = (eligibility.INACTIVE, eligibility.ABSENT, eligibility.REJECTED_BEFORE, NOT_IN_THE_POOL)
    return reason if reason in lasting or (pool_view.keeps_limits and reason in eligibility.LIMITS) else None


def _share(screened: tuple[Screened, ...], pool_view: PoolView) -> dict[str, Fraction]:
    if pool_view.counting == Counting.ACCRUE:
        sharers = {member.person: member.weight for member in pool_view.members if member.active and member.weight > 0}
    else:
        sharers = {member.person: member.weight for member in eligibility.eligible(screened)}
    return shares(sharers) if sharers else {}


def candidates_of(screened: tuple[Screened, ...], share: Mapping[str, Fraction], room: Room) -> tuple[Candidate, ...]:
    """Everybody of the pool with their numbers, the eligible first, then by name."""
    loads = room.availability.loads
    found = []
    for one in screened:
        member, standing = one.member, room.book.get(one.member.person, NEW)
        load = loads.get(member.person, eligibility.NO_LOAD)
        part = share.get(member.person, Fraction(0))
        score = fraction_text(urgency(standing, part, member.weight)) if member.weight > 0 else ""
        found.append(
            Candidate(
                person=member.person,
                weight=member.weight,
                turns=standing.turns,
                load=load.total,
                capacity=member.capacity,
                score=score,
                excluded=one.reason,
                target=fraction_text(standing.target + part),
            )
        )
    return tuple(sorted(found, key=lambda candidate: (candidate.excluded is not None, candidate.person)))
