"""How much each person of a pool has open over time: nobody has more than their capacity or more
unanswered offers than their limit, and nobody is taken to have more than they can have.

Pure. It counts by itself, from the routed records, the releases and the answers alone. What was
decided in one and the same millisecond has no order here, so counts are held against bounds that
are right for every order of it.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from baton.proof.audit.findings import Add, Finding, Invariant, Place
from baton.proof.audit.pools import Answer, Decision, Release


def check_capacity(decisions: Sequence[Decision], releases: Sequence[Release], add: Add) -> None:
    """Whoever is given a lead by turn has less open than their capacity, counting what was surely
    given and not surely given back."""
    ended = {
        release.handoff_id: release.at_ms for release in reversed(releases) if not release.undone
    }
    starts: dict[str, list[int]] = defaultdict(list)
    ends: dict[str, list[int]] = defaultdict(list)
    for decision in sorted(decisions, key=lambda decision: decision.at_ms):
        starts[decision.owner].append(decision.at_ms)
        if decision.handoff_id in ended:
            ends[decision.owner].append(ended[decision.handoff_id])
    for times in ends.values():
        times.sort()
    for decision in decisions:
        if decision.capacity is None:
            continue
        has_open = bisect_left(starts[decision.owner], decision.at_ms) - bisect_right(
            ends[decision.owner], decision.at_ms
        )
        if has_open >= decision.capacity:
            words = (
                f"{decision.owner} had {has_open} open of {decision.capacity} and was given another"
            )
            add(Finding(invariant=Invariant.CAPACITY, words=words, place=Place.of(decision.place)))


def check_loads(
    pool: str,
    decisions: Sequence[Decision],
    releases: Sequence[Release],
    answers: Sequence[Answer],
    add: Add,
) -> None:
    """Nobody is taken to have more open than they can have had by then: what they were given here
    or have accepted, less what was surely given back and stayed so."""
    begins: dict[str, list[int]] = defaultdict(list)
    ends: dict[str, list[int]] = defaultdict(list)
    for span in _spans(decisions, releases, answers):
        begins[span.person].append(span.from_ms)
        ends[span.person].append(span.until_ms)
    for times in (*begins.values(), *ends.values()):
        times.sort()
    for decision in decisions:
        for seat in decision.seats:
            most = (
                bisect_right(begins[seat.person], decision.at_ms)
                - (seat.person == decision.owner)
                - bisect_left(ends[seat.person], decision.at_ms)
            )
            if seat.load > max(0, most):
                words = f"{pool}: {seat.person} can have {most} open, the record counts {seat.load}"
                add(Finding(invariant=Invariant.LOADS, words=words, place=Place.of(decision.place)))


_FOR_GOOD = 1 << 62


class _Span(NamedTuple):
    """A hand-off can be on the load of ``person`` from ``from_ms`` until ``until_ms``."""

    person: str
    from_ms: int
    until_ms: int


def _spans(
    decisions: Sequence[Decision], releases: Sequence[Release], answers: Sequence[Answer]
) -> Iterator[_Span]:
    """All spans; those of one hand-off and one person do not overlap.

    A decision's ends with the first release. A hand-off that is accepted, or stands again, is open
    from then on, whether it was released before or not, until a release that is surely later.
    """
    back: dict[str, list[int]] = defaultdict(list)
    for release in releases:
        if not release.undone:
            back[release.handoff_id].append(release.at_ms)
    for times in back.values():
        times.sort()
    owners = {decision.handoff_id: decision.owner for decision in decisions}
    found: dict[tuple[str, str], list[_Span]] = defaultdict(list)
    for decision in decisions:
        until_ms = next(iter(back[decision.handoff_id]), _FOR_GOOD)
        span = _Span(decision.owner, decision.at_ms, until_ms)
        found[decision.handoff_id, decision.owner].append(span)
    again: list[Answer | Release] = [*answers, *(row for row in releases if row.undone)]
    for row in again:
        person = row.person or owners.get(row.handoff_id)
        if person is not None:
            later = (at_ms for at_ms in back[row.handoff_id] if at_ms > row.at_ms)
            span = _Span(person, row.at_ms, next(later, _FOR_GOOD))
            found[row.handoff_id, person].append(span)
    for spans in found.values():
        yield from _joined(spans)


def _joined(spans: list[_Span]) -> Iterator[_Span]:
    """The spans of one hand-off and one person, as few as they come to."""
    first, *others = sorted(spans)
    for span in others:
        if span.from_ms <= first.until_ms:
            first = first._replace(until_ms=max(first.until_ms, span.until_ms))
        else:
            yield first
            first = span
    yield first


def check_offers(
    decisions: Sequence[Decision],
    releases: Sequence[Release],
    answers: Sequence[Answer],
    *,
    limit_of: Callable[[int, str], int | None],
    add: Add,
) -> None:
    """Whoever is given a lead by turn has fewer unanswered offers than the limit (``limit_of``:
    when, whom), counting what was surely offered and surely neither answered nor given back."""
    done: dict[str, int] = {}
    rows: list[Release | Answer] = [*releases, *answers]
    for at_ms, handoff_id in [(row.at_ms, row.handoff_id) for row in rows]:
        done[handoff_id] = min(at_ms, done.get(handoff_id, at_ms))
    offered: dict[str, list[Decision]] = defaultdict(list)
    for decision in sorted(decisions, key=lambda decision: decision.at_ms):
        limit = limit_of(decision.at_ms, decision.owner) if decision.in_turn else None
        mine = offered[decision.owner]
        mine[:] = [
            other
            for other in mine
            if done.get(other.handoff_id, decision.at_ms + 1) > decision.at_ms
        ]
        unanswered = sum(other.at_ms < decision.at_ms for other in mine)
        if limit is not None and unanswered >= limit:
            words = (
                f"{decision.owner} had {unanswered} unanswered offers of {limit} and was given "
                "another"
            )
            add(Finding(invariant=Invariant.OFFERS, words=words, place=Place.of(decision.place)))
        mine.append(decision)
