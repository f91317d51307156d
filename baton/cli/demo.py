"""``baton demo``: a simulated company on a Baton of its own, with a summary that must add up."""

import json
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path

import typer
from rich.console import Console
from rich.live import Live
from rich.table import Table

from baton.cli.board import entrance_to
from baton.cli.downloading import download_shown
from baton.clients import confluent_options
from baton.cluster.layout import layout_of
from baton.cluster.log import LogReader
from baton.cluster.topic_layout import delete_topics
from baton.contracts.topic_names import (
    LEADS_ACCEPTED,
    LEADS_ACTS,
    LEADS_INBOX_DEAD_LETTERS,
    LEADS_MERGES,
    LEADS_QUALIFIED,
    LEADS_REACTIVATED,
    LEADS_RECYCLED,
    LEADS_REFUSALS,
    LEADS_ROUTED_SALES,
    LEADS_ROUTED_SDR,
    LEADS_SCORED,
    LEADS_SLA_ACTIONS,
    LEADS_UNROUTED,
)
from baton.flow import board_commands
from baton.local.demo.company import visitors
from baton.local.demo.demo_run import Demo
from baton.local.demo.log_sums import count
from baton.local.demo.past import simulate_past
from baton.local.demo.sums import Sums, differences, faults
from baton.local.up.preparing import example_agreement, prepare_cluster
from baton.local.up.services import service_commands
from baton.local.up.system import System
from baton.local.up.write_key import key_file
from baton.settings import Settings, load_settings

app = typer.Typer(add_completion=False)

_SHOW_S = 0.5
_QUIET_S = 5.0
_LONGEST_AFTERMATH_S = 20.0
_SETTLE_S = 30.0
_SHOWN = (
    LEADS_ACCEPTED,
    LEADS_ACTS,
    LEADS_INBOX_DEAD_LETTERS,
    LEADS_MERGES,
    LEADS_SCORED,
    LEADS_QUALIFIED,
    LEADS_ROUTED_SDR,
    LEADS_ROUTED_SALES,
    LEADS_UNROUTED,
    "clock met",
    "violation warning",
    "violation breach",
    LEADS_SLA_ACTIONS,
    LEADS_RECYCLED,
    LEADS_REACTIVATED,
    LEADS_REFUSALS,
)


@app.command(epilog="Example:  baton demo --leads 200 --seconds 60 --seed 7")
def demo(
    leads: int = typer.Option(80, "--leads", min=1, max=20_000, help="How many visitors come by."),
    seconds: int = typer.Option(30, "--seconds", min=5, max=3600, help="Over how long."),
    seed: int = typer.Option(1, "--seed", help="Another seed, another company."),
    past: int = typer.Option(
        120, "--past", min=0, max=5_000, help="How many leads the year before had; 0: no year."
    ),
    stay: bool = typer.Option(
        False, "--stay", help="Keep everything running after the summary, until Ctrl-C."
    ),
    as_json: bool = typer.Option(
        False, "--json", help="The summary as one JSON document on standard output."
    ),
) -> None:
    """Run a small simulated company against clocks of seconds, show it live, and sum up.

    The board has its year before, played in simulated time under the same agreement with hours for
    seconds; so each of its pages has something to show.

    It starts a Baton of its own on free ports (its own broker, too, unless BATON_BOOTSTRAP names
    one), publishes a demonstration agreement, sends visitors over HTTP and Kafka, with duplicates
    and rubbish among them, and lets simulated people accept, call, qualify, reject or forget what
    they are given. Exit code 1 if what came in and what came out do not add up.
    """
    console = Console(stderr=True)
    scale = Scale(leads=leads, seconds=seconds, seed=seed, past=past)
    sums, wrong = _ended(console, scale, stay=stay)
    if as_json:
        typer.echo(json.dumps(asdict(sums) | {"duplicates": sums.duplicates, "faults": wrong}))
    else:
        Console().print(_summary(sums))
    for words in wrong:
        console.print(f"[bold red]does not add up:[/] {words}")
    if wrong:
        raise typer.Exit(1)
    console.print("[bold green]it all adds up[/]")


def _ended(console: Console, scale: "Scale", *, stay: bool) -> tuple[Sums, list[str]]:
    """Run it in a home of its own; however it is ended, nothing stays behind."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    home = Path(tempfile.mkdtemp(prefix="baton-demo-"))
    _own_environment(home)
    try:
        return _run(
            load_settings(),
            console,
            scale,
            after=lambda wrong: _stay(console) if stay and not wrong else None,
        )
    except KeyboardInterrupt:
        console.print("stopped")
        raise typer.Exit(130) from None
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _own_environment(home: Path) -> None:
    """What the services of this run are given, over whatever the caller's environment says of
    another one."""
    os.environ |= {
        "BATON_HOME": str(home),
        "BATON_NAMESPACE": f"demo-{os.getpid()}",
        "BATON_PARTITIONS": "2",
        "BATON_AGREEMENT": str(example_agreement().with_name("demo.yaml")),
        "BATON_BROKER_PORT": "0",
        "BATON_GATEWAY_PORT": "0",
        "BATON_METRICS_PORT": "0",
        "BATON_BOARD_PORT": "0",
        "BATON_DELIVERY_PORT": "0",
        "BATON_DELIVERY_CONCIERGE_PORT": "0",
    }
    for name in ("BATON_WRITE_KEYS", "BATON_WRITE_KEYS_FILE", "BATON_INSECURE"):
        os.environ.pop(name, None)
    load_settings.cache_clear()


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """How much of it: ``leads`` over ``seconds``, live; ``past`` leads of the year before."""

    leads: int
    seconds: int
    seed: int
    past: int


def _run(
    settings: Settings, console: Console, scale: Scale, after: Callable[[list[str]], None]
) -> tuple[Sums, list[str]]:
    """The sums, and what does not add up. ``after``: called with that before everything ends."""
    began_ms = int(time.time() * 1000)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        past = pool.submit(_make_past, began_ms, scale) if scale.past else None
        system = System(
            settings,
            prepare=lambda reached: _prepare(reached, past, console),
            commands=service_commands,
            say=console.print,
            progress=download_shown(console),
        )
        with system.running():
            reached = system.settings
            try:
                company = _played(system, console, scale)
                sums, wrong = _settled(reached, company, began_ms)
                after(wrong)
                return sums, wrong
            finally:
                if not settings.embedded:
                    delete_topics(confluent_options(reached), layout_of(reached))


def _make_past(until_ms: int, scale: Scale) -> None:
    """In a process of its own, while the broker starts."""
    text = Path(os.environ["BATON_AGREEMENT"]).read_text()
    past = simulate_past(text, until_ms=until_ms, leads=scale.past, seed=scale.seed)
    board_commands().seed_board(load_settings(), past.history, past.noted, until_ms)


def _prepare(settings: Settings, past: "Future[None] | None", console: Console) -> None:
    prepare_cluster(settings, console.print)
    if past is not None:
        console.print("playing the year before")
        past.result()


def _played(system: System, console: Console, scale: Scale) -> Demo:
    """The live part, to its end."""
    reached = system.settings
    script = visitors(
        leads=scale.leads,
        span_ms=scale.seconds * 1000,
        seed=scale.seed,
        begins_ms=int(time.time() * 1000),
    )
    company = Demo(
        client=confluent_options(reached),
        namespace=reached.namespace,
        gateway=_gateway(system),
        write_key=key_file(reached.home).read_text().strip().rsplit(":", 1)[1],
        script=script,
    )
    company.start()
    if (entrance := entrance_to(reached)) is not None:
        console.print(f"see it on the board: {entrance}", highlight=False, soft_wrap=True)
    _watch(system, company, console)
    company.stop()
    return company


def _stay(console: Console) -> None:
    console.print("it all adds up; everything stays up until Ctrl-C")
    signal.pause()


def _gateway(system: System) -> str:
    return next(
        process.addresses["http"] for process in system.run.processes if "http" in process.addresses
    )


def _watch(system: System, company: Demo, console: Console) -> None:
    """Until everything is sent and nothing new has come for a while."""
    sent_at: float | None = None
    with Live(console=console, auto_refresh=False, transient=True) as live:
        while True:
            system.tend()
            if company.fault is not None:
                raise company.fault
            if console.is_terminal:
                live.update(_table(company), refresh=True)
            now = time.monotonic()
            sent_at = None if company.waiting else sent_at or now
            if sent_at is not None and (
                now - company.last_news_s > _QUIET_S or now - sent_at > _LONGEST_AFTERMATH_S
            ):
                return
            time.sleep(_SHOW_S)


def _settled(settings: Settings, company: Demo, began_ms: int) -> tuple[Sums, list[str]]:
    """The sums from the log, once what was sent has come through, or as they are after a while; and
    what does not add up, among them and with those of the board."""
    until = time.monotonic() + _SETTLE_S
    while True:
        with LogReader(confluent_options(settings), settings.namespace) as reader:
            sums = count(reader, sent=company.sent, poison=company.poison)
        wrong = faults(sums) + differences(sums, board_commands().board_sums(settings, began_ms))
        if not wrong or time.monotonic() > until:
            return sums, wrong
        time.sleep(_SHOW_S)


def _table(company: Demo) -> Table:
    title = f"{company.sent} sent, {company.waiting} planned"
    table = Table(box=None, show_header=False, title=title, title_justify="left")
    for name in _SHOWN:
        table.add_row(name, str(company.seen[name]))
    return table


def _summary(sums: Sums) -> Table:
    table = Table(box=None, show_header=False, title="Summary", title_justify="left")
    rows = {
        "in": sums.sent,
        "accepted": sums.accepted,
        "duplicate": sums.duplicates,
        "dead-lettered": sums.dead,
        "qualified": sums.qualified,
        "handed over without a way to reach them": sums.uncallable,
        **{f"routed, {pool}": number for pool, number in sorted(sums.routed.items())},
        **{f"violated, {clock}": number for clock, number in sorted(sums.violated.items())},
        **{f"recycled, {reason}": number for reason, number in sorted(sums.recycled.items())},
    }
    for row in rows.items():
        table.add_row(*map(str, row))
    return table
