"""``baton status``: every process of this user's Baton, with its pid, address and state."""

import json
from dataclasses import dataclass, field

import typer
from rich.console import Console
from rich.table import Table

from baton.cluster.ready import answers
from baton.local.broker.broker_record import BrokerRecord, broker_home, running_process
from baton.local.broker.free_ports import is_free
from baton.local.up.readiness import look_at
from baton.local.up.run_record import ProcessState, RunRecord, RunState, read_run
from baton.processes import is_running
from baton.settings import Settings, load_settings

app = typer.Typer(add_completion=False)

_STOPPED = "stopped"
_KILLED = "killed"
_ANSWER_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One process as it is reported."""

    name: str
    pid: int | None
    state: ProcessState
    reasons: tuple[str, ...] = ()
    addresses: dict[str, str] = field(default_factory=dict)
    log: str = ""
    restarts: int = 0

    def as_json(self) -> dict[str, object]:
        """For scripts."""
        return {
            "name": self.name,
            "pid": self.pid,
            "state": self.state.value,
            "reasons": list(self.reasons),
            "addresses": self.addresses,
            "log": self.log,
            "restarts": self.restarts,
        }


@app.command(
    epilog=(
        'Example:  baton status --json | jq -r \'.processes[] | select(.name == "gateway") | '
        ".addresses.http'"
    )
)
def status(
    as_json: bool = typer.Option(False, "--json", help="One JSON object on standard output."),
) -> None:
    """What runs: every process with its pid, addresses and state. Exit 0 when all of it is ready,
    else 1.

    States: ready; alive (answers, but is not ready: the reason is below the table); starting (does
    not listen yet); silent (listens, but does not answer: it hangs); gone (ended).
    """
    settings = load_settings()
    run = read_run(settings.home)
    rows = rows_of(settings, run)
    word = state_word(run)
    if as_json:
        typer.echo(json.dumps(_document(settings, run, word, rows), indent=2))
    else:
        _show(Console(), run, word, rows)
    ready = word == RunState.RUNNING and all(row.state is ProcessState.READY for row in rows)
    raise typer.Exit(0 if ready else 1)


def state_word(run: RunRecord | None) -> str:
    """The state of the run in a word; ``killed`` where it ended without cleaning up (the next `up`
    or `down` does)."""
    if run is None:
        return _STOPPED
    return run.state.value if is_running(run.supervisor) else _KILLED


def rows_of(settings: Settings, run: RunRecord | None) -> list[Row]:
    """The processes as they are now: supervisor, broker, services."""
    rows = []
    if run is not None:
        state = ProcessState.READY if is_running(run.supervisor) else ProcessState.GONE
        rows.append(
            Row(
                name="up",
                pid=run.supervisor.pid,
                state=state,
                log=str(settings.home / "logs" / "up.log"),
            )
        )
    if (broker := _broker_row(settings, run)) is not None:
        rows.append(broker)
    return rows + [
        Row(
            name=process.name,
            pid=process.mark.pid,
            state=seen.state,
            reasons=seen.reasons,
            addresses=dict(process.addresses),
            log=process.log,
            restarts=process.restarts,
        )
        for process in (run.processes if run is not None else ())
        for seen in (look_at(process),)
    ]


def _broker_row(settings: Settings, run: RunRecord | None) -> Row | None:
    """The embedded broker where one runs, or where the run has one that ought to."""
    home = broker_home(settings.home)
    record, owned = running_process(home), run is not None and run.owns_broker
    if record is None and not owned:
        return None
    return Row(
        name="broker",
        pid=None if record is None else record.mark.pid,
        state=ProcessState.GONE if record is None else _state_of_broker(record),
        addresses={} if record is None else {"kafka": record.bootstrap},
        log=str(home / "kafka.log"),
        restarts=run.broker_restarts if run is not None and owned else 0,
    )


def _state_of_broker(record: BrokerRecord) -> ProcessState:
    if record.fencing:
        return ProcessState.STARTING
    if answers(record.bootstrap, timeout_s=_ANSWER_S):
        return ProcessState.READY
    # a port that can be bound is one where nobody listens
    return ProcessState.STARTING if is_free(record.port) else ProcessState.SILENT


def _document(
    settings: Settings, run: RunRecord | None, word: str, rows: list[Row]
) -> dict[str, object]:
    return {
        "state": word,
        "namespace": run.namespace if run is not None else settings.namespace,
        "bootstrap": (run.bootstrap if run is not None else settings.bootstrap) or None,
        "home": str(settings.home),
        "processes": [row.as_json() for row in rows],
    }


def _show(console: Console, run: RunRecord | None, word: str, rows: list[Row]) -> None:
    if not rows:
        console.print("nothing runs; start it with: baton up")
        return
    where = f", Kafka at {run.bootstrap}" if run is not None and run.bootstrap else ""
    console.print(f"{word}{where}", highlight=False)
    console.print(table_of(rows))
    for row in rows:
        for reason in row.reasons:
            console.print(f"{row.name}: {reason}", highlight=False, markup=False)


def table_of(rows: list[Row]) -> Table:
    """The processes as a table, for here and for the live view of ``up``."""
    table = Table(box=None, header_style="bold", padding=(0, 2, 0, 0))
    for heading in ("process", "pid", "state", "restarts", "addresses"):
        table.add_column(
            heading, justify="right" if heading in ("pid", "restarts") else "left", overflow="fold"
        )
    colours = {ProcessState.READY: "green", ProcessState.GONE: "red"}
    for row in rows:
        state = f"[{colours.get(row.state, 'yellow')}]{row.state}[/]"
        addresses = "  ".join(row.addresses.values())
        table.add_row(
            row.name,
            str(row.pid or ""),
            state,
            str(row.restarts) if row.restarts else "",
            addresses,
        )
    return table
