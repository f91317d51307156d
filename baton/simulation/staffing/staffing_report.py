"""A played quarter for people: tables whose figures are means over the seeds, with the least and
the most. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from baton.agreement.quantities import duration_words
from baton.simulation.staffing.headcount import Headcount
from baton.simulation.staffing.outcome import Outcome, Spread, spread

_MINUTE_MS = 60_000
_FEW_SEEDS = 3
Table = tuple[str, Sequence[str], list[Sequence[str]]]
"""Title, headings, rows."""
Figure = Callable[[Outcome], float | None]


def tables_of(outcomes: Sequence[Outcome], within_ms: int) -> Iterator[Table]:
    """All tables of the quarters that were played."""
    yield (
        "Leads",
        ("what", "number"),
        [
            ("became ready", _number(outcomes, lambda one: one.qualified)),
            ("handed to somebody", _number(outcomes, lambda one: one.handed)),
        ],
    )
    limit = f"within {duration_words(within_ms)}"
    yield (
        "Waiting for an answer, in the pool's open hours",
        ("pool", "people", "leads", "half of them", "nine in ten", limit),
        [_pool_row(outcomes, name, within_ms) for name in outcomes[0].pools],
    )
    yield (
        "Promises",
        ("clock", "due", "broken"),
        [
            (clock, _number(outcomes, _due(clock)), _percent(outcomes, _broken(clock)))
            for clock in sorted({clock for one in outcomes for clock in one.promises})
        ],
    )
    yield (
        "Load",
        ("person", "leads", "of their open hours"),
        [
            (person, _number(outcomes, _leads(person)), _percent(outcomes, _busy(person)))
            for person in outcomes[0].busy
        ],
    )
    yield (
        "Fair turns",
        ("pool", "turns", "out of turn", "furthest from a share, in leads"),
        [_fair_row(outcomes, name) for name in outcomes[0].pools],
    )


def report_lines(outcomes: Sequence[Outcome], within_ms: int) -> Iterator[str]:
    """The tables as text, and how to read them."""
    seeds = len(outcomes)
    yield f"{seeds} quarter{'' if seeds == 1 else 's'} played; mean (least - most over the seeds)"
    if seeds < _FEW_SEEDS:
        yield f"! {seeds} is too few to see how far chance goes: --seeds {_FEW_SEEDS} or more"
    for title, headings, rows in tables_of(outcomes, within_ms):
        yield ""
        yield title
        columns = list(zip(headings, *rows, strict=True))
        widths = [max(map(len, column)) for column in columns]
        for row in (headings, *rows):
            cells = zip(row, widths, strict=True)
            first, width = next(cells)
            yield "  " + "  ".join(
                [first.ljust(width), *(cell.rjust(width) for cell, width in cells)]
            )
    yield ""
    yield "What was put in is assumed; people who follow up later than the file says wait longer."


def headcount_lines(found: Headcount) -> Iterator[str]:
    """The answer to "how many people", and what was tried."""
    wanted = f"{found.share:.0%} of its leads within {duration_words(found.within_ms)}"
    if found.needed is None:
        yield (
            f"{found.pool}: no number of people up to {found.tried[-1].people} answers {wanted} "
            "of open hours: it is habits, hours or limits that keep them waiting"
        )
    else:
        people = "person" if found.needed == 1 else "people"
        yield f"{found.pool}: {found.needed} {people} answer {wanted} of open hours, whatever seed"
    for one in found.tried:
        share = "no leads" if one.within is None else _spread(one.within, _as_percent)
        busy = "" if one.busy is None else f"; busy {_spread(one.busy, _as_percent)}"
        yield f"  {one.people}: {share} in time{busy}"


def _pool_row(outcomes: Sequence[Outcome], name: str, within_ms: int) -> Sequence[str]:
    return (
        name,
        str(outcomes[0].pools[name].members),
        _number(outcomes, lambda one: len(one.pools[name].waits)),
        _time(outcomes, lambda one: one.pools[name].quantile_ms(0.5)),
        _time(outcomes, lambda one: one.pools[name].quantile_ms(0.9)),
        _percent(outcomes, lambda one: one.pools[name].within(within_ms)),
    )


def _fair_row(outcomes: Sequence[Outcome], name: str) -> Sequence[str]:
    return (
        name,
        _number(outcomes, lambda one: one.pools[name].turns),
        _number(outcomes, lambda one: one.pools[name].unfair),
        _shown(outcomes, lambda one: one.pools[name].furthest, lambda value: f"{value:.2f}"),
    )


def _due(clock: str) -> Figure:
    return lambda one: one.promises.get(clock, (0, 0))[0]


def _broken(clock: str) -> Figure:
    def share(one: Outcome) -> float | None:
        due, kept = one.promises.get(clock, (0, 0))
        return 1 - kept / due if due else None

    return share


def _leads(person: str) -> Figure:
    return lambda one: one.leads.get(person, 0)


def _busy(person: str) -> Figure:
    return lambda one: one.busy.get(person)


def _number(outcomes: Sequence[Outcome], figure: Figure) -> str:
    return _shown(outcomes, figure, lambda value: f"{value:,.0f}")


def _percent(outcomes: Sequence[Outcome], figure: Figure) -> str:
    return _shown(outcomes, figure, _as_percent)


def _time(outcomes: Sequence[Outcome], figure: Figure) -> str:
    """Where one of the seeds did not come so far, no mean can be said."""
    if any(figure(one) is None and one.qualified for one in outcomes):
        return "not reached"
    return _shown(outcomes, figure, _as_time)


def _shown(outcomes: Sequence[Outcome], figure: Figure, words: Callable[[float], str]) -> str:
    found = spread(figure(one) for one in outcomes)
    return "" if found is None else _spread(found, words)


def _spread(found: Spread, words: Callable[[float], str]) -> str:
    if found.low == found.high:
        return words(found.mean)
    return f"{words(found.mean)} ({words(found.low)} - {words(found.high)})"


def _as_percent(value: float) -> str:
    return f"{value:.1%}"


def _as_time(value: float) -> str:
    minutes = round(value / _MINUTE_MS)
    return f"{minutes // 60}:{minutes % 60:02} h"
