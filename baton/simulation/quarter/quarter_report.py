"""The report of a quarter, as Markdown: what came in, what came of it, and whether it adds up.
Pure; the same quarter gives the same text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from baton.contracts.slas import ClockState
from baton.simulation.quarter.ninety_days import BEGINS_MS, DAYS, Quarter
from baton.simulation.quarter.quarter_sums import FURTHEST, fairness, sums
from baton.simulation.quarter.violation_causes import UNEXPLAINED, causes

_YES = (
    "Yes: every violation is explained by what was done and when, every goal has what the facts "
    "come to, and every lead that was handed out in turn went to somebody whose turn it was."
)


def problems(quarter: Quarter) -> list[str]:
    """What does not hold; empty where all does."""
    found = [
        f"{clock}: {count} violations are not explained"
        for (clock, cause), count in causes(quarter.history).items()
        if cause == UNEXPLAINED
    ]
    found += [
        f"{one.goal} {one.period}: {one.published} published, {one.counted} by the facts"
        for one in sums(quarter.history, quarter.then)
        if one.published != one.counted
    ]
    found += [
        f"{one.pool}: {one.unfair} leads out of turn, {float(one.furthest):.2f} leads from a share"
        for one in fairness(quarter.history)
        if one.unfair or one.furthest >= FURTHEST
    ]
    return found


def report(quarter: Quarter, *, leads: int, seed: int) -> str:
    """The whole text."""
    return "\n".join([*_head(quarter, leads, seed), *_parts(quarter), ""])


def _head(quarter: Quarter, leads: int, seed: int) -> Iterator[str]:
    begins = datetime.fromtimestamp(BEGINS_MS / 1000, UTC).date().isoformat()
    yield "# A simulated quarter"
    yield ""
    yield (
        f"{leads:,} visitors in {DAYS} days from {begins} on, twelve people in three regions with "
        f"their holidays and five absences, an agreement that changes half-way; seed {seed}. "
        f"{quarter.sent:,} lines came in, {quarter.history.counts.total():,} facts came out."
    )
    yield ""
    found = problems(quarter)
    yield "## Does it add up?"
    yield ""
    yield from [f"- {problem}" for problem in found] or [_YES]


def _parts(quarter: Quarter) -> Iterator[str]:
    history = quarter.history
    yield from _table("Leads", ("what", "how many"), _leads(quarter))
    yield from _table("Clocks", ("clock", "side", "ended as", "how many"), _clocks(quarter))
    rows = sorted((*key, f"{count:,}") for key, count in causes(history).items())
    yield from _table("Violations and their causes", ("promise", "cause", "how many"), rows)
    goals = [
        (one.goal, one.period, str(one.published), str(one.counted))
        for one in sums(history, quarter.then)
    ]
    yield from _table("Goals", ("goal", "period", "published", "by the facts"), goals)
    money = [
        (
            said.goal,
            said.period,
            str(said.achieved),
            f"{said.open_overdue:,}",
            f"{said.open_later:,}",
        )
        for _, said in sorted(history.progress.items())
        if said.metric == "coverage"
    ]
    titles = ("goal", "period", "covered, in %", "overdue beside it", "later beside it")
    yield from _table("Pipeline", titles, money)
    fair = [
        (one.pool, f"{one.turns:,}", str(one.unfair), f"{float(one.furthest):.2f}")
        for one in fairness(history)
    ]
    yield from _table(
        "Fair turns", ("pool", "turns", "out of turn", "furthest from a share, in leads"), fair
    )


def _leads(quarter: Quarter) -> Iterator[tuple[str, str]]:
    history = quarter.history
    events = Counter(staged.event for stages in history.stages.values() for staged in stages)
    yield "qualified", f"{len(history.qualified):,}"
    yield "handed to somebody", f"{len(history.routed):,}"
    for event, count in sorted(events.items()):
        yield f"moves: {event}", f"{count:,}"


def _clocks(quarter: Quarter) -> Iterator[tuple[str, ...]]:
    ends = Counter(
        (clocks[-1].clock, clocks[-1].side, clocks[-1].state)
        for clocks in quarter.history.clocks.values()
    )
    order = list(ClockState)
    for clock, side, state in sorted(
        ends, key=lambda key: (key[0], order.index(ClockState(key[2])))
    ):
        yield clock, side, state, f"{ends[clock, side, state]:,}"


def _table(title: str, heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield from ("", f"## {title}", "", f"| {' | '.join(heads)} |", "|---" * len(heads) + "|")
    for row in rows:
        yield f"| {' | '.join(row)} |"
