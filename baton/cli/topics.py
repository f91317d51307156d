"""``baton topics``: the catalogue, made on a cluster or compared with it."""

import json
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

import typer
from rich.console import Console
from rich.table import Table

from baton import __version__
from baton.cli.cluster import cluster_settings
from baton.clients import confluent_options
from baton.cluster.layout import layout_of
from baton.cluster.topic_layout import compare_topics, ensure_topics
from baton.contracts.schemas import shelf
from baton.contracts.topics import TOPICS, Audience, Cleanup, TopicSpec
from baton.registry.asyncapi import asyncapi
from baton.settings import load_settings

app = typer.Typer(add_completion=False)

_DAY_MS = 86_400_000


@app.command(
    epilog=(
        "Examples:  baton topics        baton topics --check        baton topics --make        "
        "baton topics --json | jq '.[].name'        baton topics --asyncapi > asyncapi.json"
    )
)
def topics(
    check: bool = typer.Option(
        False, "--check", help="Compare the cluster with the catalogue; exit 1 where they differ."
    ),
    make: bool = typer.Option(
        False, "--make", help="Make the topics that are missing; nothing that is there is changed."
    ),
    document: bool = typer.Option(
        False, "--asyncapi", help="Print the public topics as an AsyncAPI 3.1 document (JSON)."
    ),
    everything: bool = typer.Option(False, "--all", help="Show the engine's own topics too."),
    as_json: bool = typer.Option(False, "--json", help="One JSON document on standard output."),
) -> None:
    """The topics: what is in them, who writes and who reads them, how long they are kept."""
    if document:
        typer.echo(json.dumps(_asyncapi(), indent=2))
        return
    if make:
        _make(as_json)
    if check:
        raise typer.Exit(_check(as_json))
    if not make:
        shown = [
            spec for spec in TOPICS.values() if everything or spec.audience is not Audience.ENGINE
        ]
        _show(shown, as_json)


def _asyncapi() -> dict[str, Any]:
    return asyncapi(shelf(), namespace=load_settings().namespace, version=__version__)


def _make(as_json: bool) -> None:
    settings = cluster_settings()
    made = ensure_topics(confluent_options(settings), layout_of(settings))
    if not as_json:
        typer.echo(f"{len(made)} topics made" if made else "every topic is there already")


def _check(as_json: bool) -> int:
    settings = cluster_settings()
    found = compare_topics(confluent_options(settings), layout_of(settings))
    if as_json:
        typer.echo(json.dumps([asdict(difference) for difference in found]))
    elif found:
        typer.echo("\n".join(str(difference) for difference in found), err=True)
        typer.echo(
            "missing topics are made by: baton topics --make; what differs is for you to decide",
            err=True,
        )
    else:
        typer.echo(f"{len(TOPICS)} topics are as the catalogue says")
    return 1 if found else 0


def _show(shown: Iterable[TopicSpec], as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps([described(spec) for spec in shown]))
        return
    table = Table(box=None, header_style="bold")
    for heading in ("topic", "record", "key", "writer", "readers", "kept", "what it says"):
        table.add_column(heading, overflow="fold")
    for spec in shown:
        row = described(spec)
        table.add_row(
            *(
                str(row[name])
                for name in ("name", "record", "key", "writer", "readers", "kept", "says")
            )
        )
    Console().print(table)


def described(spec: TopicSpec) -> dict[str, str]:
    """A topic in words: a row of the table here and in the README."""
    readers = [
        *spec.readers,
        *(["everyone"] if spec.audience is Audience.PUBLIC and not spec.outside else []),
    ]
    return {
        "name": spec.name,
        "record": spec.record.__name__ if spec.record else "bytes",
        "key": spec.key,
        "writer": spec.writer,
        "readers": ", ".join(readers),
        "kept": kept(spec),
        "says": spec.says,
        "audience": spec.audience.value,
    }


def kept(spec: TopicSpec) -> str:
    """How long records stay, in words."""
    if spec.cleanup is Cleanup.COMPACT:
        return "the latest of each key"
    if spec.retention_ms is None:
        return "for ever"
    days, rest = divmod(spec.retention_ms, _DAY_MS)
    return f"{days} days" if days and not rest else f"{spec.retention_ms // 3_600_000} hours"
