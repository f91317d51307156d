"""``baton backtest``: what a changed agreement would have done to the leads there were."""

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

import typer
from rich.console import Console

from baton.agreement.canonical import compiled_of
from baton.agreement.quantities import parse_duration_ms
from baton.agreement.source.read import read_agreement
from baton.backtest.backtest import Backtest, HistoryDiffers, backtest
from baton.backtest.history import (
    OUTCOMES,
)
from baton.backtest.question import Question
from baton.backtest.replay_check import ReplayCheck
from baton.backtest.report import html_page, report_of, text_lines
from baton.cli.moments import written
from baton.cli.patience import patience
from baton.cli.replay_folder import clear_given_up
from baton.cli.replay_source import Source, since_ms, source_of_cluster, source_of_file
from baton.cli.trial_document import trial_document
from baton.derived_ids import derived_id
from baton.settings import load_settings

app = typer.Typer(add_completion=False)

_SINCE = typer.Option(
    None, "--since", help="Qualifications from then on: an ISO time, 90d or 1y ago."
)
_SAMPLE = typer.Option("100%", "--sample", help="Share of the accounts, by their hash.")
_EVENTS = typer.Option(
    None, "--events", exists=True, dir_okay=False, help="Event lines instead of the cluster."
)
_OLD = typer.Option(
    None, "--old", exists=True, dir_okay=False, help="With --events: what was in force."
)
_HISTORY = typer.Option(
    None, "--history", exists=True, dir_okay=False, help="With --events: the public facts."
)
_WORKS_FOR = typer.Option(
    "30m", "--works-for", help="Assumed work on one lead, for promises at that load."
)
_PARTIAL = typer.Option(
    False, "--partial", help="Go on where the replay differs from history; marked so."
)


@app.command(
    no_args_is_help=True,
    epilog="Examples:  baton backtest new.yaml --since 1y        baton backtest new.yaml --old "
    "old.yaml --events events.jsonl --history facts.jsonl --html report.html   where facts.jsonl "
    "is from: baton simulate -a old.yaml -e events.jsonl --json",
)
def backtest_(
    new: Path = typer.Argument(..., exists=True, dir_okay=False, help="The agreement to try."),
    since: str = _SINCE,
    sample: str = _SAMPLE,
    events: Path = _EVENTS,
    old: Path = _OLD,
    history: Path = _HISTORY,
    outcome: str = typer.Option("opportunity", "--outcome", help=f"{', '.join(OUTCOMES)}."),
    partial: bool = _PARTIAL,
    works_for: str = _WORKS_FOR,
    as_json: bool = typer.Option(False, "--json", help="One JSON document on standard output."),
    html: Path = typer.Option(None, "--html", dir_okay=False, help="Write the report there too."),
) -> None:
    """Replay the agreement in force and the new one over the same facts, and compare: who would be
    handed over, when, to which pool, against history's outcomes.

    First the old one must give history's own qualifications, or it says where not and stops. Acts
    of people are joined, never replayed; what only the new one hands over is not evaluable. An
    interrupted run goes on when it is asked for again.
    """
    if outcome not in OUTCOMES:
        raise typer.BadParameter(f"one of {', '.join(OUTCOMES)}", param_hint="--outcome")
    share, agreement = _share(sample), compiled_of(read_agreement(new))
    source = source_of_file(events, old, history) if events else source_of_cluster()
    question = Question(
        old=source.old,
        new=agreement,
        since_ms=since_ms(since),
        until_ms=source.until_ms,
        sample=share,
        outcome=outcome,
        partial=partial,
        works_for_ms=_works_for_ms(works_for),
        records=source.records,
    )
    _show(question, _run(question, source), html, as_json)


def _show(question: Question, found: Backtest, html: Path | None, as_json: bool) -> None:
    report = report_of(question, found)
    if html is not None:
        html.write_text(html_page(report), encoding="utf-8")
    if as_json:
        trial = trial_document(
            "backtest",
            question.new.version,
            (report.title, *report.facts),
            warnings=report.warnings,
            tables=report.tables,
        )
        typer.echo(json.dumps(_document(question, found) | {"trial": trial}))
        return
    for line in text_lines(report):
        Console().print(line, soft_wrap=True, highlight=False, markup=False)


def _run(question: Question, source: Source) -> Backtest:
    own = derived_id(
        "backtest", question.old.version, question.new.version, str(question.sample), source.name
    )
    home = load_settings().home / "backtest"
    clear_given_up(home)
    console = Console(stderr=True)
    with patience(console, "reading history") as said:

        def progress(doing: str, done: int, total: int) -> None:
            said.doing(f"{doing}: {done} of {total} files" if total else doing)

        known = source.history()
        try:
            return backtest(
                question,
                source.facts,
                known,
                home / own,
                workers=os.cpu_count() or 1,
                progress=progress,
            )
        except HistoryDiffers as error:
            said.hide()
            _show_differences(error.check)
            raise


def _show_differences(check: ReplayCheck) -> None:
    for one in check.shown:
        values = [
            written(value)[:19] if isinstance(value, int) else value or "not qualified"
            for value in (one.history, one.replay)
        ]
        typer.echo(
            f"lead {one.lead_id}: {one.what}: history {values[0]}, replay {values[1]}", err=True
        )


def _works_for_ms(text: str) -> int:
    try:
        return parse_duration_ms(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--works-for") from None


def _share(text: str) -> float:
    try:
        share = float(text.removesuffix("%")) / 100
    except ValueError:
        share = 0.0
    if not 0 < share <= 1:
        raise typer.BadParameter("write a share such as 10%", param_hint="--sample")
    return share


def _document(question: Question, found: Backtest) -> dict[str, Any]:
    check = None if found.check is None else asdict(found.check)
    if check is not None:
        check |= {name: sorted(check[name]) for name in ("leads", "left_out")}
    return {
        "old": question.old.version,
        "new": question.new.version,
        "sample": question.sample,
        "since_ms": found.since_ms,
        "until_ms": found.until_ms,
        "facts": found.facts,
        "replay_check": check,
        "partial": found.check is None or not found.check.passed,
        "comparison": asdict(found.comparison),
        "promises": [asdict(one) for one in found.promises],
        "goals": [asdict(one) | {"verdict": one.verdict} for one in found.goals],
    }
