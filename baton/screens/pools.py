"""Pools as they stand: what waits, who holds how much, shares against what is fair, who is at a
limit and when somebody is there next.

Pure. Read from assignment's state, whose size is that of the pools' open work and not of the leads
there are; eligibility is assignment's own.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from baton.agreement.reference import AgreementReference
from baton.engine.reducer import View
from services.router.assignment.availability import Availability
from services.router.assignment.eligibility import ANYTHING, reason_for
from services.router.assignment.next_chance import soonest
from services.router.assignment.open_loads import Load, Loads
from services.router.assignment.pool_view import PoolMember, PoolView, pool_view_of
from services.router.assignment.state import (
    HELD,
    OFFER,
    WORK,
    PoolHeld,
    PoolState,
    split_place,
)
from services.router.assignment.turn_ledger import book_of
from services.router.assignment.turn_order import Book

_PAGE = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelShare:
    """Turns of one level in the running period. ``fair``: the exact share of them that is due to
    the person, in leads."""

    level: str
    turns: int
    fair: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberState:
    """A member now. ``hindered``: why no lead goes to them (None: the next may); ``free_at_ms``:
    when that passes by time alone. ``handed_today`` and ``handed_this_week`` are counted where the
    agreement limits them."""

    person: str
    weight: int
    offered: int
    accepted: int
    capacity: int | None
    offers: int | None
    per_day: int | None
    per_week: int | None
    handed_today: int
    handed_this_week: int
    hindered: str | None
    free_at_ms: int | None
    shares: tuple[LevelShare, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingLead:
    """A lead in the queue, in the order in which it will be handed out."""

    lead_id: str
    level: str | None
    hand_raised: bool
    since_ms: int
    needs: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolStateNow:
    """A pool. ``waiting`` counts all, ``queue`` lists the first of them; ``next_opening_ms``: when
    somebody can take a lead, ``now_ms`` or later; None: nobody can say."""

    pool: str
    kind: str
    in_agreement: bool
    period: str
    waiting: int
    waiting_by_level: dict[str, int]
    oldest_since_ms: int | None
    offered: int
    accepted: int
    next_opening_ms: int | None
    members: tuple[MemberState, ...]
    queue: tuple[WaitingLead, ...]


def pool_state(
    view: View[PoolState], reference: AgreementReference, *, now_ms: int, listed: int = 10
) -> PoolStateNow:
    """The pool ``view.key`` at ``now_ms``; ``listed``: how many waiting leads are named."""
    pool_view = pool_view_of(reference, view.key, now=now_ms)
    head = view.head or PoolState(pool=view.key)
    loads = head.loads
    barred = {known.person: known.limit for known in head.barred}
    availability = Availability(pool_view, loads, reference, now_ms, barred)
    held = sorted(waiting_leads(view), key=lambda found: split_place(found[0])[1])
    levels = Counter(_level(lead) or "unknown" for _, lead in held)
    return PoolStateNow(
        pool=view.key,
        kind=pool_view.kind,
        in_agreement=not pool_view.gone,
        period=pool_view.period,
        waiting=len(held),
        waiting_by_level=dict(sorted(levels.items())),
        oldest_since_ms=min((lead.since_ms for _, lead in held), default=None),
        offered=sum(load.offered for load in loads.values()),
        accepted=sum(load.accepted for load in loads.values()),
        next_opening_ms=soonest(availability, ANYTHING),
        members=_members(pool_view, head, loads, availability),
        queue=tuple(_waiting(lead) for _, lead in held[:listed]),
    )


def open_work(view: View[PoolState]) -> tuple[int, int]:
    """How many open hand-offs and unanswered offers the pool has; both are counted, not read."""
    return view.count(WORK), view.count(OFFER)


def _members(
    pool_view: PoolView,
    head: PoolState,
    loads: Loads,
    availability: Availability,
) -> tuple[MemberState, ...]:
    books = {
        ledger.level: book_of(ledger)
        for ledger in head.ledgers
        if ledger.period == pool_view.period
    }
    # Who left the pool with open work is still shown: somebody has to end it.
    left = [
        PoolMember(person=person, weight=0, active=False)
        for person, load in sorted(loads.items())
        if load.total and pool_view.member(person) is None
    ]
    return tuple(
        _member(member, loads.get(member.person, Load(person=member.person)), availability, books)
        for member in (*pool_view.members, *left)
    )


def _member(
    member: PoolMember, load: Load, availability: Availability, books: dict[str, Book]
) -> MemberState:
    today, this_week = availability.handed(load)
    hindered = reason_for(member, availability, ANYTHING)
    gone = availability.pool_view.member(member.person) is None
    return MemberState(
        person=member.person,
        weight=member.weight,
        offered=load.offered,
        accepted=load.accepted,
        capacity=member.capacity,
        offers=member.offers,
        per_day=member.per_day,
        per_week=member.per_week,
        handed_today=today,
        handed_this_week=this_week,
        hindered="left_the_pool" if gone else hindered,
        free_at_ms=None if gone or hindered is None else availability.free_at(member),
        shares=tuple(_shares(member.person, books)),
    )


def _shares(person: str, books: dict[str, Book]) -> Iterator[LevelShare]:
    for level, book in sorted(books.items()):
        standing = book.standing(person)
        if standing.turns or standing.target:
            yield LevelShare(
                level=level, turns=standing.turns, fair=round(float(standing.target), 2)
            )


def waiting_leads(view: View[PoolState]) -> Iterator[tuple[str, PoolHeld]]:
    """Every lead that waits in the pool, with its place."""
    first = ""
    while found := view.scan(HELD, first=first, limit=_PAGE):
        yield from found
        first = found[-1][0] + "\0"


def _waiting(lead: PoolHeld) -> WaitingLead:
    qualified = lead.item.qualified
    return WaitingLead(
        lead_id=lead.item.lead_id,
        level=_level(lead),
        hand_raised=bool(qualified and qualified.hand_raised),
        since_ms=lead.since_ms,
        needs=lead.item.skills,
    )


def _level(lead: PoolHeld) -> str | None:
    return lead.item.qualified.level if lead.item.qualified else None
