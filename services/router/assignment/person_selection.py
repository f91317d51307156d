"""Who in a pool gets one lead: a person named beforehand, or whose turn it is, or nobody for now.

Pure: the pool, its turns and loads, who is away and the time go in; the decision comes out with everybody's numbers.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from baton.contracts.routing import Candidate, QueueItem
from baton.ids import derived_id
from services.router.assignment import eligibility
from services.router.assignment.eligibility import Need, Screened, screen
from services.router.assignment.fair_share import NEW, Book, next_person, shares, urgency
from services.router.assignment.pool_view import Counting, PoolView, Presence
from services.router.assignment.state import Load, fraction_text

IN_TURN = "in_turn"
RELAXED = "in_turn:rejecters_asked_again"


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
    loads: Mapping[str, Load]
    book: Book
    presence: Presence
    now: int


def need_of(item: QueueItem, pool_view: PoolView) -> Need:
    """What the lead asks of a person."""
    rejecters = item.qualified.rejecters if item.qualified else ()
    return Need(skills=frozenset(item.skills), not_to=frozenset((*item.exclude, *rejecters)), any_hour=pool_view.any_hour)


def choose(item: QueueItem, room: Room, *, preferred: str | None) -> Chosen | Unserved:
    """The decision. ``preferred`` (an owner, a colleague's holder) gets it whatever the hour and the load, unless they left, are
    away or had it before; then it is somebody's turn like any other lead's."""
    need = need_of(item, room.pool_view)
    screened = screen(room.pool_view, room.loads, room.presence, need, now=room.now)
    prefix = ""
    if preferred is not None:
        hindrance = _hindrance(preferred, screened)
        if hindrance is None:
            return _owner_match(item, preferred, screened, room)
        prefix = f"{item.rule or 'preferred'}:{preferred}:{hindrance};"
    decision = _in_turn(item, screened, room, rule=prefix + IN_TURN)
    if isinstance(decision, Chosen) or eligibility.comes_soon(screened) or not need.not_to:
        return decision
    # Rather than leaving the lead alone: nobody else of this pool can have it, so those who rejected it are asked again.
    wider = Need(skills=need.skills, any_hour=need.any_hour)
    relaxed = _in_turn(item, screen(room.pool_view, room.loads, room.presence, wider, now=room.now), room, rule=prefix + RELAXED)
    return relaxed if isinstance(relaxed, Chosen) else decision


def forced(item: QueueItem, room: Room) -> Chosen:
    """A person decided: no hours, no limits, no turn; the others' numbers are recorded all the same."""
    screened = screen(room.pool_view, room.loads, room.presence, need_of(item, room.pool_view), now=room.now)
    return Chosen(person=item.person or "", rule=item.rule, candidates=candidates_of(screened, {}, room), share={})


def _in_turn(item: QueueItem, screened: tuple[Screened, ...], room: Room, *, rule: str) -> Chosen | Unserved:
    share = _share(screened, room.pool_view)
    candidates = candidates_of(screened, share, room)
    members = eligibility.eligible(screened)
    if not members:
        reasons = sorted({(each.reason or "").partition(":")[0] for each in screened}) or ["empty_pool"]
        return Unserved(reason=",".join(reasons), candidates=candidates, waits=eligibility.waits(screened))
    weights = {member.person: member.weight for member in members}
    person = next_person(room.book, weights, share, lambda each: derived_id("tie", item.handoff_id, each))
    return Chosen(person=person, rule=rule, candidates=candidates, share=share)


def _owner_match(item: QueueItem, person: str, screened: tuple[Screened, ...], room: Room) -> Chosen:
    if not room.pool_view.owner_uses_turn:
        return Chosen(person=person, rule=item.rule, candidates=candidates_of(screened, {}, room), share={})
    # The owner counts as eligible for this one, whatever the hour, or the targets would not add up to the turns.
    forced = tuple(Screened(member=each.member, reason=None) if each.member.person == person else each for each in screened)
    share = _share(forced, room.pool_view)
    return Chosen(person=person, rule=item.rule, candidates=candidates_of(screened, share, room), share=share)


def _hindrance(person: str, screened: tuple[Screened, ...]) -> str | None:
    reason = next((each.reason for each in screened if each.member.person == person), "not_in_the_pool")
    lasting = (eligibility.INACTIVE, eligibility.ABSENT, eligibility.REJECTED_BEFORE, "not_in_the_pool")
    return reason if reason in lasting else None


def _share(screened: tuple[Screened, ...], pool_view: PoolView) -> dict[str, Fraction]:
    if pool_view.counting == Counting.ACCRUE:
        sharers = {each.person: each.weight for each in pool_view.members if each.active and each.weight > 0}
    else:
        sharers = {member.person: member.weight for member in eligibility.eligible(screened)}
    return shares(sharers) if sharers else {}


def candidates_of(screened: tuple[Screened, ...], share: Mapping[str, Fraction], room: Room) -> tuple[Candidate, ...]:
    """Everybody of the pool with their numbers, the eligible first, then by name."""
    found = []
    for each in screened:
        member, standing = each.member, room.book.get(each.member.person, NEW)
        load = room.loads.get(member.person, eligibility.NO_LOAD)
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
                excluded=each.reason,
                target=fraction_text(standing.target + part),
            )
        )
    return tuple(sorted(found, key=lambda each: (each.excluded is not None, each.person)))
