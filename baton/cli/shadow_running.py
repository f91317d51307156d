"""``baton shadow start``, ``status`` and ``stop``: a shadow beside a running Baton.

Rounds of the lean replay, in a process of its own: no worker does more work for it, and what it
gets wrong harms nobody. Its decisions go to a private topic, each once.
"""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict
from itertools import chain
from pathlib import Path
from typing import Any, Final

import typer
from rich.console import Console

from baton.agreement.canonical import compiled_of
from baton.agreement.compiled.agreement import CompiledAgreement
from baton.agreement.publish import wall_ms
from baton.agreement.quantities import parse_duration_ms
from baton.agreement.source.read import read_agreement
from baton.backtest.backtest_run import Replayed, replay_both
from baton.backtest.handed_elsewhere import AssignmentsUnreadable, read_handed
from baton.backtest.history import History
from baton.backtest.live_against import beside_tool
from baton.backtest.live_shadow import (
    Shadow,
    ShadowRefused,
    beginning,
    beside_history,
    ending,
    round_of,
    running,
    shadows_in,
)
from baton.backtest.question import Question
from baton.backtest.raw_facts import RawFact
from baton.backtest.replayed_facts import facts_of_ends
from baton.backtest.shadow_decisions import ShadowReport
from baton.backtest.shadow_topic import ShadowTopic, read_shadows
from baton.cli.cluster import cluster_settings
from baton.cli.moments import written
from baton.cli.patience import patience
from baton.cli.replay_folder import folder_of_own
from baton.cli.replay_source import Source, source_of_cluster
from baton.cli.shadow_words import IN_FORCE, OTHER_TOOL, shadow_lines, shadow_tables
from baton.cli.trial_document import trial_document
from baton.flow import board_commands
from baton.settings import load_settings

AGAINST: Final = typer.Option(
    None,
    "--against",
    exists=True,
    dir_okay=False,
    help="Whom another tool gave leads to: CSV with lead or email, to, and at.",
)


def start(
    agreement: Path = typer.Argument(..., exists=True, dir_okay=False, help="What decides."),
    every: str = typer.Option("15m", "--every", help="A round so often."),
    once: bool = typer.Option(False, "--once", help="One round, for a timer of your own."),
    lag: str = typer.Option(
        "2m", "--lag", help="A round leaves out what came in since then: it may not be whole yet."
    ),
    against: Path | None = AGAINST,
) -> None:
    """Let an agreement decide silently beside the one in force, until it is stopped.

    Each round replays the book of record and adds what it would have decided since to a private
    topic; nobody is notified, no turn is taken, and nothing needs a signature. The differences are
    on the board beside the agreement, where there is a board on this machine. Begun again, it goes
    on; whoever begins it last is the one that runs. With --against they are the differences from
    what another tool did; its file is read anew each round, so let its export replace it.
    """
    wait_ms, lag_ms = _duration_ms(every, "--every"), _duration_ms(lag, "--lag")
    deciding = compiled_of(read_agreement(agreement))
    settings = cluster_settings()
    topic = ShadowTopic(settings)
    begun = beginning(shadows_in(topic.read()), deciding.version, wall_ms())
    if begun is not None:
        topic.add([begun])
    while True:
        shadow = running(shadows_in(topic.read()))
        if shadow is None or shadow.agreement != deciding.version:
            typer.echo(f"shadow {deciding.version} is stopped")
            return
        typer.echo(_round(topic, shadow, deciding, lag_ms, against))
        if once:
            return
        time.sleep(wait_ms / 1000)


def _round(
    topic: ShadowTopic,
    shadow: Shadow,
    deciding: CompiledAgreement,
    lag_ms: int,
    against: Path | None,
) -> str:
    """One round; gives what to say of it."""
    until_ms = max(wall_ms() - lag_ms, shadow.until_ms or shadow.from_ms)
    source = source_of_cluster()
    history = source.history()
    assert history is not None, "a cluster has one"
    question = Question(old=deciding, new=deciding, since_ms=None, until_ms=until_ms)
    replayed = replayed_aside(question, source.facts, history)
    added = topic.add(
        round_of(shadow, replayed.new, history, leads=len(replayed.accounts), until_ms=until_ms)
    )
    (now,) = (one for one in shadows_in(topic.read()) if one.id == shadow.id)
    said = f"{written(until_ms)}: {added - 1:,} decisions more, {len(now.decided):,} so far"
    try:
        trial = (
            _trial(now, beside_history(now, history))
            if against is None
            else _trial(now, *_beside_tool(now, deciding, against, source), tool=True)
        )
    except (OSError, AssignmentsUnreadable) as error:
        return f"{said}; nothing is compared: {error}"  # the next round reads the file again
    page = _put_on_board(trial)
    return said if page is None else f"{said}; on the board: {page}"


def _beside_tool(
    shadow: Shadow, deciding: CompiledAgreement, against: Path, source: Source
) -> tuple[ShadowReport, int]:
    """The differences from another tool, and how many assignments are of nobody that is known."""
    handed, strangers = read_handed(against, source.addresses().get)
    return beside_tool(shadow, deciding, handed), strangers


def replayed_aside(
    question: Question, facts: Callable[[], Iterable[RawFact]], history: History | None = None
) -> Replayed:
    """A replay in a folder of its own, that is gone afterwards, also where it is asked to stop: the
    facts of leads lie in it."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    with (
        folder_of_own(load_settings().home / "shadow") as folder,
        patience(Console(stderr=True), "reading facts") as said,
    ):
        return replay_both(
            question,
            lambda: chain(facts(), facts_of_ends(history)),
            folder,
            workers=os.cpu_count() or 1,
            progress=lambda doing, done, total: said.doing(
                f"{doing}: {done} of {total} files" if total else doing
            ),
        )


def _put_on_board(trial: dict[str, Any]) -> str | None:
    """The differences on the board, if there is one here."""
    settings, commands = load_settings(), board_commands()
    if commands.files_of(settings).current() is None:
        return None
    page: str = commands.keep_trial(settings, trial)
    return page


def _trial(
    shadow: Shadow, found: ShadowReport, strangers: int = 0, *, tool: bool = False
) -> dict[str, Any]:
    words = (
        f"Shadow {shadow.agreement[:12]} beside {OTHER_TOOL if tool else 'the agreement in force'}",
        f"since {written(shadow.from_ms)}, as known {written(shadow.until_ms or shadow.from_ms)}",
        f"{found.leads:,} leads looked at",
    )
    warnings = [
        f"{name} got {number:,} leads and is neither a person nor a pool of the agreement"
        for name, number in found.unknown.items()
    ]
    if strangers:
        warnings.append(f"{strangers:,} assignments are of nobody that came in as an event")
    tables = shadow_tables(found, other=OTHER_TOOL if tool else IN_FORCE)
    return trial_document("shadow", shadow.agreement, words, warnings=warnings, tables=tables)


def status(
    limit: int = typer.Option(40, "--limit", min=0, help="Show so many differences."),
    as_json: bool = typer.Option(False, "--json", help="One JSON document on standard output."),
    against: Path | None = AGAINST,
    agreement: Path | None = typer.Option(
        None, "-a", "--agreement", exists=True, dir_okay=False, help="The shadow's, for --against."
    ),
) -> None:
    """How the shadow's decisions differ from those of the running system, since it began; with
    --against from those of another tool, whose people and pools --agreement knows."""
    found = shadows_in(read_shadows(cluster_settings()))
    if not found:
        raise ShadowRefused("there was no shadow: baton shadow start FILE")
    shadow = found[-1]
    report, strangers = _report(shadow, against, agreement)
    if as_json:
        own = {name: getattr(shadow, name) for name in ("agreement", "from_ms", "until_ms")}
        document = own | asdict(report) | {"stopped_ms": shadow.stopped_ms}
        trial = _trial(shadow, report, strangers, tool=against is not None)
        typer.echo(json.dumps(document | {"strangers": strangers, "trial": trial}))
        return
    lines = shadow_lines(report, shadow.agreement, strangers=strangers, limit=limit)
    for line in chain(lines, [_standing(shadow)]):
        Console().print(line, soft_wrap=True, highlight=False, markup=False)


def _report(
    shadow: Shadow, against: Path | None, agreement: Path | None
) -> tuple[ShadowReport, int]:
    """How it differs, and how many assignments of another tool are of nobody that is known."""
    source = source_of_cluster()
    if against is not None:
        deciding = None if agreement is None else compiled_of(read_agreement(agreement))
        if deciding is None or deciding.version != shadow.agreement:
            raise typer.BadParameter(
                f"--against needs the shadow's agreement, {shadow.agreement}",
                param_hint="--agreement",
            )
        return _beside_tool(shadow, deciding, against, source)
    with patience(Console(stderr=True), "reading history"):
        history = source.history()
    assert history is not None, "a cluster has one"
    return beside_history(shadow, history), 0


def _standing(shadow: Shadow) -> str:
    began = f"since {written(shadow.from_ms)}"
    if shadow.stopped_ms is not None:
        return f"{began}, stopped {written(shadow.stopped_ms)}"
    if shadow.until_ms is None:
        return f"{began}; no round was made yet"
    return f"{began}; what came in until {written(shadow.until_ms)} is decided"


def stop() -> None:
    """End the shadow that runs; what it decided stays on its topic."""
    topic = ShadowTopic(cluster_settings())
    shadow = running(shadows_in(topic.read()))
    if shadow is None:
        typer.echo("no shadow runs")
        return
    topic.add([ending(shadow, wall_ms())])
    typer.echo(f"shadow {shadow.agreement} is stopped")


def _duration_ms(text: str, option: str) -> int:
    try:
        return parse_duration_ms(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=option) from None
