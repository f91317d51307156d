"""``baton dlq``: dead letters, looked at and sent in again."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import typer
from confluent_kafka import KafkaError, Producer
from rich.console import Console
from rich.table import Table

from baton.cli.cluster import cluster_settings
from baton.cli.moments import moment_ms, written
from baton.clients import confluent_options
from baton.cluster.decoded import as_line
from baton.cluster.log import LogReader, Record
from baton.contracts.topic_names import INTAKE_ALIASES, INTAKE_KEYED, LEADS_INBOX
from baton.contracts.topics import DLQ_PREFIX, TOPICS, physical
from baton.lead_story.forgotten_letters import forgotten
from baton.lead_story.reports import erasures, values_of
from baton.settings import Settings
from baton.simulation.tally import number_of
from baton.sources.dead_letter_replay import SOURCE_HEADER

app = typer.Typer(
    add_completion=False,
    help=(
        "Dead letters: what external systems sent and could not be taken, with its bytes and "
        "the reason."
    ),
)

DEAD_LETTER_TOPICS = tuple(name for name in TOPICS if name.startswith(DLQ_PREFIX))
REPLAYED_HEADER = "baton_replayed_from"
_FLUSH_S = 60.0
_OWN_HEADERS = "__dlq."
_ERASED = b"left out: it names somebody who was erased"


class ReplayFailed(RuntimeError):
    """A record could not be sent in again; those before it were."""


def dead_letters(settings: Settings, since: str | None) -> Iterator[Record]:
    """All dead letters, or those since a moment."""
    with LogReader(confluent_options(settings), settings.namespace) as reader:
        places = {topic: list(range(reader.partitions(topic))) for topic in DEAD_LETTER_TOPICS}
        yield from reader.read(places, since_ms=moment_ms(since) if since else None)


def forgotten_on(settings: Settings) -> Callable[[Record], bool]:
    """Says of a dead letter whether it names somebody who was erased after it came."""
    with LogReader(confluent_options(settings), settings.namespace) as reader:
        keyed = ((record.at_ms, value) for record, value in values_of(reader, INTAKE_KEYED, None))
        aliases = ((record.at_ms, value) for record, value in values_of(reader, INTAKE_ALIASES))
        known = forgotten(erasures(keyed, ()), aliases)

    def is_forgotten(record: Record) -> bool:
        own = [value for name, value in record.headers if not name.startswith(_OWN_HEADERS)]
        return known.names([record.key, record.value, *own], record.at_ms)

    return is_forgotten


def _redacted(record: Record) -> Record:
    headers = tuple(found for found in record.headers if found[0].startswith(_OWN_HEADERS))
    return record._replace(key=None, value=_ERASED, headers=headers)


def _place(record: Record) -> str:
    return f"{record.topic}/{record.partition}/{record.offset}"


_SINCE = typer.Option(
    None, "--since", help="Only what came after: an ISO time, or 15m, 2h, 3d ago."
)


@app.command("list", epilog="Example:  baton dlq list --since 1d")
def list_(
    since: str = _SINCE,
    as_json: bool = typer.Option(False, "--json", help="One JSON object a line."),
) -> None:
    """Every dead letter: where it lies, from where it came, and why it was not taken."""
    settings = cluster_settings()
    counted: Counter[str] = Counter()
    table = Table(box=None, header_style="bold")
    for heading in ("place", "came", "code", "reason"):
        # it is copied into the next command
        table.add_column(heading, overflow="fold", no_wrap=heading == "place")
    for record in dead_letters(settings, since):
        code, reason = (
            record.header("__dlq.errors.code") or "?",
            record.header("__dlq.errors.message") or "",
        )
        counted[code] += 1
        if as_json:
            typer.echo(
                json.dumps(
                    {"place": _place(record), "at_ms": record.at_ms, "code": code, "reason": reason}
                )
            )
        else:
            table.add_row(_place(record), written(record.at_ms), code, reason)
    if not as_json:
        Console().print(table if counted else "no dead letters")
        if counted:
            Console().print(
                ", ".join(f"{code}: {number}" for code, number in counted.most_common())
            )


@app.command(no_args_is_help=True, epilog="Example:  baton dlq show dlq.leads.inbox.v1/2/17")
def show(
    place: str = typer.Argument(help="topic/partition/offset, as `baton dlq list` prints it."),
) -> None:
    """One dead letter whole: its bytes (as text, or base64 where they are none), headers and
    reason.

    Of one that names somebody who was erased since, the reason alone is shown.
    """
    settings = cluster_settings()
    letters = dead_letters(settings, None)
    found = next((record for record in letters if _place(record) == place), None)
    if found is None:
        raise typer.BadParameter(f"there is no dead letter at {place}; see: baton dlq list")
    typer.echo(as_line(_redacted(found) if forgotten_on(settings)(found) else found))


@app.command(
    epilog=(
        "Examples:  baton dlq replay --code malformed --since 1d --dry-run        baton dlq replay "
        "--place dlq.leads.inbox.v1/2/17"
    )
)
def replay(
    place: list[str] = typer.Option(
        [], "--place", help="Only this one; may be given several times."
    ),
    code: str = typer.Option(None, "--code", help="Only those with this code."),
    since: str = _SINCE,
    dry_run: bool = typer.Option(
        False, "--dry-run", help="Say what would be sent, and send nothing."
    ),
) -> None:
    """Send dead letters in again, with the bytes, key and headers they had, and a header that says
    so.

    An event that was taken in the meantime is recognised by its id and changes nothing, so
    replaying twice does no harm. One that names somebody who was erased since is left out.
    """
    settings = cluster_settings()
    # What a source has sent is no event line: `baton source replay` maps it.
    wanted = [
        record
        for record in dead_letters(settings, since)
        if (not place or _place(record) in place)
        and code in (None, record.header("__dlq.errors.code"))
        and record.header(SOURCE_HEADER) is None
    ]
    is_forgotten = forgotten_on(settings) if wanted else lambda record: False
    kept = [record for record in wanted if not is_forgotten(record)]
    if not dry_run:
        send_again(settings, kept)
    typer.echo(
        f"{number_of(len(kept), 'dead letter')} {'would be ' if dry_run else ''}sent in again"
    )
    say_left_out(len(wanted) - len(kept))


def say_left_out(count: int) -> None:
    """Say on standard error how many letters are not sent again for the people they name."""
    if count:
        left = number_of(count, "dead letter")
        typer.echo(f"left out: {left} of people who were erased since", err=True)


def send_again(settings: Settings, records: list[Record]) -> None:
    """Produce each record to the topic it came from; raises :class:`ReplayFailed` unless the broker
    has them all."""
    with _sending(settings, len(records)) as produce:
        for record in records:
            headers: list[tuple[str, str | bytes | None]] = [
                header for header in record.headers if not header[0].startswith("__dlq.")
            ]
            headers.append((REPLAYED_HEADER, _place(record).encode()))
            topic = physical(settings.namespace, record.topic.removeprefix(DLQ_PREFIX))
            produce(topic, key=record.key, value=record.value, headers=headers)


def send_lines(settings: Settings, lines: list[bytes]) -> None:
    """Produce event lines to the inbox; raises :class:`ReplayFailed` unless the broker has them
    all."""
    with _sending(settings, len(lines)) as produce:
        for line in lines:
            produce(physical(settings.namespace, LEADS_INBOX), value=line)


@contextmanager
def _sending(settings: Settings, count: int) -> Iterator[Callable[..., None]]:
    failed: list[KafkaError] = []
    producer = Producer(
        {**confluent_options(settings), "enable.idempotence": True, "partitioner": "murmur2_random"}
    )

    def produce(topic: str, **record: Any) -> None:
        producer.produce(
            topic,
            **record,
            on_delivery=lambda error, _: failed.append(error) if error is not None else None,
        )
        producer.poll(0)

    yield produce
    left = producer.flush(_FLUSH_S)
    if failed or left:
        why = failed[0].str() if failed else "no answer from the broker"
        raise ReplayFailed(
            f"{len(failed) + left} of {count} dead letters were not sent in again: {why}"
        )
