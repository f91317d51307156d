"""``baton shadow``: an agreement that decides silently beside the one in force, or beside another
tool."""

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from tempfile import mkdtemp

import typer
from rich.console import Console

from baton.agreement.canonical import compiled_of
from baton.agreement.compiled.agreement import CompiledAgreement
from baton.agreement.source.read import read_agreement
from baton.backtest.handed_elsewhere import read_handed
from baton.backtest.question import Question
from baton.backtest.replay import FirstQualification
from baton.backtest.run import Replayed, replay_both
from baton.backtest.shadow_decisions import Decision, ShadowReport, against_tool, beside_in_force
from baton.cli.moments import written
from baton.cli.patience import patience
from baton.cli.replay_source import Source, since_ms, source_of_cluster, source_of_file
from baton.settings import load_settings

app = typer.Typer(add_completion=False)

_EVENTS = typer.Option(
    None, "--events", exists=True, dir_okay=False, help="Event lines instead of the cluster."
)
_OLD = typer.Option(
    None, "--old", exists=True, dir_okay=False, help="With --events: what was in force."
)
_AGAINST = typer.Option(
    None,
    "--against",
    exists=True,
    dir_okay=False,
    help="Whom another tool gave leads to: CSV with lead or email, to, and at.",
)
_LIMIT = typer.Option(40, "--limit", min=0, help="Show so many differences; --json has all.")


@app.command(
    "shadow",
    no_args_is_help=True,
    epilog="Examples:  baton shadow new.yaml --since 30d        baton shadow new.yaml --against "
    "handed.csv        baton shadow new.yaml --events events.jsonl --against handed.csv",
)
def shadow_(
    agreement: Path = typer.Argument(..., exists=True, dir_okay=False, help="What decides."),
    since: str = typer.Option(None, "--since", help="Decisions from then on: 30d, an ISO time."),
    against: Path | None = _AGAINST,
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
    for line in shadow_lines(found, deciding, strangers=strangers, limit=limit):
        Console().print(line, soft_wrap=True, highlight=False, markup=False)


def _replayed(deciding: CompiledAgreement, source: Source) -> Replayed:
    question = Question(old=source.old, new=deciding, since_ms=None, until_ms=source.until_ms)
    home = load_settings().home / "shadow"
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder = Path(mkdtemp(dir=home))
    try:
        with patience(Console(stderr=True), "reading facts") as said:
            return replay_both(
                question,
                source.facts,
                folder,
                workers=os.cpu_count() or 1,
                progress=lambda doing, done, total: said.doing(
                    f"{doing}: {done} of {total} files" if total else doing
                ),
            )
    finally:
        shutil.rmtree(folder, ignore_errors=True)


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


def shadow_lines(
    found: ShadowReport, deciding: CompiledAgreement, *, strangers: int, limit: int
) -> Iterator[str]:
    """The report for people: what is counted, then the latest differences."""
    yield f"shadow {deciding.version}: {found.leads:,} leads"
    for what, number in found.counted.items():
        yield f"  {what}: {number:,}"
    if strangers:
        yield f"! {strangers:,} assignments are of nobody that came in as an event"
    for name, number in found.unknown.items():
        yield f'! "{name}" got {number:,} leads and is neither a person nor a pool of the agreement'
    shown = found.differences[-limit:] if limit else ()
    if shown:
        yield ""
    for one in shown:
        yield f"{written(one.at_ms)}  {one.lead_id}  {one.what}: {_words(one)}"
    if len(shown) < len(found.differences):
        yield f"{len(found.differences) - len(shown):,} more; --limit or --json shows them"


def _words(one: Decision) -> str:
    own = "nobody" if one.pool is None else f"{one.pool}, {one.level}"
    level = f", {one.other_level}" if one.other_level else ""
    other = "nobody" if one.other is None else f"{one.other}{level}"
    when = f" at {written(one.other_at_ms)}" if one.other_at_ms not in (None, one.at_ms) else ""
    return f"shadow {own}; beside it {other}{when}"
