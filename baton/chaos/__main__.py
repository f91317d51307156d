"""``python -m baton.chaos``: what ``make chaos`` runs."""

import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

import typer
from rich.console import Console
from rich.table import Table

from baton.chaos.run import ChaosRun, Outcome
from baton.cli.preparing import example_agreement
from baton.settings import default_cache

app = typer.Typer(pretty_exceptions_enable=False)


@app.command()
def chaos(
    kills: int = typer.Option(40, "--kills", min=1, help="How many faults."),
    events: int = typer.Option(20_000, "--events", min=10, help="How many lines come in."),
    seconds: float = typer.Option(420.0, "--seconds", min=10, help="Over how long."),
    seed: int = typer.Option(1, "--seed", help="The same seed plans the same faults."),
    workers: int = typer.Option(2, "--workers", min=1, max=8, help="Processes of each service."),
    keep: bool = typer.Option(False, "--keep", help="Keep the workers' logs."),
    as_json: bool = typer.Option(False, "--json", help="The outcome as one JSON document."),
) -> None:
    """Run a whole Baton under load and faults on a broker of its own, then audit it. Exit 1 if anything is not as promised.

    The faults: kill -9 of workers, workers stopped beyond their session and continued, rolling restarts, rebalance storms, the broker killed,
    the broker frozen, an agreement published in the middle. The load has duplicates, disorder and about two per cent of rubbish in it.
    """
    console = Console(stderr=True)
    home = Path(tempfile.mkdtemp(prefix="baton-chaos-"))
    try:
        outcome = ChaosRun(
            home,
            cache=Path(os.environ.get("BATON_CACHE") or default_cache()),
            agreement=example_agreement().with_name("demo.yaml"),
            kills=kills,
            events=events,
            seconds=seconds,
            seed=seed,
            workers=workers,
            say=lambda text: console.print(text, highlight=False),
        ).run()
    finally:
        if keep:
            console.print(f"logs: {home / 'logs'}", highlight=False)
        else:
            shutil.rmtree(home, ignore_errors=True)
    if as_json:
        typer.echo(json.dumps(as_document(outcome)))
    else:
        _print(outcome)
    for words in outcome.wrong[:50]:
        console.print(f"[red]{words}[/]", soft_wrap=True, highlight=False)
    sys.exit(1 if outcome.wrong else 0)


def as_document(outcome: Outcome) -> dict[str, object]:
    """The outcome for scripts."""
    names = ("sent", "acknowledged", "unacknowledged", "poison", "worker_starts", "witnessed", "seconds")
    return {
        **{name: getattr(outcome, name) for name in names},
        "faults": dict(outcome.faults),
        "checked": dict(outcome.report.checked),
        "broken": {invariant.value: number for invariant, number in outcome.report.broken.items()},
        "wrong": outcome.wrong,
    }


def _print(outcome: Outcome) -> None:
    table = Table(box=None, show_header=False, title=f"{outcome.seconds:.0f} s", title_justify="left")
    rows = {
        **dict(outcome.faults),
        "lines sent": outcome.sent,
        "acknowledged events": outcome.acknowledged,
        "dead letters meant": outcome.poison,
        "worker starts": outcome.worker_starts,
        "records the witness saw": outcome.witnessed,
        "events audited": outcome.report.checked["events"],
        "leads audited": outcome.report.checked["leads"],
        "batches computed again": outcome.report.checked["batches"],
        "not as promised": len(outcome.wrong),
    }
    for name, number in rows.items():
        table.add_row(name, f"{number:,}")
    Console().print(table)


if __name__ == "__main__":
    app()
