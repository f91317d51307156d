"""``baton calibrate``: whether the score says what it should, by history's outcomes."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import typer
from rich.console import Console

from baton.agreement.canonical import compiled_of
from baton.agreement.compiled.agreement import CompiledAgreement
from baton.agreement.compiled.levels import Band as LevelBand
from baton.agreement.publish import wall_ms
from baton.agreement.quantities import parse_duration_ms
from baton.agreement.source.read import read_agreement
from baton.backtest.board_history import documents_of_board
from baton.backtest.history import OUTCOMES, documents_of_file
from baton.backtest.score_outcomes import (
    MICRO,
    Band,
    Calibration,
    Ledger,
    ScoreFigures,
    Terms,
    calibrate,
)
from baton.cli.cluster import cluster_settings
from baton.clients import confluent_options
from baton.cluster.log import LogReader
from baton.flow import board_commands
from baton.screens.business_time import sum_words
from baton.screens.live import reference_now
from baton.settings import load_settings

app = typer.Typer(add_completion=False)


class NoBoard(RuntimeError):
    """There is no board on this machine; the text says what to do."""


_AGREEMENT = typer.Option(
    None, "--agreement", "-a", exists=True, dir_okay=False, help="Instead of the one in force."
)
_HISTORY = typer.Option(
    None,
    "--history",
    exists=True,
    dir_okay=False,
    help="Public facts of a file, as `baton simulate --json` prints them, instead of the board's.",
)


@app.command(
    "calibrate",
    epilog="Examples:  baton calibrate        baton calibrate --outcome accepted --window 30d "
    "--json",
)
def calibrate_(
    outcome: str = typer.Option("opportunity", "--outcome", help=f"{', '.join(OUTCOMES)}."),
    window: str = typer.Option(
        None, "--window", help="An outcome counts within it; else what 9 in 10 conversions took."
    ),
    all_versions: bool = typer.Option(
        False, "--all-versions", help="Leads of earlier versions of the agreement too."
    ),
    agreement: Path = _AGREEMENT,
    history: Path = _HISTORY,
    as_json: bool = typer.Option(False, "--json", help="One JSON document on standard output."),
) -> None:
    """Conversion by band of fit and engagement, as scored when a lead first became ready, with
    intervals, lift and AUC.

    Left out and counted: leads staff had acted on before, leads that took over a merged one, other
    versions, unripe ones. Raised hands stand apart. It reads the board's file.
    """
    if outcome not in OUTCOMES:
        raise typer.BadParameter(f"one of {', '.join(OUTCOMES)}", param_hint="--outcome")
    terms = _compiled(agreement)
    ledger, until_ms = _ledger(history)
    found = calibrate(
        ledger,
        Terms(
            outcome=outcome,
            until_ms=until_ms,
            window_ms=_window_ms(window),
            agreement=None if all_versions else terms.version,
            edges={
                "engagement": _edges(terms.levels.engagement_bands),
                "fit": _edges(terms.levels.fit_bands),
            },
        ),
    )
    if as_json:
        typer.echo(json.dumps(asdict(found)))
        return
    for line in lines_of(found):
        Console().print(line, soft_wrap=True, highlight=False, markup=False)


def _compiled(path: Path | None) -> CompiledAgreement:
    if path is not None:
        return compiled_of(read_agreement(path))
    settings = cluster_settings()
    with LogReader(confluent_options(settings), settings.namespace) as reader:
        return reference_now(reader, now_ms=wall_ms()).agreement


def _ledger(history: Path | None) -> tuple[Ledger, int]:
    """What is known, and until when."""
    documents: Iterable[Mapping[str, Any]]
    if history is not None:
        documents, until_ms = documents_of_file(history), 0
    else:
        path = board_commands().files_of(load_settings()).current()
        if path is None:
            raise NoBoard("there is no board on this machine; run this where it is, or --history")
        documents, until_ms = documents_of_board(path), wall_ms()
    ledger = Ledger()
    for document in documents:
        ledger.take(document)
        until_ms = max(until_ms, int(document.get("at_ms") or 0))
    return ledger, until_ms


def _window_ms(text: str | None) -> int | None:
    try:
        return None if text is None else parse_duration_ms(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--window") from None


def _edges(bands: Sequence[LevelBand]) -> list[float]:
    return sorted({0.0, *(band.enter_micro / MICRO for band in bands)})


def lines_of(found: Calibration) -> Iterator[str]:
    """The figures for people."""
    yield (
        f"{found.outcome} within {_window(found)} of qualifying: {found.converted:,} of "
        f"{found.leads:,} leads that the score alone made ready"
    )
    leads, yes = found.raised_hands
    yield f"apart: {yes:,} of {leads:,} that asked for a person"
    for reason, number in found.left_out.items():
        yield f"left out: {number:,}, {reason}"
    for score in found.scores:
        yield ""
        yield from _score_lines(score)
    yield ""
    yield "by grade: " + ", ".join(
        f"{grade} {yes} of {leads}" for grade, (leads, yes) in found.grades.items()
    )
    yield (
        "Nothing is said of leads below the threshold: nobody was asked to call them. A rep who "
        "sees a score acts on it."
    )


def _window(found: Calibration) -> str:
    days = found.window_days
    return f"{days} day{'' if days == 1 else 's'}" if days else sum_words(found.window_ms)


def _score_lines(score: ScoreFigures) -> Iterator[str]:
    if score.auc is None:
        yield f"{score.score}: too few leads or outcomes for an AUC"
    else:
        auc = score.auc
        yield f"{score.score}: AUC {auc.value:.2f} ({auc.low:.2f} - {auc.high:.2f})"
    for band in score.bands:
        if band.leads:
            yield f"  {band.low:g} - {band.high:g}: {band.converted} of {band.leads}{_rate(band)}"


def _rate(band: Band) -> str:
    if band.rate is None or band.rate_low is None or band.rate_high is None:
        return ", too few for a rate"
    lift = "" if band.lift is None else f", lift {band.lift:.2f}"
    return f" = {band.rate:.1%} ({band.rate_low:.1%} - {band.rate_high:.1%}){lift}"
