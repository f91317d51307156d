"""The way of a lead from its 202 to the routed record, hop by hop: where it waits and where it
works.

    .venv/bin/python -m benchmarks --only hops

The same way as :mod:`benchmarks.whole`. Of a lead's record on each topic of the way three moments
are known: when its task appended it (the broker's time), and when a read_committed consumer beside
the next task had it. Between the two lie the rest of its transaction, the markers and the fetch
(``commit``); between the second and the next record's append the next task's wait for more, its
work and the begin of its transaction (``task``).
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from confluent_kafka import Consumer

from baton.contracts.codec import codec_for
from baton.contracts.topics import TOPICS, logical, physical
from baton.engine.kafka.settings import EngineSettings
from baton.local.up.system import System
from benchmarks.pacing import percentiles
from benchmarks.running import running
from benchmarks.whole import Way, agreement

ROUTED: Final = "routed"
HOPS: Final = (
    ("gateway", "intake.keyed.v1"),
    ("identify", "intake.leads.v1"),
    ("lead", "scorer.leads.v1"),
    ("dispatch", "router.accounts.v1"),
    ("matching", "router.queue.v1"),
    ("assignment", "router.answers.v1"),
    ("dispatch", ROUTED),
)
"""Who writes what, in the order of the way."""
_WAY: Final = tuple(topic for _, topic in HOPS)
_LAST: Final = ("leads.routed.sdr.v1", "leads.routed.sales.v1")
_TOPICS: Final = (*_WAY[:-1], *_LAST)


class _Seen(NamedTuple):
    topic: str
    value: bytes
    appended_ms: int
    seen_ms: float


def measured(options: dict[str, Any]) -> dict[str, Any]:
    """The way at ``rate`` events a second, of which one in ``one_in`` asks for a demonstration."""
    with running(options, agreement()) as system:
        return _beside(system, options)


def _beside(system: System, options: Mapping[str, Any]) -> dict[str, Any]:
    ended, seen = threading.Event(), list[_Seen]()
    watching = threading.Thread(target=_watch, args=(options, ended, seen))
    watching.start()
    try:
        found = Way(system, dict(options)).measured()
    finally:
        ended.set()
        watching.join()
    return found | {"gather_ms": EngineSettings().gather_ms, "hops": hops_of(seen)}


def _watch(options: Mapping[str, Any], ended: threading.Event, seen: list[_Seen]) -> None:
    consumer = Consumer(
        {
            "bootstrap.servers": options["bootstrap"],
            "group.id": f"{options['namespace']}-hops",
            "auto.offset.reset": "earliest",
            "isolation.level": "read_committed",
            "fetch.wait.max.ms": 100,
            "enable.auto.commit": False,
            "log_level": 0,
        }
    )
    namespace = options["namespace"]
    consumer.subscribe([physical(namespace, name) for name in _TOPICS])
    while not ended.is_set():
        message: Any = consumer.poll(0.1)
        if message is None or message.error() is not None or message.value() is None:
            continue
        topic, moment = logical(namespace, message.topic()), time.time() * 1000
        seen.append(_Seen(topic, message.value(), message.timestamp()[1], moment))
    consumer.close()


def hops_of(seen: list[_Seen]) -> list[dict[str, Any]]:
    """By hop: ``commit`` and ``task`` in ms, of the leads whose whole way was seen."""
    ways: defaultdict[str, dict[str, _Seen]] = defaultdict(dict)
    events: dict[str, str] = {}
    for one in seen:
        record: Any = codec_for(TOPICS[one.topic].record).decode(one.value)
        if one.topic == "intake.leads.v1":
            events[record.cause_id] = record.lead_id
        name = ROUTED if one.topic in _LAST else one.topic
        ways[_whose(record)].setdefault(name, one)
    for event_id, lead_id in events.items():
        if event_id in ways:
            ways[lead_id] |= ways[event_id]
    whole = [way for way in ways.values() if way.keys() >= set(_WAY)]
    return [*_rows(whole)]


def _whose(record: Any) -> str:
    """The lead of a record; of one that has none yet the event."""
    found = getattr(record, "lead_id", None) or record.event_id
    return str(found)


def _rows(ways: list[dict[str, _Seen]]) -> Iterator[dict[str, Any]]:
    for number, (by, topic) in enumerate(HOPS):
        commits = [(way[topic].seen_ms - way[topic].appended_ms) / 1000 for way in ways]
        row = {"by": by, "writes": topic, "leads": len(ways), "commit": percentiles(commits)}
        if number:
            before = _WAY[number - 1]
            works = [(way[topic].appended_ms - way[before].seen_ms) / 1000 for way in ways]
            row["task"] = percentiles(works)
        yield row
