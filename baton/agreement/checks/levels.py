"""Levels: thresholds in order, a matrix without holes that never falls as a lead gets better,
levels that can be reached."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Literal

from baton.agreement.checks.context import CheckContext, Finding, odd, quoted, wrong
from baton.agreement.compiled.levels import LEVELS, RANK
from baton.agreement.model.definitions import BandModel, LevelsModel
from baton.agreement.problems import Path, did_you_mean
from baton.agreement.quantities import points_words

_BASE: Path = ("definitions", "levels")


def check(context: CheckContext) -> Iterator[Finding]:
    """The thresholds and the matrix."""
    levels = context.model.definitions.levels
    yield from _bands(levels, "fit")
    yield from _bands(levels, "engagement")
    holes = list(_holes(levels))
    yield from holes
    yield from _monotone(levels)
    if not holes:
        yield from _missing_levels(levels)


def _bands(levels: LevelsModel, which: Literal["fit", "engagement"]) -> Iterator[Finding]:
    ordered = levels.best_first(which)
    for name, band in ordered:
        if band.leaves > band.enter:
            yield wrong(
                (*_BASE, which, name, "exit"),
                f"{which} band {name} would be left below {points_words(band.leaves)} but is "
                "entered at "
                f"{points_words(band.enter)}: the exit must not be above the enter threshold",
            )
    yield from _order(ordered, which)
    lowest, band = ordered[-1]
    if band.enter != 0:
        yield wrong(
            (*_BASE, which, lowest, "enter"),
            f"the lowest {which} band ({lowest}) begins at {points_words(band.enter)}: it must "
            "begin at 0, "
            "or a lead without points is in no band",
        )


def _order(ordered: tuple[tuple[str, BandModel], ...], which: str) -> Iterator[Finding]:
    for (better, upper), (worse, lower) in pairwise(ordered):
        if upper.enter == lower.enter:
            message = (
                f"{which} bands {better} and {worse} both begin at {points_words(upper.enter)}: "
                "one of them is never entered"
            )
            yield wrong((*_BASE, which, better, "enter"), message)
        elif upper.leaves < lower.leaves:
            yield wrong(
                (*_BASE, which, better, "exit"),
                f"{which} band {better} is left below {points_words(upper.leaves)}, later than "
                f"band {worse} below it "
                f"({points_words(lower.leaves)}): exits must keep the order of the bands",
            )


def _holes(levels: LevelsModel) -> Iterator[Finding]:
    path = (*_BASE, "matrix")
    for row in levels.matrix:
        if row not in levels.fit:
            yield wrong(
                (*path, row),
                f'the matrix has a row "{row}", but there is no such fit '
                f"band{did_you_mean(row, levels.fit)}",
            )
    for row in levels.fit:
        if row not in levels.matrix:
            yield wrong(path, f'the matrix lacks a row for fit band "{row}"')
            continue
        cells = levels.matrix[row]
        missing = [level for level in levels.engagement if level not in cells]
        if missing:
            yield wrong(
                (*path, row), f"row {row} of the matrix lacks engagement band {quoted(missing)}"
            )
        for cell in cells:
            if cell not in levels.engagement:
                yield wrong(
                    (*path, row, cell),
                    f'there is no engagement band "{cell}"{did_you_mean(cell, levels.engagement)}',
                )


def _monotone(levels: LevelsModel) -> Iterator[Finding]:
    rows = [name for name, _ in levels.best_first("fit")]
    columns = [name for name, _ in levels.best_first("engagement")]
    cells = {
        (row, column): level
        for row, cell in levels.matrix.items()
        for column, level in cell.items()
    }
    for row in rows:
        for better, worse in pairwise(columns):
            high, low = cells.get((row, better)), cells.get((row, worse))
            if high and low and RANK[high] < RANK[low]:
                message = (
                    f"{row}{better} is {high} but {row}{worse} is {low}: more engagement must not "
                    "lower the level"
                )
                yield wrong((*_BASE, "matrix", row, better), message)
    for better, worse in pairwise(rows):
        for column in columns:
            high, low = cells.get((better, column)), cells.get((worse, column))
            if high and low and RANK[high] < RANK[low]:
                message = (
                    f"{better}{column} is {high} but {worse}{column} is {low}: a better fit must "
                    "not lower the level"
                )
                yield wrong((*_BASE, "matrix", better, column), message)


def _missing_levels(levels: LevelsModel) -> Iterator[Finding]:
    used = {level for row in levels.matrix.values() for level in row.values()}
    above = [level for level in LEVELS[1:] if level in used]
    if not above:
        yield wrong(
            (*_BASE, "matrix"),
            "no cell is warm or hot: only fast-track acts would ever make an MQL",
        )
        return
    for level in LEVELS[1:]:
        if level not in used:
            yield odd((*_BASE, "matrix"), f"no cell is {level}: the level cannot be reached")
