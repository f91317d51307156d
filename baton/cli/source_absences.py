"""``baton source absences``: the calendars of the book of people, as absences of the agreement's
people."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import typer

from baton.agreement.compiled.agreement import CompiledAgreement
from baton.agreement.wall_time import zone_named
from baton.cli.absence import publish_absence
from baton.cli.agreement_in_force import compiled_in_force
from baton.cli.cluster import cluster_settings
from baton.cli.moments import written
from baton.clients import confluent_options
from baton.cluster.log import LogReader
from baton.contracts.codec import codec_for
from baton.contracts.reference_records import PeopleRecord
from baton.contracts.topic_names import BATON_PEOPLE
from baton.settings import Settings
from baton.sources.calendar_feed import CalendarWrong, absences_in, to_announce
from baton.sources.calendar_feeds import ANSWER_S, FeedFailed, feed_client, fetch_feed
from baton.sources.people import read_people

_DAY_MS = 86_400_000


def announce_absences(file: Path, *, days: int, dry_run: bool) -> None:
    """Announce what the calendars say for so many days; exit 1 if one of them cannot be read."""
    settings, agreement = cluster_settings(), compiled_in_force()
    book = read_people(file)
    known = list(_known(settings))
    failed = False
    for stranger in book.strangers(agreement.people):
        typer.echo(f"{stranger}: not in the agreement in force; left out")
    for person, place in book.calendars().items():
        if person not in agreement.people:
            continue
        try:
            records = _records(agreement, person, _feed(place, file.parent), known, days)
        except (CalendarWrong, FeedFailed) as error:
            failed = True
            typer.echo(f"{person}: the calendar {error}")
            continue
        for record in records:
            if not dry_run:
                publish_absence(settings, record)
            _report(record, dry_run=dry_run)
        if not records:
            typer.echo(f"{person}: as announced")
    if failed:
        raise typer.Exit(1)


def _report(record: PeopleRecord, *, dry_run: bool) -> None:
    span = f"{written(record.from_ms)} until {written(record.until_ms)} UTC"
    words = "not away any more" if record.cancelled else "away"
    typer.echo(f"{record.person}: {'would be ' if dry_run else ''}{words} from {span}")


def _records(
    agreement: CompiledAgreement, person: str, feed: bytes, known: list[PeopleRecord], days: int
) -> list[PeopleRecord]:
    now_ms = time.time_ns() // 1_000_000
    zone = zone_named(str(agreement.calendar_for(person=person).zone))
    spans = absences_in(feed, from_ms=now_ms, until_ms=now_ms + days * _DAY_MS, zone=zone)
    return to_announce(person, spans, known, now_ms)


def _feed(place: str, folder: Path) -> bytes:
    async def fetched() -> bytes | None:
        async with feed_client() as client, asyncio.timeout(2 * ANSWER_S):
            feed, _ = await fetch_feed(client, place, folder)
        return feed

    try:
        feed = asyncio.run(fetched())
    except TimeoutError:
        raise FeedFailed("does not answer in time") from None
    assert feed is not None, "without a known tag there is always a feed"
    return feed


def _known(settings: Settings) -> Iterator[PeopleRecord]:
    decode = codec_for(PeopleRecord).decode
    with LogReader(confluent_options(settings), settings.namespace) as reader:
        places = {BATON_PEOPLE: list(range(reader.partitions(BATON_PEOPLE)))}
        for record in reader.read(places):
            if record.value is not None:
                yield decode(record.value)
