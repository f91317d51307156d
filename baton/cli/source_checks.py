"""What ``baton doctor`` looks up about the configured sources: the log for their latest events, and
the address by which senders reach the gateway, for its clock."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from itertools import islice
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
    """The latest event of each source in the last day, of the latest records of it."""
    if settings.bootstrap is None:
        running = running_broker(broker_home(settings.home))
        if running is None:
            return None
        settings = settings.model_copy(update={"bootstrap": running.bootstrap})
    since_ms = time.time_ns() // 1_000_000 - _DAY_MS
    found: dict[str, int] = {}
    try:
        with LogReader(confluent_options(settings), settings.namespace) as reader:
            places = {INTAKE_KEYED: list(range(reader.partitions(INTAKE_KEYED)))}
            for record in islice(reader.read(places, since_ms=since_ms), _MAX_RECORDS):
                source = record.header("ce_source")
                if source is not None:
                    found[source] = max(found.get(source, 0), record.at_ms)
    except (LookupError, KafkaException):
        return None
    return found


def _clock_of(url: str) -> SourceFinding:
    try:
        answer = httpx.head(url, timeout=_ANSWER_S, follow_redirects=False)
        theirs = parsedate_to_datetime(answer.headers["date"]).timestamp()
    except (httpx.HTTPError, KeyError, ValueError, TypeError) as error:
        text = f"{url} gives no answer with a date ({type(error).__name__}): do senders reach it?"
        return SourceFinding(text=text, doubtful=True)
    return clock_finding(time.time() - theirs, url)
