"""Where a sending command sends to: found from its options, the environment, or what runs on this
machine. And its report."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO

import httpx
import typer
from confluent_kafka import Producer
from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from baton.cli.cluster import cluster_settings
from baton.cli.patience import patience
from baton.clients import confluent_producer_options
from baton.importing.senders import HttpSender, KafkaSender, known_key
from baton.importing.sending import Sender, SendingStopped, Tally, Trouble
from baton.local.up.run_record import read_run
from baton.local.up.write_key import key_file
from baton.settings import load_settings

_MAX_SHOWN = 20
_TIMEOUT_S = 30.0


class Via(StrEnum):
    """The way in."""

    HTTP = "http"
    KAFKA = "kafka"


class GatewayUnknown(LookupError):
    """Nothing says where the gateway is; the text says how to say it."""


class SenderSettings(BaseSettings):
    """What a sender can be set to by ``BATON_*``."""

    model_config = SettingsConfigDict(
        env_prefix="BATON_", frozen=True, extra="ignore", env_ignore_empty=True
    )

    gateway_url: str | None = Field(
        None,
        description=(
            "URL of the gateway that `send` and `import` use; without it the one that runs on this "
            "machine"
        ),
    )
    write_key: SecretStr | None = Field(
        None,
        description="Write key that they send; without it the one generated for the run on this "
        "machine",
    )


@contextmanager
def sender_for(
    via: Via, *, to: str | None, key: str | None, source: str, patience_s: float
) -> Iterator[Sender]:
    """The sender a command asked for; raises :class:`GatewayUnknown` or ``NoBroker``."""
    if via is Via.KAFKA:
        settings = cluster_settings()
        options = {
            **confluent_producer_options(settings),
            "linger.ms": 5,
            "compression.type": "zstd",
        }
        options["delivery.timeout.ms"] = int(patience_s * 1000)
        producer = Producer(options)
        with KafkaSender(
            producer, namespace=settings.namespace, source=source, timeout_s=patience_s + 5
        ) as kafka:
            yield kafka
        return
    own = SenderSettings()
    shown = key or (
        own.write_key.get_secret_value()
        if own.write_key
        else known_key(key_file(load_settings().home))
    )
    client = httpx.Client(
        base_url=to or own.gateway_url or _running_gateway(),
        auth=(shown, "") if shown else None,
        timeout=_TIMEOUT_S,
    )
    with HttpSender(client, patience_s=patience_s) as http:
        yield http


def _running_gateway() -> str:
    run = read_run(load_settings().home)
    found = (
        [process.addresses["http"] for process in run.processes if "http" in process.addresses]
        if run
        else []
    )
    if not found:
        raise GatewayUnknown(
            "no gateway runs here: start Baton with `baton up`, or give one with --to or "
            "BATON_GATEWAY_URL"
        )
    return found[0]


@contextmanager
def opened(file: str) -> Iterator[BinaryIO]:
    """The file, or standard input for ``-``."""
    if file == "-":
        yield sys.stdin.buffer
        return
    try:
        found = Path(file).open("rb")  # noqa: SIM115 - closed below
    except OSError as error:
        raise typer.BadParameter(f"{file}: {error.strerror}", param_hint="FILE") from None
    with found:
        yield found


@contextmanager
def reporting(file: str, ledger: Path | None, *, as_json: bool) -> Iterator[Tally]:
    """A tally that reports each trouble as it comes, and at the end the sum; leaves with exit code
    1 if anything was not accepted."""
    console = Console(stderr=True, soft_wrap=True)
    name = "standard input" if file == "-" else file

    def show(number: int, trouble: Trouble, words: str) -> None:
        if number <= _MAX_SHOWN:
            console.print(
                f"{name}:{trouble.number}: {words}{trouble.problem}", highlight=False, markup=False
            )

    tally = Tally()
    tally.on_trouble = lambda trouble: show(tally.reported + 1, trouble, "")
    tally.on_note = lambda trouble: show(tally.noted, trouble, "left out: ")
    stopped: SendingStopped | None = None
    with ledger.open("a") if ledger else _nothing() as tally.ledger:
        try:
            yield tally
        except SendingStopped as error:
            stopped = error
    if (more := max(0, tally.reported - _MAX_SHOWN) + max(0, tally.noted - _MAX_SHOWN)) > 0:
        console.print(f"... and {more} more; --json lists them", highlight=False)
    if as_json:
        typer.echo(
            json.dumps(
                tally.document() | ({"stopped": str(stopped)} if stopped else {}),
                ensure_ascii=False,
            )
        )
    else:
        _say(console, tally, stopped)
    if stopped or tally.rejected or tally.unacknowledged:
        raise typer.Exit(1)


@contextmanager
def progress(file: BinaryIO, *, quiet: bool) -> Iterator[BinaryIO]:
    """The same file, with a bar on the terminal that follows the reading; where none can be, a line
    every two seconds."""
    console = Console(stderr=True)
    if quiet:
        yield file
        return
    if not console.is_terminal or not file.seekable():
        with patience(console, "sending ..."):
            yield file
        return
    total = file.seek(0, 2)
    file.seek(0)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
    )
    with (
        Progress(*columns, console=console, transient=True) as bar,
        bar.wrap_file(file, total, description="sending") as wrapped,
    ):
        yield wrapped


@contextmanager
def _nothing() -> Iterator[None]:
    yield None


def _say(console: Console, tally: Tally, stopped: SendingStopped | None) -> None:
    if stopped:
        console.print(f"[bold red]stopped:[/] {stopped}", highlight=False)
    words = f"{tally.accepted} accepted, {tally.rejected} rejected"
    if tally.unacknowledged:
        words += f", {tally.unacknowledged} not acknowledged (sending the same file again is safe)"
    if tally.noted:
        words += f"; {tally.noted} values noted"
    console.print(f"{tally.read} read: {words}", highlight=False)
