"""``baton up``: the whole of Baton on this machine, until Ctrl-C or ``baton down``."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

import typer
from rich.console import Console
from rich.live import Live
from rich.markup import escape

from baton.cli.downloading import download_shown
from baton.cli.patience import moves
from baton.cli.status import rows_of, table_of
from baton.local.private_files import OwnLog, open_log, rotate
from baton.local.up.former import refuse_if_running
from baton.local.up.preparing import prepare_cluster
from baton.local.up.run_record import RunState, read_run
from baton.local.up.services import service_commands
from baton.local.up.system import System
from baton.local.up.write_key import key_file
from baton.processes import end, mark_of
from baton.settings import Settings, load_settings

app = typer.Typer(add_completion=False)

_TEND_S = 0.25
_SHOW_S = 1.0
_KEEP_LOG_S = 5.0
_DETACHED_READY_S = 300.0
_STOP_GRACE_S = 60.0


class DetachedFailed(RuntimeError):
    """The run in the background ended before it was ready; the text is what it said."""


@app.command(
    epilog=(
        "Then:  baton status        baton send --help        baton tail leads.routed.sdr.v1        "
        "baton down"
    )
)
def up(
    detach: bool = typer.Option(
        False, "--detach", "-d", help="Run in the background; return when everything is ready."
    ),
) -> None:
    """Start Baton and keep it running: broker (unless BATON_BOOTSTRAP is set), topics, agreement,
    and each service as a process.

    It ends with Ctrl-C or `baton down`, leaving no process behind; what was taken in stays, and the
    next start goes on from there. Ports: BATON_GATEWAY_PORT for HTTP, BATON_METRICS_PORT and the
    next ones for metrics, BATON_BROKER_PORT for Kafka.
    """
    settings = load_settings()
    console = Console(stderr=True)
    if detach:
        _detached(settings, console)
    else:
        _attached(settings, console)


def _attached(settings: Settings, console: Console) -> None:
    asked = _Asked()
    system = System(
        settings,
        prepare=lambda reached: prepare_cluster(reached, lambda text: _say(console, text)),
        commands=service_commands,
        say=lambda text: _say(console, text),
        progress=download_shown(console),
    )
    try:
        with system.running():
            asked.started = True
            _tend(system, console, asked.to_end)
            _say(console, "stopping; what was taken in stays")
    except KeyboardInterrupt:
        _say(console, "stopped before it was ready")
        raise typer.Exit(130) from None
    _say(console, "stopped")


class _Asked:
    """The wish to end. Once, it ends a run in order, or breaks off a start; after that everything
    is being stopped already, and a second Ctrl-C must not keep that from being finished."""

    def __init__(self) -> None:
        self.to_end = threading.Event()
        self.started = False
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._heard)

    def _heard(self, _number: int, _frame: FrameType | None) -> None:
        first = not self.to_end.is_set()
        self.to_end.set()
        if first and not self.started:
            raise KeyboardInterrupt


def _tend(system: System, console: Console, ended: threading.Event) -> None:
    """Look after the services, showing them: a live table on a terminal, one line elsewhere."""
    for line in _welcome(system):
        _say(console, line)
    own_log = OwnLog(_log_of(system.settings))
    with Live(console=console, auto_refresh=False, transient=False) as live:
        shown_at = kept_at = 0.0
        while not ended.wait(_TEND_S):
            system.tend()
            if time.monotonic() - kept_at >= _KEEP_LOG_S:
                with contextlib.suppress(OSError):  # a full disk: what runs goes on
                    own_log.keep()
                kept_at = time.monotonic()
            if moves(console) and time.monotonic() - shown_at >= _SHOW_S:
                live.update(table_of(rows_of(system.settings, system.run)), refresh=True)
                shown_at = time.monotonic()
        live.stop()


def _welcome(system: System) -> list[str]:
    address = next(
        (
            process.addresses["http"]
            for process in system.run.processes
            if "http" in process.addresses
        ),
        None,
    )
    key = key_file(system.settings.home)
    shown = (
        [f"HTTP at {address}" + (f", write key in {key}" if key.exists() else "")]
        if address
        else []
    )
    board = next(
        (
            process.addresses["board"]
            for process in system.run.processes
            if "board" in process.addresses
        ),
        None,
    )
    shown += [f"the board at {board}; a link to enter it: baton board link"] if board else []
    return ["Baton is ready; Ctrl-C stops it", f"Kafka at {system.run.bootstrap}", *shown]


def _say(console: Console, text: str) -> None:
    """One line; with its time where it goes into a file."""
    at = "" if console.is_terminal else f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} "
    console.print(escape(f"{at}{text}"), highlight=False, soft_wrap=True)


def _log_of(settings: Settings) -> Path:
    return settings.home / "logs" / "up.log"


def _said_since(log: Path, place: int) -> list[str]:
    with log.open("rb") as file:
        file.seek(place)
        return file.read().decode(errors="replace").splitlines()


def _detached(settings: Settings, console: Console) -> None:
    refuse_if_running(settings.home)
    path = _log_of(settings)
    rotate(path)
    with open_log(path) as out:
        before = out.tell()
        child = subprocess.Popen(
            [sys.executable, "-m", "baton.cli.main", "up"],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            env=os.environ.copy(),
            start_new_session=True,
        )
    mark = mark_of(child.pid)
    deadline = time.monotonic() + _DETACHED_READY_S
    shown = 0
    while True:
        said = _said_since(path, before)
        for line in said[shown:]:
            console.print(escape(line), highlight=False, soft_wrap=True)
        shown = len(said)
        run = read_run(settings.home)
        if run is not None and run.supervisor.pid == mark.pid and run.state is RunState.RUNNING:
            console.print(table_of(rows_of(settings, run)))
            child.returncode = 0  # it goes on without us; nobody is to wait for it
            return
        if child.poll() is not None:
            raise DetachedFailed(f"it did not become ready; all it said is in {path}")
        if time.monotonic() > deadline:
            end(mark, grace_s=_STOP_GRACE_S)
            raise DetachedFailed(
                f"it was not ready after {_DETACHED_READY_S:.0f} s and was stopped; all it said is "
                f"in {path}"
            )
        time.sleep(_TEND_S)
