"""``baton audit``: the log held against the promises."""

import gc
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import typer
from rich.console import Console
from rich.progress import Progress, TaskID
from rich.table import Table

from baton.cli.cluster import cluster_settings
from baton.cli.moments import moment_ms
from baton.cli.patience import patience
from baton.clients import confluent_options
from baton.flow import all_reducers
from baton.proof.audit.audit import Audit
from baton.proof.audit.findings import MEANING, Basis, Report, basis_of
from baton.proof.audit.source import KafkaSource

app = typer.Typer(add_completion=False)


_SINCE = typer.Option(
    None,
    "--since",
    help="Only events and leads of which anything came since: an ISO time, or 1h, 2d ago.",
)
_LEDGER = typer.Option(
    [],
    "--ledger",
    exists=True,
    dir_okay=False,
    help="Ids that were acknowledged, one a line, as `baton send --ledger` writes them.",
)
_RECOMPUTE = typer.Option(
    True, "--recompute/--no-recompute", help="Compute every task again from its journal."
)
_GRACE = typer.Option(
    420,
    "--grace",
    min=0,
    help="Seconds after its deadline before a clock that still runs is a fault.",
)
_PROCESSES = typer.Option(
    min(4, os.cpu_count() or 1),
    "--processes",
    min=1,
    max=64,
    help="How many compute tasks again and check what was read, side by side.",
)
_AS_JSON = typer.Option(False, "--json", help="The report as one JSON document on standard output.")


@app.command(
    epilog=(
        "Examples:  baton audit        baton audit --ledger sent.txt --json        baton audit "
        "--since 1d --no-recompute"
    )
)
def audit(
    since: str = _SINCE,
    ledger: list[Path] = _LEDGER,
    recompute: bool = _RECOMPUTE,
    grace: int = _GRACE,
    processes: int = _PROCESSES,
    as_json: bool = _AS_JSON,
) -> None:
    """Read every topic and check the promises, on a live system or a stopped one. Exit 1 if one is
    broken.

    It commits nothing and disturbs nobody; what it reads is sorted into buckets on disk, so memory
    is that of a bucket or of one task's state for each process. What is `independent` is checked
    from the records alone, by the audit's own arithmetic; what is `recomputed`, by running the same
    code again: that finds what a crash did to the log, and no rule that is wrong. Each offender is
    named by topic/partition/offset: look at it with `baton tail`, and at its lead with `baton
    explain`.
    """
    settings = cluster_settings()
    source = KafkaSource(confluent_options(settings), settings.namespace)
    console = Console(stderr=True)
    gc.freeze()
    gc.set_threshold(100_000, 20, 50)  # records are let go by the million, and have no cycles
    try:
        with _shown(console) as show:
            report = Audit(
                source,
                all_reducers(),
                namespace=settings.namespace,
                acknowledged=_ids(ledger),
                since_ms=moment_ms(since) if since else 0,
                grace_ms=grace * 1000,
                recompute=recompute,
                processes=processes,
                progress=show,
            ).run()
    finally:
        source.close()
    _say(report, console, as_json)
    raise typer.Exit(0 if report.sound else 1)


def _say(report: Report, console: Console, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(as_document(report)))
    else:
        _print(report, console)


@contextmanager
def _shown(console: Console) -> Iterator[Callable[[str, int, int], None]]:
    """While inside, what is given is shown as progress: what is done, how much of how much."""
    with (
        patience(console, "looking at the topics ...") as waiting,
        Progress(console=console, transient=True) as progress,
    ):
        shown: dict[str, TaskID] = {}

        def show(what: str, done: int, total: int) -> None:
            if what not in shown:
                waiting.hide()
                shown[what] = progress.add_task(what)
            progress.update(shown[what], completed=done, total=total)
            waiting.doing(f"{what}: {done:,} of {total:,}")

        yield show


def _ids(ledgers: list[Path]) -> Iterator[str]:
    for path in ledgers:
        with path.open() as file:
            yield from (line.strip() for line in file if line.strip())


def as_document(report: Report) -> dict[str, object]:
    """The report for scripts."""
    return {
        "sound": report.sound,
        "basis": {invariant.value: basis_of(invariant).value for invariant in MEANING},
        "broken": {invariant.value: number for invariant, number in report.broken.items()},
        "checked": dict(report.checked),
        "sums": dict(sorted(report.sums.items())),
        "unchecked": report.unchecked,
        "findings": [
            {
                "invariant": finding.invariant.value,
                "place": str(finding.place) if finding.place else None,
                "words": finding.words,
            }
            for finding in report.findings
        ],
    }


def _print(report: Report, console: Console) -> None:
    table = Table(box=None, header_style="bold")
    for heading in ("promise", "", "checked", "broken"):
        table.add_column(heading, overflow="fold")
    for invariant, meaning in MEANING.items():
        number = report.broken[invariant]
        basis = basis_of(invariant)
        table.add_row(
            invariant.value,
            meaning,
            "[dim]recomputed[/]" if basis is Basis.RECOMPUTED else basis.value,
            f"[bold red]{number}[/]" if number else "[green]no[/]",
        )
    out = Console()
    out.print(table)
    events, leads, scores, batches = (
        report.checked[name] for name in ("events", "leads", "scores", "batches")
    )
    out.print(
        f"{events:,} events, {leads:,} leads, {scores:,} scores summed up, {batches:,} batches "
        "computed again"
    )
    for words in report.unchecked:
        out.print(f"[yellow]not checked:[/] {words}", soft_wrap=True)
    for finding in report.findings:
        console.print(f"[red]{finding}[/]", soft_wrap=True, highlight=False)
