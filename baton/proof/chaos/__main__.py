"""``python -m baton.proof.chaos``: what ``make chaos`` runs."""

import json
import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path

import typer
from rich.console import Console
from rich.table import Table

from baton.local.up.preparing import example_agreement
from baton.proof.chaos.run import ChaosRun, Order, Outcome
from baton.settings import default_cache

app = typer.Typer(pretty_exceptions_enable=False)

_EVENTS_A_SECOND, _SECONDS_A_FAULT, _SHORTEST_S = 400, 10, 60


@app.command()
def chaos(
    kills: int = typer.Option(40, "--kills", min=1, help="How many faults."),
    events: int = typer.Option(20_000, "--events", min=10, help="How many lines come in."),
    seconds: float = typer.Option(
        None,
        "--seconds",
        min=10,
        help="Over how long, if the system keeps up; by default as the events and faults want it.",
        show_default=False,
    ),
    seed: int = typer.Option(1, "--seed", help="The same seed plans the same faults."),
    workers: int = typer.Option(2, "--workers", min=1, max=8, help="Processes of each service."),
    partitions: int = typer.Option(
        4, "--partitions", min=1, max=64, help="Partitions of the topics."
    ),
    keep: bool = typer.Option(
        False, "--keep", help="Keep the broker's data, the ledger and the workers' logs."
    ),
    as_json: bool = typer.Option(False, "--json", help="The outcome as one JSON document."),
) -> None:
    """Run a whole Baton under load and faults on a broker of its own, then audit it. Exit 1 if
    anything is not as promised.

    The faults: kill -9 of workers, workers stopped beyond their session and continued, rolling
    restarts, rebalance storms, the broker killed, the broker frozen, an agreement published in the
    middle. The load has duplicates, disorder and about one per cent of rubbish in it; it waits
    while the system is too far behind, and the faults with it. Files go to a new folder in the
    temporary directory (TMPDIR): about 4 KB an event.
    """
    console = Console(stderr=True)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # however it is ended, nothing stays behind
        signal.signal(number, signal.default_int_handler)
    home = Path(tempfile.mkdtemp(prefix="baton-chaos-"))
    try:
        outcome = ChaosRun(
            home,
            Order(
                agreement=example_agreement().with_name("demo.yaml"),
                kills=kills,
                events=events,
                seconds=seconds
                or max(_SHORTEST_S, events / _EVENTS_A_SECOND, kills * _SECONDS_A_FAULT),
                seed=seed,
                workers=workers,
                partitions=partitions,
                keep=keep,
            ),
            cache=Path(os.environ.get("BATON_CACHE") or default_cache()),
            say=lambda text: console.print(text, highlight=False),
        ).run()
    except KeyboardInterrupt:
        console.print("stopped")
        raise typer.Exit(130) from None
    finally:
        if keep:
            console.print(f"kept: {home}", highlight=False)
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
    names = (
        "sent",
        "acknowledged",
        "unacknowledged",
        "poison",
        "worker_starts",
        "witnessed",
        "seconds",
    )
    return {
        **{name: getattr(outcome, name) for name in names},
        "sound": not outcome.wrong,
        "faults": dict(outcome.faults),
        "checked": dict(outcome.report.checked),
        "broken": {invariant.value: number for invariant, number in outcome.report.broken.items()},
        "wrong": outcome.wrong,
    }


def _print(outcome: Outcome) -> None:
    table = Table(
        box=None,
        show_header=False,
        title=", ".join(f"{name} {seconds:.0f} s" for name, seconds in outcome.seconds.items()),
        title_justify="left",
    )
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
