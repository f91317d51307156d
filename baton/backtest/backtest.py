"""One backtest from its question to its answer: replay, check against history, comparison."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import TypedDict

from baton.agreement.compiled.agreement import CompiledAgreement
from baton.agreement.wall_time import zone_named
from baton.backtest.backtest_run import Progress, Replayed, replay_both, warm_up_ms
from baton.backtest.compare import Comparison, compare, units_of
from baton.backtest.goal_outlook import GoalOutlook, goal_outlooks
from baton.backtest.history import History
from baton.backtest.promises_at_load import PoolPromises, promises_at_load
from baton.backtest.question import Question
from baton.backtest.raw_facts import RawFact
from baton.backtest.replay_check import ReplayCheck, replay_check
from baton.backtest.replayed_facts import facts_of_ends


class HistoryDiffers(RuntimeError):
    """The replay of the old agreement does not give history; :attr:`check` says where."""

    def __init__(self, check: ReplayCheck) -> None:
        super().__init__(
            f"the agreement in force, replayed, differs from history in {len(check.leads):,} of "
            f"{check.compared:,} qualifications, so a comparison would be of two fictions; see "
            "where above, and go on all the same with --partial"
        )
        self.check = check


@dataclass(frozen=True, slots=True, kw_only=True)
class Backtest:
    """The answer. ``check`` None: there was no history. ``promises``: those to accept, at the load
    that either agreement brings; empty for a sample, whose load is not everybody's."""

    comparison: Comparison
    check: ReplayCheck | None
    since_ms: int
    until_ms: int
    facts: int
    promises: tuple[PoolPromises, ...] = ()
    goals: tuple[GoalOutlook, ...] = ()


def backtest(
    question: Question,
    facts: Callable[[], Iterable[RawFact]],
    history: History | None,
    folder: Path,
    *,
    workers: int = 2,
    progress: Progress = lambda doing, done, total: None,
) -> Backtest:
    """Try the new agreement on ``facts``; raises :class:`HistoryDiffers`."""
    replayed = replay_both(
        question,
        lambda: chain(facts(), facts_of_ends(history)),
        folder,
        workers=workers,
        progress=progress,
    )
    return judged(replace(question, until_ms=replayed.until_ms), replayed, history)


def judged(question: Question, replayed: Replayed, history: History | None) -> Backtest:
    """Check the replay against history and compare; raises :class:`HistoryDiffers`."""
    old, new = question.old, question.new
    warm = warm_up_ms(old, new)
    known_since = replayed.began_ms + warm
    since_ms = question.since_ms
    if since_ms is None:
        since_ms = known_since if known_since < question.until_ms else replayed.began_ms
    check = None if history is None else _checked(question, replayed, history, since_ms)
    if check is not None and check.left_out:
        replayed = _without(replayed, check.left_out)
    found = compare(
        units_of(replayed.accounts, replayed.old, replayed.new),
        since_ms=since_ms,
        zone=zone_named(new.timezone),
        capacities={**_capacities(old), **_capacities(new)},
        history=history,
        outcome=question.outcome,
    )
    return Backtest(
        comparison=replace(
            found, notes=tuple(_notes(check, history, known_since - since_ms, warm))
        ),
        check=check,
        since_ms=since_ms,
        until_ms=question.until_ms,
        facts=replayed.facts,
        **_at_full_load(question, replayed, history, since_ms),
    )


def _without(replayed: Replayed, left_out: frozenset[str]) -> Replayed:
    """What is compared: without these cycles, under both."""
    old, new = (
        {key: one for key, one in side.items() if key not in left_out}
        for side in (replayed.old, replayed.new)
    )
    return replace(replayed, old=old, new=new)


def _notes(
    check: ReplayCheck | None,
    history: History | None,
    missing_ms: int,
    warm_ms: int,
) -> Iterator[str]:
    """What is not known, in words. ``missing_ms``: so much of the warm-up lies before the facts."""
    if missing_ms > 0:
        days = -(-missing_ms // 86_400_000)
        yield (
            f"acts count for up to {warm_ms // 86_400_000} days, and the facts begin {days} days "
            "too late for that: early qualifications may be missing under both"
        )
    if check is not None and check.left_out:
        yield (
            f"{len(check.left_out):,} qualifications of later cycles are left out: the replay does "
            "not give them as history has them"
        )
    if history is not None and history.unfollowed:
        yield (
            f"of {history.unfollowed:,} further qualifications of customers and merged leads "
            "nothing is said"
        )


class _FullLoad(TypedDict):
    promises: tuple[PoolPromises, ...]
    goals: tuple[GoalOutlook, ...]


def _at_full_load(
    question: Question, replayed: Replayed, history: History | None, since_ms: int
) -> _FullLoad:
    """What only all leads together say."""
    if question.sample < 1:
        return {"promises": (), "goals": ()}
    old, new = (
        {name: one for name, one in leads.items() if since_ms <= one.at_ms < question.until_ms}
        for leads in (replayed.old, replayed.new)
    )
    promises = promises_at_load(
        (question.old, old.values()),
        (question.new, new.values()),
        works_for_ms=question.works_for_ms,
        history=history,
    )
    goals = goal_outlooks(
        question.new, old, new, history=history, since_ms=since_ms, until_ms=question.until_ms
    )
    return {"promises": promises, "goals": goals}


def _checked(
    question: Question, replayed: Replayed, history: History, since_ms: int
) -> ReplayCheck:
    check = replay_check(
        replayed.old,
        history,
        since_ms=since_ms,
        until_ms=question.until_ms,
        settle_ms=question.old.lifecycle.settle_ms,
        inside=frozenset(replayed.accounts),
    )
    if not check.passed and not question.partial:
        raise HistoryDiffers(check)
    return check


def _capacities(agreement: CompiledAgreement) -> dict[str, int | None]:
    """What the active people of a pool may hold at one time; None: somebody has no limit."""
    found: dict[str, int | None] = {}
    for name, pool in agreement.pools.items():
        limits = [
            member.capacity
            for member in pool.members
            if member.person in agreement.people and agreement.people[member.person].active
        ]
        known = [limit for limit in limits if limit is not None]
        found[name] = sum(known) if len(known) == len(limits) else None
    return found
