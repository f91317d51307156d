"""How much each person of a pool has open over time: nobody has more than their capacity or more
unanswered offers than their limit, and nobody is taken to have more than they can have.

Pure. It counts by itself, from the routed records, the releases and the answers alone. What was
decided in one and the same millisecond has no order here, so counts are held against bounds that
are right for every order of it.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Sequence

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
    for decision in sorted(decisions, key=lambda each: each.at_ms):
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
    pool: str, decisions: Sequence[Decision], releases: Sequence[Release], add: Add
) -> None:
    """Nobody is taken to have more open than they were given here by then, less what was surely
    given back."""
    undone = {release.handoff_id for release in releases if release.undone}
    ended = {
        release.handoff_id: release.at_ms
        for release in reversed(releases)
        if release.handoff_id not in undone
    }
    given: dict[str, list[int]] = defaultdict(list)
    back: dict[str, list[int]] = defaultdict(list)
    for decision in decisions:
        given[decision.owner].append(decision.at_ms)
        if decision.handoff_id in ended:
            back[decision.owner].append(ended[decision.handoff_id])
    for times in (*given.values(), *back.values()):
        times.sort()
    for decision in decisions:
        for seat in decision.seats:
            most = (
                bisect_right(given[seat.person], decision.at_ms)
                - (seat.person == decision.owner)
                - bisect_left(back[seat.person], decision.at_ms)
            )
            if seat.load > max(0, most):
                words = f"{pool}: {seat.person} can have {most} open, the record counts {seat.load}"
                add(Finding(invariant=Invariant.LOADS, words=words, place=Place.of(decision.place)))


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
