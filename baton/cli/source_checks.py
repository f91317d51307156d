"""What ``baton doctor`` looks up about the configured sources: the log for their latest events, and
the address by which senders reach the gateway, for its clock."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime
from pathlib import Path

import httpx
from confluent_kafka import KafkaException

from baton.cli.findings import Finding, Verdict
from baton.clients import confluent_options
from baton.cluster.log import LogReader
from baton.contracts.topic_names import INTAKE_KEYED
from baton.local.broker.record import broker_home, running_broker
from baton.settings import Settings
from baton.sources.diagnosis import SourceFinding, clock_finding, diagnose, public_urls

_DAY_MS = 86_400_000
_MAX_RECORDS = 200_000
_ANSWER_S = 5.0


def source_findings(settings: Settings) -> Iterator[Finding]:
    """The findings of all sources; none where none are configured."""
    configured = os.environ.get("BATON_SOURCES")
    if not configured:
        return
    place = Path(configured)
    found = [*diagnose(place, os.environ, _last_seen(settings))]
    for one in (*found, *map(_clock_of, sorted(public_urls(place)))):
        verdict = Verdict.WRONG if one.wrong else Verdict.NOTE if one.doubtful else Verdict.GOOD
        yield Finding(check="sources", verdict=verdict, text=one.text)


def _last_seen(settings: Settings) -> dict[str, int] | None:
    """The latest event of each source in the last day, among the latest records."""
    if settings.bootstrap is None:
        running = running_broker(broker_home(settings.home))
        if running is None:
            return None
        settings = settings.model_copy(update={"bootstrap": running.bootstrap})
    since_ms = time.time_ns() // 1_000_000 - _DAY_MS
    found: dict[str, int] = {}
    try:
        with LogReader(confluent_options(settings), settings.namespace) as reader:
            starts = latest_starts(reader.ends(INTAKE_KEYED), _MAX_RECORDS)
            for record in reader.read_from(
                {(INTAKE_KEYED, partition): start for partition, start in starts.items()}
            ):
                source = record.header("ce_source")
                if source is not None and record.at_ms >= since_ms:
                    found[source] = max(found.get(source, 0), record.at_ms)
    except (LookupError, KafkaException):
        return None
    return found


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
