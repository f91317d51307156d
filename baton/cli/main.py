"""``baton``: finds the command that was asked for, runs it, and turns what goes wrong into words and an exit code.

Only the module of the command in question is imported, so ``baton --help`` and every short command answer at once. A command
module has an ``app`` (typer): with one command it is the command itself, with several it is a group.

Exit codes: 0 done, 1 not done (and why), 2 wrong usage, 130 interrupted.
"""

import importlib
import os
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

import typer
from rich.console import Console
from rich.markup import escape

from baton import __version__

COMMANDS: tuple[tuple[str, str, str, str], ...] = (
    # name, module, heading, what the list of commands says of it
    ("up", "baton.cli.up", "Running", "Start Baton: broker (unless BATON_BOOTSTRAP is set), topics, agreement, services."),
    ("down", "baton.cli.down", "Running", "Stop what runs and clean up."),
    ("status", "baton.cli.status", "Running", "Every process with its pid, address and state."),
    ("demo", "baton.cli.demo", "Running", "A small simulated company against clocks of seconds, live, with a summary."),
    ("worker", "baton.cli.worker", "Running", "Run one service's reducers in this process."),
    ("broker", "baton.cli.broker", "Running", "The embedded Apache Kafka: start, stop, status, logs."),
    ("doctor", "baton.cli.doctor", "Running", "Check this machine, the settings and the cluster."),
    ("send", "baton.cli.send", "Leads in", "Send events, one JSON object a line, as an outside system would."),
    ("import", "baton.cli.import_", "Leads in", "Read leads and events from CSV or JSON lines."),
    ("source", "baton.cli.source", "Leads in", "Sources that are described in a file: check, test, begin one."),
    ("tail", "baton.cli.tail", "Looking", "Follow a topic, decoded."),
    ("explain", "baton.cli.explain", "Looking", "The story of a lead: events, points, routing, clocks."),
    ("orphans", "baton.cli.orphans", "Looking", "Leads that nobody holds, and why; there should be none."),
    ("simulate", "baton.cli.simulate", "Looking", "The whole system in memory, in fast time."),
    ("audit", "baton.cli.audit", "Looking", "Check the log against the promises."),
    ("agreement", "baton.cli.agreement", "Looking after", "Check, compare, approve and publish the agreement."),
    ("topics", "baton.cli.topics", "Looking after", "The catalogue of topics; make them, check a cluster."),
    ("dlq", "baton.cli.dlq", "Looking after", "Dead letters: list, show, replay."),
    ("task", "baton.cli.task", "Looking after", "Tasks of the engine: list, skip a record that stops one."),
)

_OURS = ("baton.", "services.")
_FOREIGN = ("ValidationError", "KafkaException")


def build(arguments: Sequence[str]) -> typer.Typer:
    """The command line for these arguments: the command they name in full, the others as lines of the help."""
    root = typer.Typer(
        name="baton",
        help="Baton passes leads from marketing to sales and back, on Apache Kafka: scored, routed, and against the clock.",
        epilog="Start with `baton demo`, or `baton up` and then `baton send --help`.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    root.callback()(_root)
    asked = next((argument for argument in arguments if not argument.startswith("-")), None)
    for name, module, heading, says in COMMANDS:
        if find_spec(module) is None:
            continue  # a part that is not in this build
        if name == asked:
            _add(root, name, importlib.import_module(module).app, heading)
        else:
            root.command(name, help=says, rich_help_panel=heading)(_placeholder)
    return root


def app(arguments: Sequence[str] | None = None) -> None:
    """The entry point: runs and exits. ``BATON_DEBUG=1`` shows where an error came from."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        build(words)(words, prog_name="baton")
    except Exception as error:
        if os.environ.get("BATON_DEBUG") or not _is_for_people(error):
            raise
        Console(stderr=True, soft_wrap=True).print(f"[bold red]baton:[/] {escape(words_of(error))}", highlight=False)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


def words_of(error: BaseException) -> str:
    """What a person is told of an error: our own as they are, wrong settings by the variable's name and without its value, Kafka's by
    what the brokers (or their silence) said."""
    match type(error).__name__:
        case "ValidationError":
            problems: list[dict[str, Any]] = error.errors()  # type: ignore[attr-defined]  # pydantic's; not imported for this alone
            return "\n".join(
                f"BATON_{'_'.join(map(str, each['loc'])).upper()}: {each['msg']}".replace("BATON_: ", "") for each in problems
            )
        case "KafkaException":
            return f"Kafka: {error.args[0].str()}; see what is wrong with: baton doctor"
    return str(error) or type(error).__name__


def _is_for_people(error: BaseException) -> bool:
    # Errors that Baton defines are written to be read; a foreign one that nobody caught is a bug and keeps its traceback.
    kind = type(error)
    return kind.__module__.startswith(_OURS) or kind.__name__ in _FOREIGN


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(__version__)
        raise typer.Exit


def _root(
    version: bool = typer.Option(False, "--version", help="Print the version and leave.", callback=_print_version, is_eager=True),
) -> None:
    del version


def _add(root: typer.Typer, name: str, command: typer.Typer, heading: str) -> None:
    single = command.registered_commands[0] if len(command.registered_commands) == 1 else None
    if single is None or single.callback is None or command.registered_groups or command.registered_callback:
        root.add_typer(command, name=name, rich_help_panel=heading, no_args_is_help=True)
        return
    root.command(
        name,
        help=single.help,
        epilog=single.epilog,
        context_settings=single.context_settings,
        no_args_is_help=single.no_args_is_help,
        rich_help_panel=heading,
    )(single.callback)


def _placeholder() -> None:
    raise AssertionError("only the command that was asked for is run")


if __name__ == "__main__":
    app()
