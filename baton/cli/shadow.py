"""``baton shadow``: an agreement that decides silently beside the one in force, or beside another
tool: over the leads so far, or as a running system goes on."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from typer.core import TyperGroup

from baton.agreement.canonical import compiled_of
from baton.agreement.compiled.agreement import CompiledAgreement
from baton.agreement.source.read import read_agreement
from baton.backtest.backtest_run import Replayed
from baton.backtest.handed_elsewhere import read_handed
from baton.backtest.question import Question
from baton.backtest.replay import FirstQualification
from baton.backtest.shadow_decisions import against_tool, beside_in_force
from baton.cli.replay_source import Source, since_ms, source_of_cluster, source_of_file
from baton.cli.shadow_running import AGAINST, replayed_aside, start, status, stop
from baton.cli.shadow_words import shadow_lines


class TriesFiles(TyperGroup):
    """Without the name of a command it is ``try``: ``baton shadow new.yaml``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """The arguments, with ``try`` before those that name no command."""
        if args and args[0] not in (*self.commands, "--help", "-h"):
            args = ["try", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=TriesFiles,
    add_completion=False,
    help="An agreement that decides silently beside the one in force, or beside another tool.",
    epilog="Examples:  baton shadow new.yaml --against handed.csv        "
    "baton shadow start new.yaml --every 15m        baton shadow status",
)
app.command(
    "start",
    no_args_is_help=True,
    epilog="Examples:  baton shadow start new.yaml        baton shadow start new.yaml --once",
)(start)
app.command("status")(status)
app.command("stop")(stop)

_EVENTS = typer.Option(
    None, "--events", exists=True, dir_okay=False, help="Event lines instead of the cluster."
)
_OLD = typer.Option(
    None, "--old", exists=True, dir_okay=False, help="With --events: what was in force."
)
_LIMIT = typer.Option(40, "--limit", min=0, help="Show so many differences; --json has all.")


@app.command(
    "try",
    no_args_is_help=True,
    epilog="Examples:  baton shadow new.yaml --since 30d        baton shadow new.yaml --against "
    "handed.csv        baton shadow new.yaml --events events.jsonl --against handed.csv",
)
def try_(
    agreement: Path = typer.Argument(..., exists=True, dir_okay=False, help="What decides."),
    since: str = typer.Option(None, "--since", help="Decisions from then on: 30d, an ISO time."),
    against: Path | None = AGAINST,
    events: Path | None = _EVENTS,
    old: Path | None = _OLD,
    limit: int = _LIMIT,
    as_json: bool = typer.Option(False, "--json", help="One JSON document on standard output."),
) -> None:
    """What an agreement would have decided of each lead so far, and nobody is notified: whether it
    is handed over, when, at which level, to which pool.

    Beside the agreement in force, or with --against beside what another tool did. It reads the book
    of record and publishes nothing; the last differences are the latest ones.
    """
    deciding = compiled_of(read_agreement(agreement))
    source = source_of_file(events, old or agreement, None) if events else source_of_cluster()
    replayed = _replayed(deciding, source)
    strangers = 0
    if against is None:
        found = beside_in_force(*_since(since, replayed))
    else:
        leads, _, own = _since(since, replayed)
        handed, strangers = read_handed(against, source.addresses().get)
        found = against_tool(leads, deciding, own, handed)
    if as_json:
        typer.echo(json.dumps(asdict(found) | {"strangers": strangers}))
        return
    for line in shadow_lines(found, deciding.version, strangers=strangers, limit=limit):
        Console().print(line, soft_wrap=True, highlight=False, markup=False)


def _replayed(deciding: CompiledAgreement, source: Source) -> Replayed:
    question = Question(
        old=source.old,
        new=deciding,
        since_ms=None,
        until_ms=source.until_ms,
        records=source.records,
    )
    return replayed_aside(question, source.facts)


_Sides = tuple[int, dict[str, FirstQualification], dict[str, FirstQualification]]


def _since(text: str | None, replayed: Replayed) -> _Sides:
    """The leads, and what either side did with them from then on."""
    from_ms = since_ms(text) or 0
    early = {
        name
        for side in (replayed.old, replayed.new)
        for name, one in side.items()
        if one.at_ms < from_ms
    }
    old, new = (
        {name: one for name, one in side.items() if name not in early}
        for side in (replayed.old, replayed.new)
    )
    return len(replayed.accounts) - len(early), old, new
