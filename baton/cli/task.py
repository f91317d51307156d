"""``baton task``: the engine's tasks, and the way out for one that stopped."""

import getpass
import json
from collections.abc import Iterable, Sequence
from typing import Any

import httpx
import typer
from confluent_kafka import KafkaError, Producer
from rich.console import Console
from rich.table import Table

from baton.cli.cluster import cluster_settings
from baton.clients import confluent_producer_options
from baton.contracts.codec import codec_for
from baton.contracts.skip_orders import SkipOrder
from baton.contracts.topic_names import BATON_SKIPS
from baton.contracts.topics import REDUCERS, physical
from baton.local.up.run_record import read_run
from baton.settings import Settings, load_settings

app = typer.Typer(
    add_completion=False,
    help=(
        "Tasks of the engine (a reducer and a partition): what they do, and what to do when one "
        "stopped."
    ),
)

_TIMEOUT_S = 5.0
_FLUSH_S = 30.0
_STOPPED = "stopped"


class OrderNotSent(RuntimeError):
    """The broker did not take an order to skip."""


class PlaceUnknown(ValueError):
    """A place that no task can name."""


@app.command(
    "list",
    epilog="Example:  baton task list --json | "
    "jq -r '.[] | select(.state == \"stopped\") | .reason'",
)
def list_(
    worker: list[str] = typer.Option(
        [],
        "--worker",
        help="Address of a worker's pages; without it those of this user's `baton up`.",
    ),
    as_json: bool = typer.Option(False, "--json", help="One JSON document on standard output."),
) -> None:
    """Every task of the workers asked: state, how far behind it is, and why it stopped. Exit 1 if
    one stopped.

    States: incomplete (another worker has some of the partition's inputs), starting, restoring,
    waiting (for a first agreement), running, lost (starts again by itself), stopped (an operator
    has to act: its record is not processed, those of other tasks are).
    """
    tasks = [task for address in worker or _addresses(load_settings()) for task in _ask(address)]
    if as_json:
        typer.echo(json.dumps(tasks, indent=2))
    else:
        Console().print(
            _table(tasks) if tasks else "no task; is a worker running? see: baton status"
        )
    raise typer.Exit(1 if any(task["state"] == _STOPPED for task in tasks) else 0)


@app.command(
    no_args_is_help=True,
    epilog=(
        "Example:  baton task skip lead 3 'record:leads.accepted.v1@4711' --why 'fixed in the next "
        "release'"
    ),
)
def skip(
    reducer: str = typer.Argument(help="The reducer, as `baton task list` names it."),
    partition: int = typer.Argument(help="Its partition.", min=0),
    place: str = typer.Argument(help="What to leave out, word for word as the task names it."),
    why: str = typer.Option("", "--why", help="For the record; no personal data."),
    by: str = typer.Option(
        None, "--by", help="Who orders it; without it the user of this machine."
    ),
) -> None:
    """Order a stopped task to leave out what stops it, and to go on.

    Correct the code first if you can: what is left out is lost, though the task's journal says so.
    The order lies in the topic baton.skips.v1; the task carries it out wherever it runs. An order
    for a place that never comes up does nothing.
    """
    if not place.startswith(("record:", "wake:", "adopt:", "lost:")) or "@" not in place:
        raise PlaceUnknown(f"{place!r} is no place; copy it from: baton task list")
    if reducer not in REDUCERS:
        raise PlaceUnknown(f"no reducer {reducer!r}; there are {', '.join(REDUCERS)}")
    order = SkipOrder(
        reducer=reducer, partition=partition, place=place, by=by or getpass.getuser(), why=why
    )
    send_order(cluster_settings(), order)
    typer.echo(f"{reducer}[{partition}] will leave out {place}; see: baton task list")


def send_order(settings: Settings, order: SkipOrder) -> None:
    """Append the order; raises :class:`OrderNotSent` unless the broker has it."""
    failed: list[KafkaError] = []
    producer = Producer(confluent_producer_options(settings))
    producer.produce(
        physical(settings.namespace, BATON_SKIPS),
        codec_for(SkipOrder).encode(order),
        f"{order.reducer}/{order.partition}/{order.place}",
        on_delivery=lambda error, _: failed.append(error) if error is not None else None,
    )
    if producer.flush(_FLUSH_S) or failed:
        why = failed[0].str() if failed else "no answer from the broker"
        raise OrderNotSent(f"the order was not sent: {why}")


def _addresses(settings: Settings) -> Sequence[str]:
    run = read_run(settings.home)
    processes = () if run is None else run.processes
    return [process.addresses["metrics"] for process in processes if "metrics" in process.addresses]


def _ask(address: str) -> Iterable[dict[str, Any]]:
    try:
        tasks: list[dict[str, Any]] = (
            httpx.get(f"{address.rstrip('/')}/tasks", timeout=_TIMEOUT_S).raise_for_status().json()
        )
        return tasks
    except httpx.HTTPError as error:
        typer.echo(f"{address} does not answer: {type(error).__name__}", err=True)
        return ()


def _table(tasks: Sequence[dict[str, Any]]) -> Table:
    table = Table(box=None, header_style="bold", padding=(0, 2, 0, 0))
    for heading in ("task", "state", "batch", "behind", "held", "why"):
        table.add_column(
            heading,
            justify="right" if heading in ("batch", "behind", "held") else "left",
            overflow="fold",
        )
    for task in tasks:
        colour = {"running": "green", _STOPPED: "red"}.get(task["state"], "yellow")
        name, state = f"{task['reducer']}[{task['partition']}]", f"[{colour}]{task['state']}[/]"
        table.add_row(
            name.replace("[", "\\["),
            state,
            str(task["batch"]),
            str(task["lag"]),
            str(task["held"]),
            task["reason"],
        )
    return table
