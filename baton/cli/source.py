"""``baton source``: sources that are described in a file, checked and tested without a broker or a
gateway."""

from collections import Counter
from pathlib import Path

import typer

from baton.cli.cluster import cluster_settings
from baton.cli.dlq import dead_letters, forgotten_on, say_left_out, send_lines
from baton.sources.dead_letter_replay import SOURCE_HEADER, Replay
from baton.sources.people import people_beside
from baton.sources.source_examples import failures_of
from baton.sources.source_model import secrets_of
from baton.sources.source_reading import path_of, read_sources
from baton.sources.template import template_of

app = typer.Typer(
    help="Sources of webhooks that are described in a file (BATON_SOURCES) instead of programmed."
)

_FILE = typer.Argument(help="A file of sources.", exists=True, dir_okay=False)


@app.command(epilog="Example:  baton source check examples/sources/hubspot.yaml")
def check(file: Path = _FILE) -> None:
    """Everything wrong with a file of sources at once: line, reason, way out. Exit 1 if anything
    is."""
    model = read_sources(file)
    for name, source in model.sources.items():
        typer.echo(
            f"{name}: POST {path_of(name, source.path)}, secret in "
            f"{', '.join(secrets_of(source))}, {len(source.events)} rules"
        )


@app.command("test", epilog="Example:  baton source test examples/sources/hubspot.yaml")
def run_examples(file: Path = _FILE) -> None:
    """Run the examples of each source. Exit 1 if one gives something else than it expects."""
    failed, model = False, read_sources(file)
    people = people_beside(file, model.people)
    for name, source in model.sources.items():
        failures = failures_of(source, people)
        failed = failed or bool(failures)
        typer.echo(
            f"{name}: {len(source.examples)} examples, "
            + ("all as expected" if not failures else "not all as expected")
        )
        for failure in failures:
            typer.echo(f"  {failure}")
    if failed:
        raise typer.Exit(1)


@app.command(
    epilog="Example:  baton source replay examples/sources/hubspot.yaml --since 1d --dry-run"
)
def replay(
    file: Path = _FILE,
    since: str = typer.Option(
        None, "--since", help="Only what came after: an ISO time, or 15m, 2h, 3d ago."
    ),
    dry_run: bool = typer.Option(False, "--dry-run", help="Say what would be sent, send nothing."),
) -> None:
    """Map the dead letters of a file's sources again and send what can be taken now; to be used
    when a description was mended. An event that was taken before changes nothing. One that names
    somebody who was erased since is left out."""
    settings, model = cluster_settings(), read_sources(file)
    people = people_beside(file, model.people)
    replays = {name: Replay(name, source, people) for name, source in model.sources.items()}
    lines: list[bytes] = []
    left: Counter[str] = Counter()
    letters = [
        (replays[name], record)
        for record in dead_letters(settings, since)
        if (name := record.header(SOURCE_HEADER) or "") in replays
    ]
    is_forgotten = forgotten_on(settings) if letters else lambda record: False
    kept = [(source, record) for source, record in letters if not is_forgotten(record)]
    for source, record in kept:
        for replayed in source.of(record.value or b"", record.at_ms):
            if replayed.line is None:
                left[replayed.problem] += 1
            else:
                lines.append(replayed.line)
    if not dry_run:
        send_lines(settings, lines)
    typer.echo(f"{len(lines)} events {'would be ' if dry_run else ''}sent in")
    say_left_out(len(letters) - len(kept))
    for problem, number in left.most_common():
        typer.echo(f"{number} records still cannot be taken: {problem}")


@app.command(epilog="Example:  baton source absences examples/people/people.yaml --dry-run")
def absences(
    file: Path = typer.Argument(help="A book of people.", exists=True, dir_okay=False),
    days: int = typer.Option(120, "--days", min=1, max=400, help="How far ahead to look."),
    dry_run: bool = typer.Option(False, "--dry-run", help="Say what would be announced."),
) -> None:
    """Announce the absences in the calendars of a book of people, and take back those that the
    calendars do not have any more. Absences that people announced themselves stay."""
    from baton.cli.source_absences import announce_absences

    announce_absences(file, days=days, dry_run=dry_run)


@app.command(epilog="Example:  baton source new calls > sources/calls.yaml")
def new(name: str = typer.Argument(help="What the source is to be called.")) -> None:
    """Print a description to begin with; it passes `check` and `test` as it is."""
    typer.echo(template_of(name), nl=False)
