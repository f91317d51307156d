"""``baton calibrate``: whether the score says what it should, by history's outcomes."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import chain
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
from baton.backtest.board_history import documents_of_board, facts_of_board
from baton.backtest.cluster_history import documents_of_topic
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
from baton.backtest.suggested_points import Traits, suggest
from baton.cli.cluster import cluster_settings
from baton.cli.suggestion import suggestion_lines, write_suggestion
from baton.cli.trial_document import trial_document
from baton.clients import confluent_options
from baton.cluster.log import LogReader
from baton.contracts.topic_names import LEADS_QUALIFIED, SCORER_HOLDOUTS
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


_SUGGEST = typer.Option(
    None,
    "--suggest",
    dir_okay=False,
    help="With --agreement: write it there with points that outcomes suggest, as a proposal.",
)


@app.command(
    "calibrate",
    epilog="Examples:  baton calibrate        baton calibrate --outcome accepted --window 30d "
    "--json        baton calibrate -a agreement.yaml --suggest new.yaml",
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
    suggest_to: Path | None = _SUGGEST,
    as_json: bool = typer.Option(False, "--json", help="One JSON document on standard output."),
) -> None:
    """Conversion by band of fit and engagement, as scored when a lead first became ready, with
    intervals, lift and AUC.

    Left out and counted: leads staff had acted on before, leads that took over a merged one, other
    versions, unripe ones. Raised hands stand apart. It reads the board's file.
    """
    if outcome not in OUTCOMES:
        raise typer.BadParameter(f"one of {', '.join(OUTCOMES)}", param_hint="--outcome")
    compiled = _compiled(agreement)
    ledger, traits, until_ms = _read(history, compiled)
    terms = Terms(
        outcome=outcome,
        until_ms=until_ms,
        window_ms=_window_ms(window),
        agreement=None if all_versions else compiled.version,
        edges=_edges_of(compiled),
    )
    found = calibrate(ledger, terms)
    document, lines = _document(found, compiled.version), lines_of(found)
    if suggest_to is not None:
        if agreement is None:
            raise typer.BadParameter("--suggest needs --agreement, the file to change")
        proposed = suggest(traits, ledger, terms)
        write_suggestion(proposed, agreement, suggest_to)
        document["suggestion"] = asdict(proposed)
        lines = chain(lines, suggestion_lines(proposed, agreement, suggest_to))
    _show(document, lines, as_json)


def _document(found: Calibration, version: str) -> dict[str, Any]:
    return asdict(found) | {"trial": trial_document("calibration", version, lines_of(found))}


def _show(document: Mapping[str, Any], lines: Iterable[str], as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(document))
        return
    for line in lines:
        Console().print(line, soft_wrap=True, highlight=False, markup=False)


def _compiled(path: Path | None) -> CompiledAgreement:
    if path is not None:
        return compiled_of(read_agreement(path))
    settings = cluster_settings()
    with LogReader(confluent_options(settings), settings.namespace) as reader:
        return reference_now(reader, now_ms=wall_ms()).agreement


def _read(history: Path | None, agreement: CompiledAgreement) -> tuple[Ledger, Traits, int]:
    """What is known of outcomes and of what leads had, and until when."""
    ledger, traits, until_ms = Ledger(), Traits(agreement), 0
    for document in _documents(history):
        ledger.take(document)
        traits.take(document)
        until_ms = max(until_ms, int(document.get("at_ms") or 0))
    return ledger, traits, until_ms if history is not None else wall_ms()


def _documents(history: Path | None) -> Iterable[Mapping[str, Any]]:
    if history is not None:
        return documents_of_file(history)
    path = board_commands().files_of(load_settings()).current()
    if path is None:
        raise NoBoard("there is no board on this machine; run this where it is, or --history")
    return chain(
        documents_of_board(path), facts_of_board(path, (LEADS_QUALIFIED,)), _marks_of_cluster()
    )


def _marks_of_cluster() -> Iterator[Mapping[str, Any]]:
    """Which leads were of the hold-out: no public topic says it, so the board does not know."""
    settings = cluster_settings()
    with LogReader(confluent_options(settings), settings.namespace) as reader:
        yield from documents_of_topic(reader, SCORER_HOLDOUTS)


def _window_ms(text: str | None) -> int | None:
    try:
        return None if text is None else parse_duration_ms(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--window") from None


def _edges_of(agreement: CompiledAgreement) -> dict[str, list[float]]:
    levels = agreement.levels
    return {"engagement": _edges(levels.engagement_bands), "fit": _edges(levels.fit_bands)}


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
    if found.grades:
        yield "by grade: " + ", ".join(
            f"{grade} {yes} of {leads}" for grade, (leads, yes) in found.grades.items()
        )
    yield from _below_lines(found.below_threshold)
    yield "A rep who sees a score acts on it."


def _below_lines(below: ScoreFigures | None) -> Iterator[str]:
    if below is None:
        yield (
            "Nothing is said of leads below the threshold: nobody was asked to call them "
            "(lifecycle.holdout would hand a share of them over blind)."
        )
        return
    yield "below the threshold, handed over blind (by points when handed over):"
    for band in below.bands:
        if band.leads:
            yield f"  {band.low:g} - {band.high:g}: {band.converted} of {band.leads}{_rate(band)}"


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
