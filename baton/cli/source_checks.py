"""What ``baton doctor`` looks up about the configured sources: the log for their latest events and
dead letters, and the address by which senders reach the gateway, for its clock. Of the log it reads
a bounded number of records, the latest ones."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Protocol

import httpx
from confluent_kafka import KafkaException

from baton.cli.findings import Finding, Verdict
from baton.clients import confluent_options
from baton.cluster.log import LogReader, Record
from baton.contracts.topic_names import INTAKE_KEYED, LEADS_INBOX_DEAD_LETTERS
from baton.local.broker.broker_record import broker_home, running_broker
from baton.settings import Settings
from baton.sources.dead_letter_replay import SOURCE_HEADER
from baton.sources.diagnosis import (
    MAX_DEAD_LETTERS,
    MAX_EVENTS,
    LatestDeadLetter,
    SourceActivity,
    SourceFinding,
    clock_finding,
    diagnose,
    public_urls,
)

_DAY_MS = 86_400_000
_ANSWER_S = 5.0


class LatestRecords(Protocol):
    """The part of :class:`~baton.cluster.log.LogReader` that is needed here."""

    def ends(self, topic: str) -> dict[int, tuple[int, int]]:
        """First and next offset of each partition."""

    def read_from(self, starts: Mapping[tuple[str, int], int | None]) -> Iterator[Record]:
        """The records from the given offsets to the end."""


def source_findings(settings: Settings) -> Iterator[Finding]:
    """The findings of all sources; none where none are configured."""
    configured = os.environ.get("BATON_SOURCES")
    if not configured:
        return
    place = Path(configured)
    found = [*diagnose(place, os.environ, _activity(settings))]
    for one in (*found, *map(_clock_of, sorted(public_urls(place)))):
        verdict = Verdict.WRONG if one.wrong else Verdict.NOTE if one.doubtful else Verdict.GOOD
        yield Finding(check="sources", verdict=verdict, text=one.text)


def _activity(settings: Settings) -> SourceActivity | None:
    """What the sources sent in the last day; None where the log cannot be read."""
    if settings.bootstrap is None:
        running = running_broker(broker_home(settings.home))
        if running is None:
            return None
        settings = settings.model_copy(update={"bootstrap": running.bootstrap})
    since_ms = time.time_ns() // 1_000_000 - _DAY_MS
    try:
        with LogReader(confluent_options(settings), settings.namespace) as reader:
            return activity_in(reader, since_ms)
    except (LookupError, KafkaException):
        return None


def activity_in(reader: LatestRecords, since_ms: int) -> SourceActivity:
    """The latest event and dead letter of each source since a moment, among the latest records."""
    return SourceActivity(
        last_event_ms={
            source: record.at_ms
            for source, record in _latest(
                reader, INTAKE_KEYED, "ce_source", MAX_EVENTS, since_ms
            ).items()
        },
        dead_letters={
            source: _dead_letter_of(record)
            for source, record in _latest(
                reader, LEADS_INBOX_DEAD_LETTERS, SOURCE_HEADER, MAX_DEAD_LETTERS, since_ms
            ).items()
        },
    )


def _latest(
    reader: LatestRecords, topic: str, source_header: str, most: int, since_ms: int
) -> dict[str, Record]:
    """The latest record of each source in a topic. Partitions come in any order."""
    found: dict[str, Record] = {}
    starts = latest_starts(reader.ends(topic), most)
    for record in reader.read_from({(topic, number): start for number, start in starts.items()}):
        source = record.header(source_header)
        if source is None or record.at_ms < since_ms:
            continue
        if source not in found or record.at_ms >= found[source].at_ms:
            found[source] = record._replace(value=None)  # up to a megabyte, and not needed
    return found


def _dead_letter_of(record: Record) -> LatestDeadLetter:
    return LatestDeadLetter(
        at_ms=record.at_ms,
        place=f"{record.topic}/{record.partition}/{record.offset}",
        code=record.header("__dlq.errors.code") or "?",
        reason=record.header("__dlq.errors.message") or "",
    )


def latest_starts(ends: Mapping[int, tuple[int, int]], most: int) -> dict[int, int]:
    """Where to begin in each partition to read its share of the latest ``most`` records. ``ends``:
    first and next offset by partition."""
    share = most // max(1, len(ends))
    return {partition: max(first, after - share) for partition, (first, after) in ends.items()}


def _clock_of(url: str) -> SourceFinding:
    try:
        answer = httpx.head(url, timeout=_ANSWER_S, follow_redirects=False)
        theirs = parsedate_to_datetime(answer.headers["date"]).timestamp()
    except (httpx.HTTPError, KeyError, ValueError, TypeError) as error:
        text = f"{url} gives no answer with a date ({type(error).__name__}): do senders reach it?"
        return SourceFinding(text=text, doubtful=True)
    return clock_finding(time.time() - theirs, url)
