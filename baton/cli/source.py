"""``baton source``: sources that are described in a file, checked and tested without a broker or a
gateway."""

from pathlib import Path

import typer

from baton.sources.examples import failures_of
from baton.sources.model import secrets_of
from baton.sources.people import people_beside
from baton.sources.reading import path_of, read_sources
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


@app.command(epilog="Example:  baton source new calls > sources/calls.yaml")
def new(name: str = typer.Argument(help="What the source is to be called.")) -> None:
    """Print a description to begin with; it passes `check` and `test` as it is."""
    typer.echo(template_of(name), nl=False)
