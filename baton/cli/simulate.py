"""``baton simulate``: what would Baton do with these events under this agreement?"""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.table import Table

from baton.cli.moments import moment_ms, written
from baton.cluster.decoded import as_document
from baton.simulation.records import as_record
from baton.simulation.simulation import Arrival, Simulation, arrivals_of

app = typer.Typer(add_completion=False)


class LinesRefused(ValueError):
    """A line of the file has no moment; the text names the first one."""


@app.command(
    no_args_is_help=True,
    epilog="Example:  baton simulate --agreement examples/agreements/software.yaml --events schemas/examples/events.jsonl --json",
)
def simulate(
    agreement: Path = typer.Option(..., "--agreement", exists=True, dir_okay=False, help="The agreement (YAML)."),
    events: Path = typer.Option(..., "--events", exists=True, dir_okay=False, help="Events, one JSON object a line."),
    until: str = typer.Option(None, "--until", help="Let time go on until then, so that clocks run out: an ISO time."),
    as_json: bool = typer.Option(False, "--json", help="Every public fact in order, one JSON object a line, with its topic."),
) -> None:
    """Run the whole system in memory, in fast time, and print every public fact in order.

    A line has `occurred_at` and, where it came later or out of order, `arrived_at`, which is its log time. Timers fire as time passes.
    No broker is needed and nothing is sent anywhere.
    """
    text, version = _agreement(agreement)
    arrivals = _arrivals(events)
    if not arrivals:
        raise typer.BadParameter("the file has no events", param_hint="--events")
    simulation = Simulation(text=text, version=version, start_ms=arrivals[0].at_ms)
    counted: Counter[tuple[str, str]] = Counter()
    for stored in simulation.run(arrivals, moment_ms(until) if until else None):
        document = as_document(as_record(stored))
        if as_json:
            typer.echo(json.dumps(document, ensure_ascii=False))
        else:
            counted[stored.topic, _what(document)] += 1
    if not as_json:
        _summary(counted, len(arrivals), simulation.host.log.now)


def _agreement(path: Path) -> tuple[str, str]:
    """Canonical text and version; raises the agreement's own errors with their lines."""
    from baton.agreement.canonical import canonical_text, version_of
    from baton.agreement.source.read import read_agreement

    text = canonical_text(read_agreement(path))
    return text, version_of(text)


def _arrivals(path: Path) -> list[Arrival]:
    lines: list[tuple[bytes, dict[str, Any]]] = []
    for number, raw in enumerate(path.read_bytes().splitlines(), start=1):
        if raw.strip():
            lines.append((raw, _dated(raw, f"{path.name}:{number}")))
    return arrivals_of(lines)


def _dated(raw: bytes, place: str) -> dict[str, Any]:
    """Only the moment matters here: whether the line is otherwise right is for admit to say, as it would live."""
    try:
        parsed = json.loads(raw)
        arrivals_of([(raw, parsed)])
    except (ValueError, KeyError, TypeError, AttributeError):
        raise LinesRefused(f"{place}: is not a JSON object with an occurred_at such as 2026-11-22T09:00:00Z") from None
    return dict(parsed)


def _what(document: dict[str, Any]) -> str:
    value = document.get("value")
    if not isinstance(value, dict):
        return ""
    for name in ("to_stage", "state", "kind", "outcome", "level"):
        if value.get(name):
            return str(value[name])
    return ""


def _summary(counted: Counter[tuple[str, str]], lines: int, now: int) -> None:
    table = Table(box=None, header_style="bold", title=f"{lines} events, until {written(now)}", title_justify="left")
    for heading in ("topic", "what", "facts"):
        table.add_column(heading, justify="right" if heading == "facts" else "left")
    for (topic, what), number in sorted(counted.items()):
        table.add_row(topic, what, str(number))
    Console().print(table)
