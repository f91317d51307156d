"""``baton broker``: the embedded Apache Kafka by itself, for developing against it."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import typer
from rich.console import Console

from baton.cli.downloading import download_shown
from baton.cluster.ready import problem_of
from baton.local.broker.archive_training import ensure_archive
from baton.local.broker.artifacts import KAFKA_VERSION
from baton.local.broker.backup import make_backup, put_back
from baton.local.broker.broker_record import broker_home
from baton.local.broker.embedded import EmbeddedBroker
from baton.local.broker.fetch import fetch_jars
from baton.local.up.run_record import read_run
from baton.processes import is_running
from baton.settings import load_settings

app = typer.Typer(
    add_completion=False,
    help=(
        "The embedded Apache Kafka: one node, loopback only, for trying out, developing and "
        "testing."
    ),
    epilog="Example:  baton broker start && "
    "export BATON_BOOTSTRAP=$(baton broker status --address)",
)

_ANSWER_S = 3.0
_FOLLOW_S = 0.3
_TRAINING_READY_S = 60.0


def embedded_broker(console: Console | None = None) -> EmbeddedBroker:
    """This user's broker, by the settings."""
    settings = load_settings()
    return EmbeddedBroker(
        broker_home(settings.home),
        settings.broker_port,
        cache=settings.cache,
        repository=settings.maven_repository,
        heap_mb=settings.broker_heap_mb,
        progress=None if console is None else download_shown(console),
    )


@app.command()
def start() -> None:
    """Start it in the background and wait until it answers. Its data stays from run to run."""
    console = Console(stderr=True)
    broker = embedded_broker(console)
    if (running := broker.running) is not None:
        console.print(f"runs already: pid {running.mark.pid}")
        typer.echo(running.bootstrap)
        return
    console.print(f"starting Apache Kafka {KAFKA_VERSION}")
    typer.echo(broker.start())


@app.command()
def prepare() -> None:
    """Fetch Apache Kafka and archive its classes, for starts without a network in half the time.

    Nothing has to be prepared: a first start fetches what is missing. It is for images and build
    machines. Doing it again does nothing.
    """
    settings, console = load_settings(), Console(stderr=True)
    jars = fetch_jars(
        settings.cache, progress=download_shown(console), repository=settings.maven_repository
    )
    console.print("archiving its classes; this takes some ten seconds, once")
    archive = ensure_archive(jars, ready_timeout_s=_TRAINING_READY_S)
    typer.echo(f"{archive}, {archive.stat().st_size >> 20} MB")


@app.command()
def stop(
    forget: bool = typer.Option(
        False, "--delete-data", help="Delete its data too: topics, records, offsets."
    ),
) -> None:
    """Stop it. Stopping it again does no harm."""
    broker = embedded_broker()
    run = read_run(load_settings().home)
    if run is not None and run.owns_broker and is_running(run.supervisor):
        typer.echo(
            f"the broker belongs to `baton up` (pid {run.supervisor.pid}); stop both with `baton "
            "down`",
            err=True,
        )
        raise typer.Exit(1)
    typer.echo("stopped" if broker.stop() else "it did not run")
    if forget:
        broker.remove()
        typer.echo(f"deleted {broker.home}")


@app.command()
def status(
    as_json: bool = typer.Option(False, "--json", help="One JSON object on standard output."),
    address: bool = typer.Option(False, "--address", help="Only the address, for scripts."),
) -> None:
    """Whether it runs and answers; exit 1 if not."""
    broker = embedded_broker()
    running = broker.running
    problem = (
        "it does not run" if running is None else problem_of(running.bootstrap, timeout_s=_ANSWER_S)
    )
    if running is not None and address:
        typer.echo(running.bootstrap)
    elif as_json:
        found = {} if running is None else {"pid": running.mark.pid, "bootstrap": running.bootstrap}
        typer.echo(
            json.dumps(
                {
                    "running": running is not None,
                    "answers": problem is None,
                    "home": str(broker.home),
                    **found,
                }
            )
        )
    elif running is not None:
        typer.echo(
            f"pid {running.mark.pid} at {running.bootstrap}, home {broker.home}: "
            f"{problem or 'answers'}"
        )
    if problem is not None:
        if not as_json and running is None:
            typer.echo(problem, err=True)
        raise typer.Exit(1)


@app.command(epilog="Example:  baton down && baton broker backup baton-2026-11-22.tar.gz")
def backup(
    file: Path = typer.Argument(help="Where to write it; readable by you alone."),
) -> None:
    """Write the stopped broker's data and the write key into one file: all of Baton's state is in
    it. See also: baton erasures."""
    size = make_backup(load_settings().home, file)
    typer.echo(f"{file} written, {size >> 20} MB")


@app.command(
    epilog=(
        "Example:  baton broker stop --delete-data && baton broker restore baton-2026-11-22.tar.gz "
        "&& baton up"
    )
)
def restore(
    file: Path = typer.Argument(
        exists=True, dir_okay=False, help="What `baton broker backup` wrote."
    ),
) -> None:
    """Put a backup back, into a home without data. Erasures since then must be sent again: baton
    erasures --since."""
    put_back(load_settings().home, file)
    typer.echo(f"restored to {broker_home(load_settings().home)}; go on with: baton up")


@app.command()
def logs(
    lines: int = typer.Option(40, "--lines", "-n", min=1, help="So many lines from the end."),
    follow: bool = typer.Option(False, "--follow", "-f", help="Go on with what comes."),
) -> None:
    """The end of its log."""
    broker = embedded_broker()
    for line in broker.last_log_lines(lines):
        typer.echo(line)
    if follow:
        for line in _coming(broker):
            typer.echo(line)


def _coming(broker: EmbeddedBroker) -> Iterator[str]:
    with broker.log.open(errors="replace") as file:
        file.seek(0, 2)
        while True:
            line = file.readline()
            if line:
                yield line.rstrip("\n")
            else:
                time.sleep(_FOLLOW_S)
