"""``baton board``: a one-time link into the board, a rebuild of it, a copy of it."""

import importlib
import os
from pathlib import Path
from typing import Any

import typer

from baton.settings import load_settings

app = typer.Typer()


class NoBoard(RuntimeError):
    """There is no board here yet; the text says how to have one."""


@app.callback()
def board() -> None:
    """The board: what both teams look at. `baton up` starts it; its pages are entered by a one-time link."""


@app.command(epilog="Example:  baton board link --as ae-greta")
def link(
    person: str = typer.Option(
        None, "--as", help="Enter as this person of the agreement, who can then accept, reject, claim ... Without it: look only."
    ),
) -> None:
    """Print a link that opens the board once, within an hour."""
    settings, files, own = _place()
    found = entrance_to(settings.home, person)
    if found is None:
        found = _entrance(f"http://{own.host}:{own.port}", files, person)
    typer.echo(found)


@app.command()
def rebuild() -> None:
    """Build the board anew from the topics, beside the one in use, which stays until the new one has caught up."""
    _, files, _ = _place()
    files.want_rebuild()
    typer.echo(
        "asked for; a running board begins within seconds, else the next one to start. The page Data says since when it is complete"
    )


@app.command(epilog="Example:  baton board backup board.sqlite")
def backup(
    path: Path = typer.Argument(help="The file to write; it must not exist."),
) -> None:
    """Write a whole copy of the board to one file, while it goes on. Keep it as carefully as the topics: it has names."""
    _, files, _ = _place()
    current = files.current()
    if current is None:
        raise NoBoard("there is no board to copy yet; start one with: baton up")
    if path.exists():
        raise typer.BadParameter(f"{path} exists already", param_hint="path")
    old = os.umask(0o077)
    try:
        _part("projection.store").copy_of(current, path)
    finally:
        os.umask(old)
    typer.echo(str(path))


def entrance_to(home: Path, person: str | None = None) -> str | None:
    """A one-time link into the board of the run of this home; None where none runs."""
    address = _address(home)
    return None if address is None else _entrance(address, _place()[1], person)


def _entrance(address: str, files: Any, person: str | None) -> str:
    return f"{address}/enter?token={_part('board.access').new_link(files.folder, person)}"


def _place() -> tuple[Any, Any, Any]:
    settings = load_settings()
    own = _part("settings").BoardSettings()
    folder = own.folder or settings.home / "board" / settings.namespace
    return settings, _part("projection.files").BoardFiles(folder), own


def _address(home: Path) -> str | None:
    from baton.running.record import read_run

    run = read_run(home)
    addresses = (each.addresses.get("board") for each in run.processes) if run else ()
    return next((each for each in addresses if each), None)


def _part(name: str) -> Any:
    """A part of the service, found by name: no module of the library imports a service."""
    return importlib.import_module(f"services.insights.{name}")
