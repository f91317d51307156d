"""``baton quarter``: what a quarter of described demand does to a team, and how many people a pool
needs."""

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import typer
from rich.console import Console

from baton.agreement.canonical import compiled_of
from baton.agreement.model.agreement import Agreement
from baton.agreement.quantities import parse_duration_ms
from baton.agreement.source.read import read_agreement
from baton.cli.patience import Patience, patience
from baton.simulation.staffing.demand import Demand, read_demand
from baton.simulation.staffing.headcount import PlayAll, headcount
from baton.simulation.staffing.outcome import Outcome
from baton.simulation.staffing.seeds import play_seeds
from baton.simulation.staffing.staffing_report import headcount_lines, report_lines

app = typer.Typer(add_completion=False)

_AGREEMENT = typer.Option(
    ..., "--agreement", "-a", exists=True, dir_okay=False, help="By which they work."
)
_DEMAND = typer.Option(
    ..., "--demand", "-d", exists=True, dir_okay=False, help="Who comes by and how people work."
)
_POOL = typer.Option(None, "--pool", help="How many people does this pool need?")
_WITHIN = typer.Option("4h", "--within", help="A lead is to be answered in so much open time.")
_SHARE = typer.Option("90%", "--share", help="With --pool: so many of its leads.")


@app.command(
    "quarter",
    no_args_is_help=True,
    epilog="Examples:  baton quarter -a agreement.yaml -d demand.yaml        baton quarter -a "
    "agreement.yaml -d demand.yaml --pool dach-sdr --within 4h",
)
def quarter_(
    agreement: Path = _AGREEMENT,
    demand: Path = _DEMAND,
    seeds: int = typer.Option(3, "--seeds", min=1, max=200, help="Quarters to play."),
    pool: str | None = _POOL,
    within: str = _WITHIN,
    share: str = _SHARE,
    as_json: bool = typer.Option(False, "--json", help="One JSON document on standard output."),
) -> None:
    """Play a quarter in memory: load, waiting, broken promises and fairness with their spread over
    seeds, or how many people a pool needs for leads to be answered in time.

    People work on one lead at a time in their own hours. What the file says of demand and habits
    is assumed, not known. A quarter of 800 leads takes about half a minute.
    """
    model = read_agreement(agreement)
    described = read_demand(demand, compiled_of(model))
    within_ms, wanted = _within_ms(within), _share_of(share)
    with patience(Console(stderr=True), "playing") as said:
        play = _player(described, seeds, pool, said)
        if pool is None:
            outcomes = play(model)
            lines = report_lines(outcomes, within_ms)
            document: dict[str, Any] = {"quarters": [asdict(one) for one in outcomes]}
        else:
            found = headcount(model, pool, within_ms=within_ms, share=wanted, play=play)
            lines, document = headcount_lines(found), {"headcount": asdict(found)}
    _show(document, lines, as_json)


def _player(demand: Demand, seeds: int, pool: str | None, said: Patience) -> PlayAll:
    def play(agreement: Agreement) -> list[Outcome]:
        people = f" with {_people(len(agreement.pools[pool].members))}" if pool else ""
        return play_seeds(
            agreement,
            demand,
            range(1, seeds + 1),
            workers=os.cpu_count() or 1,
            progress=lambda done, total: said.doing(f"played{people}: {done} of {total}"),
        )

    return play


def _people(number: int) -> str:
    return f"{number} {'person' if number == 1 else 'people'}"


def _show(document: Mapping[str, Any], lines: Iterable[str], as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(document))
        return
    for line in lines:
        Console().print(line, soft_wrap=True, highlight=False, markup=False)


def _within_ms(text: str) -> int:
    try:
        return parse_duration_ms(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--within") from None


def _share_of(text: str) -> float:
    try:
        share = float(text.removesuffix("%")) / 100
    except ValueError:
        share = 0.0
    if not 0 < share <= 1:
        raise typer.BadParameter("write a share such as 90%", param_hint="--share")
    return share
