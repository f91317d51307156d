"""A backtest for people: the same tables as text and as one HTML file without scripts. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape

from baton.agreement.quantities import duration_words
from baton.backtest.backtest import Backtest
from baton.backtest.compare import CELLS, Comparison, Precision
from baton.backtest.full_load_tables import Table, goals_table, promises_table
from baton.backtest.question import Question
from baton.backtest.replay_check import ReplayCheck

_HOUR_MS = 3_600_000
_TITLES = {
    "both": "both",
    "only_old": "only the old one",
    "only_new": "only the new one",
    "neither": "neither",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All that is shown. ``warnings`` come first."""

    title: str
    facts: Sequence[str]
    warnings: Sequence[str]
    tables: Sequence[Table]


def report_of(question: Question, answer: Backtest) -> Report:
    """The report on the new agreement against the old one."""
    found, check, sample = answer.comparison, answer.check, question.sample
    said = [
        f"from {_day(answer.since_ms)} until {_day(answer.until_ms)}, {answer.facts:,} facts"
        + ("" if sample >= 1 else f", a sample of {sample:.0%} of the accounts"),
        f"{found.units:,} accounts (or leads without one)"
        + (f", {found.later:,} of them again after a cycle that ended" if found.later else "")
        + f"; {found.warm_up:,} qualified before that",
    ]
    if check is not None and check.passed:
        said.append(
            f"the replay gives all {check.compared:,} qualifications of history "
            f"({check.pools:,} with their pool)"
            + (f", and {check.later:,} of later cycles" if check.later else "")
            + (
                f"; {check.adopted:,} that a new agreement made ready waited their turn, and are "
                "not compared"
                if check.adopted
                else ""
            )
        )
    return Report(
        title=f"Agreement {question.new.version[:12]} against {question.old.version[:12]}",
        facts=said,
        warnings=_warnings(found, check),
        tables=list(_tables(question, answer)),
    )


def _warnings(found: Comparison, check: ReplayCheck | None) -> list[str]:
    warnings = list(found.notes)
    if check is None:
        warnings.append("no history was given: the replay could not be checked against it")
    elif not check.passed:
        warnings.append(
            f"PARTIAL: the replay of the old agreement differs from history in "
            f"{len(check.leads):,} of {check.compared:,} qualifications"
        )
    return warnings


def text_lines(report: Report) -> Iterator[str]:
    """For the terminal."""
    yield report.title
    yield from report.facts
    for warning in report.warnings:
        yield f"! {warning}"
    for table in report.tables:
        yield ""
        yield table.title
        columns = list(zip(table.headings, *table.rows, strict=True))
        widths = [max(map(len, column)) for column in columns]
        for row in (table.headings, *table.rows):
            yield "  " + "  ".join(
                cell.ljust(width) if number == 0 else cell.rjust(width)
                for number, (cell, width) in enumerate(zip(row, widths, strict=True))
            )
        if table.note:
            yield f"  {table.note}"


def html_page(report: Report) -> str:
    """One file that needs nothing else; every text in it is escaped."""
    parts = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8">',
        f"<title>{escape(report.title)}</title><style>",
        "body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem}",
        "table{border-collapse:collapse;margin:.5rem 0}th,td{padding:.2rem .8rem;text-align:right;",
        "border-bottom:1px solid #ccc}th:first-child,td:first-child{text-align:left}",
        ".warning{border-left:.4rem solid #b00;padding-left:.8rem}</style></head><body>",
        f"<h1>{escape(report.title)}</h1>",
    ]
    parts += [f'<p class="warning">{escape(text)}</p>' for text in report.warnings]
    parts += [f"<p>{escape(text)}</p>" for text in report.facts]
    for table in report.tables:
        head = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in table.headings)
        rows = "".join(
            f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in table.rows
        )
        parts.append(f"<h2>{escape(table.title)}</h2>")
        parts.append(f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>")
        if table.note:
            parts.append(f"<p>{escape(table.note)}</p>")
    return "\n".join([*parts, "</body></html>\n"])


def _tables(question: Question, answer: Backtest) -> Iterator[Table]:
    found, check = answer.comparison, answer.check
    if check is not None and not check.passed:
        yield _differences_table(check)
    yield Table(
        title="Who would be handed over",
        headings=("accounts", "number"),
        rows=[(_TITLES[cell], f"{found.cells[cell]:,}") for cell in CELLS],
    )
    yield _shift_table(found)
    yield _outcome_table(found)
    yield _load_table(found)
    if answer.promises:
        yield promises_table(answer.promises, question.works_for_ms)
    if answer.goals:
        yield goals_table(answer.goals)
    yield Table(
        title="By month",
        headings=("month", "old", "new"),
        rows=[
            (month, f"{counted['old']:,}", f"{counted['new']:,}")
            for month, counted in found.months.items()
        ],
    )
    for dimension, values in found.by.items():
        yield _cells_table(dimension, values)


def _differences_table(check: ReplayCheck) -> Table:
    return Table(
        title="Where replay and history differ",
        headings=("lead", "what", "history", "replay"),
        rows=[
            (one.lead_id, one.what, _value(one.history), _value(one.replay)) for one in check.shown
        ],
    )


def _load_table(found: Comparison) -> Table:
    return Table(
        title="Load by pool",
        headings=("pool", "old", "new", "peak week old", "peak week new", "capacity"),
        rows=[
            (
                load.pool,
                f"{load.old:,}",
                f"{load.new:,}",
                str(load.peak_week_old),
                str(load.peak_week_new),
                "no limit" if load.capacity is None else f"{load.capacity:,}",
            )
            for load in found.loads
        ],
        note="capacity: leads that the pool's active people may hold at one time",
    )


def _cells_table(dimension: str, values: Mapping[str, Mapping[str, int]]) -> Table:
    return Table(
        title=f"By {dimension}",
        headings=(dimension, *(_TITLES[cell] for cell in CELLS[:3])),
        rows=[
            (value, *(f"{counted[cell]:,}" for cell in CELLS[:3]))
            for value, counted in values.items()
        ],
    )


def _shift_table(found: Comparison) -> Table:
    shift = found.shift
    moved = ", ".join(f"another {name}: {count:,}" for name, count in found.moved.items())
    return Table(
        title="Of those that both hand over",
        headings=("when", "number", "median"),
        rows=[
            ("earlier under the new one", f"{shift.earlier:,}", _span(shift.median_earlier_ms)),
            ("at the same moment", f"{shift.same:,}", ""),
            ("later under the new one", f"{shift.later:,}", _span(shift.median_later_ms)),
        ],
        note=moved,
    )


def _outcome_table(found: Comparison) -> Table:
    rows = [
        (_TITLES[one.cell], f"{one.units:,}", f"{one.reached:,}", _rate(one))
        for one in found.precision
    ]
    share = found.not_evaluable_share
    part = "" if share is None else f" ({share:.0%} of them)"
    rows.append(("only the new one", f"{found.cells['only_new']:,}", "", "not evaluable"))
    return Table(
        title=f"Outcomes of history: {found.outcome}",
        headings=("handed over by", "worked on", "reached", "rate, 95 % interval"),
        rows=rows,
        note=(
            f"{found.not_evaluable:,} that only the new one hands over were never worked on{part}: "
            "nobody can say what they would have come to"
        ),
    )


def _rate(one: Precision) -> str:
    if one.rate is None or one.low is None or one.high is None:
        return "too few for a rate"
    few = "" if one.firm else ", few"
    return f"{one.rate:.1%} ({one.low:.1%} - {one.high:.1%}{few})"


def _span(ms: int | None) -> str:
    if ms is None:
        return ""
    return duration_words(ms - ms % _HOUR_MS) if ms >= _HOUR_MS else "under an hour"


def _value(value: str | int | None) -> str:
    if isinstance(value, int):
        return datetime.fromtimestamp(value / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
    return value or "not qualified"


def _day(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d")
