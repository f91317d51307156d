"""Limits of a person over all pools: counted over every pool, from what the router answered and
what became of it.

Pure. Two halves: what a lead's records say of whom it was given to, and what one person was given.
An answer has the time at which it was appended, which is in the order in which the leads of a
person were let through; an end has the earliest time that it can have. So what is counted as open
surely was.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from typing import NamedTuple

from baton.agreement.compiled.pools import Limits
from baton.agreement.reference import AgreementBook
from baton.agreement.wall_time import local_date, zone_named
from baton.contracts.routing import LeadRouted, QueueItem, RequestKind, UnroutedOutcome
from baton.contracts.streams import RoutingAnswer
from baton.proof.audit.findings import Add, Dated, Finding, Invariant, Place
from baton.proof.audit.pools import NO_FAULT
from baton.proof.audit.turns import by_turn


class Given(NamedTuple):
    """A lead was given to a person, whether or not they read it.

    ``at_ms``: when the answer was appended; ``handed_ms``: when the pool chose them.
    ``answered_ms`` and ``ended_ms``: from when on it may be no unanswered offer, or nothing of
    theirs at all (None: never). ``taken_back``: it may count in no day and no week.
    """

    at_ms: int
    place: tuple[str, int, int]
    handed_ms: int
    in_turn: bool
    answered_ms: int | None = None
    ended_ms: int | None = None
    taken_back: bool = False


# ---------------------------------------------------------------------- what a lead's records say


class _End(NamedTuple):
    """What became of a hand-off at ``at_ms``. ``item`` None: it may not be handed out any more."""

    at_ms: int
    item: QueueItem | None

    @property
    def releases(self) -> bool:
        return self.item is None or self.item.kind == RequestKind.RELEASE

    @property
    def answers(self) -> bool:
        return self.item is None or self.item.kind in (RequestKind.RELEASE, RequestKind.ACCEPTED)

    def is_of_another_than(self, owner: str) -> bool:
        """Whether somebody else has it from then on."""
        moved = self.item is not None and self.item.kind in _HELD_BY
        return moved and self.item is not None and self.item.person not in (None, owner)

    @property
    def takes_back(self) -> bool:
        return self.releases and (self.item is None or self.item.fault == NO_FAULT)


_HELD_BY = frozenset({RequestKind.ACCEPTED, RequestKind.OFFERED})


def given_of(records: Iterable[Dated]) -> Iterator[tuple[str, Given]]:
    """To whom a lead was given, from all of its records: each hand-off once."""
    ends: dict[str, list[_End]] = defaultdict(list)
    first: dict[str, tuple[Dated, LeadRouted]] = {}
    for record in records:
        match record.value:
            case QueueItem() as item:
                ends[item.handoff_id].append(_End(record.at_ms, item))
            case RoutingAnswer(routed=LeadRouted() as routed):
                first.setdefault(routed.handoff_id, (record, routed))
            case RoutingAnswer(unrouted=answer) if answer is not None:
                if answer.outcome == UnroutedOutcome.SUPPRESSED:
                    ends[answer.handoff_id].append(_End(answer.at_ms, None))
    for handoff_id, (record, routed) in first.items():
        yield routed.owner, _given(record, routed, ends[handoff_id])


def _given(record: Dated, routed: LeadRouted, ends: Sequence[_End]) -> Given:
    gone = [end.at_ms for end in ends if end.releases or end.is_of_another_than(routed.owner)]
    answered = [end.at_ms for end in ends if end.answers]
    return Given(
        at_ms=record.at_ms,
        place=(record.place.topic, record.place.partition, record.place.offset),
        handed_ms=routed.routed_at_ms,
        in_turn=by_turn(routed.rule),
        answered_ms=min([*answered, *gone], default=None),
        ended_ms=min(gone, default=None),
        taken_back=any(end.takes_back for end in ends),
    )


# ---------------------------------------------------------------------- what was agreed


class Agreed:
    """The limits and days of the agreements that were in force."""

    def __init__(self, book: AgreementBook) -> None:
        self._book = book
        self._shared: dict[str, bool] = {}

    def shared(self, person: str) -> bool:
        """Whether they had limits over several pools at any time."""
        if person not in self._shared:
            moments = (term.from_ms for term in self._book.terms())
            self._shared[person] = any(self._limits_at(at_ms, person) for at_ms in moments)
        return self._shared[person]

    def limits(self, person: str, from_ms: int, until_ms: int) -> Limits | None:
        """Of each limit the largest that held at any time between the two; None: at some time there
        were none over several pools."""
        terms = [term.from_ms for term in self._book.terms() if from_ms <= term.from_ms <= until_ms]
        most: Limits | None = None
        for moment in (from_ms - 1, from_ms, *terms, until_ms):
            found = self._limits_at(moment, person)
            if found is None:
                return None
            most = found if most is None else _larger(most, found)
        return most

    def day(self, at_ms: int) -> tuple[str, str]:
        """The day of a moment, and the Monday of its week."""
        reference = self._book.at(at_ms)
        zone = zone_named(reference.agreement.timezone if reference is not None else "UTC")
        day = local_date(at_ms, zone)
        return day.isoformat(), (day - timedelta(days=day.weekday())).isoformat()

    def _limits_at(self, at_ms: int, person: str) -> Limits | None:
        reference = self._book.at(at_ms)
        rule = reference.agreement.people.get(person) if reference is not None else None
        return rule.limits if rule is not None and rule.shared else None


def _larger(one: Limits, other: Limits) -> Limits:
    pairs = zip(_values(one), _values(other), strict=True)
    capacity, offers, per_day, per_week = (
        None if mine is None or theirs is None else max(mine, theirs) for mine, theirs in pairs
    )
    return Limits(capacity=capacity, offers=offers, per_day=per_day, per_week=per_week)


def _by_time(limits: Limits) -> bool:
    return limits.per_day is not None or limits.per_week is not None


def _values(limits: Limits) -> tuple[int | None, ...]:
    return limits.capacity, limits.offers, limits.per_day, limits.per_week


# ---------------------------------------------------------------------- what one person was given


_WEEK_AND_A_DAY_MS = 8 * 24 * 3_600_000


def check_person(person: str, given: Sequence[Given], agreed: Agreed, add: Add) -> None:
    """Whoever is given a lead by turn has less than their limits over all pools allow."""
    opened, offered = _Spans(), _Spans()
    handed: list[tuple[int, str]] = []
    for one in sorted(given):
        opened.add(one.at_ms, one.ended_ms)
        offered.add(one.at_ms, one.answered_ms)
        # Only what is handed out while there is a limit by day or week is counted for one.
        then = agreed.limits(person, one.handed_ms, one.handed_ms)
        if not one.taken_back and then is not None and _by_time(then):
            handed.append((one.at_ms, agreed.day(one.handed_ms)[0]))
    for one in given:
        limits = agreed.limits(person, one.handed_ms, one.at_ms) if one.in_turn else None
        if limits is None or (one.ended_ms is not None and one.ended_ms <= one.at_ms):
            continue
        day, monday = agreed.day(one.handed_ms)
        first = bisect_left(handed, (one.at_ms - _WEEK_AND_A_DAY_MS,))
        before = [on for _, on in handed[first : bisect_left(handed, (one.at_ms,))]]
        table = (
            ("open", opened.at(one.at_ms), limits.capacity),
            ("unanswered", offered.at(one.at_ms), limits.offers),
            ("handed out on that day", before.count(day), limits.per_day),
            ("handed out in that week", sum(monday <= on <= day for on in before), limits.per_week),
        )
        for what, has, limit in table:
            if limit is not None and has >= limit:
                words = f"{person} had {has} {what} of {limit} over all pools and was given another"
                place = Place.of(one.place)
                add(Finding(invariant=Invariant.PERSON_LIMITS, words=words, place=place))


class _Spans:
    """Counts how many spans are open at a moment; they come in the order in which they begin."""

    def __init__(self) -> None:
        self._begins: list[int] = []
        self._ends: list[int] = []

    def add(self, from_ms: int, until_ms: int | None) -> None:
        """One that ended before it began never was."""
        if until_ms is None or until_ms > from_ms:
            self._begins.append(from_ms)
        if until_ms is not None and until_ms > from_ms:
            self._ends.append(until_ms)

    def at(self, at_ms: int) -> int:
        """Those that began before and have not ended by then."""
        self._ends.sort()
        return bisect_left(self._begins, at_ms) - bisect_right(self._ends, at_ms)
