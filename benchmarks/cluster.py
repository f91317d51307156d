"""The Kafka that is measured on: the one of ``BATON_BOOTSTRAP``, else an embedded one for this run;
and topics that go again."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from confluent_kafka.admin import AdminClient
from rich.console import Console

from baton.cli.downloading import download_shown
from baton.cluster.topic_layout import Layout, ensure_topics
from baton.contracts.codec import codec_for
from baton.contracts.intake import LeadEvent
from baton.contracts.partitioner import partition_of
from baton.contracts.topics import TOPICS, TopicSpec, engine_topics, physical
from baton.local.broker.embedded import EmbeddedBroker
from baton.settings import load_settings
from benchmarks.reducers import REDUCERS, Total
from services.scorer.lead.reducer import Lead

PARTITIONS = 4
LIVE_PARTITIONS = 1
"""Of a whole Baton on one machine, as ``baton up`` lays it out."""
_TIMEOUT_S = 60.0


@contextlib.contextmanager
def kafka(console: Console) -> Iterator[tuple[str, int | None]]:
    """An address, and the broker's process where it is ours; whatever happens, ours ends and its
    data goes."""
    given = os.environ.get("BATON_BOOTSTRAP")
    if given:
        yield given, None
        return
    settings = load_settings()
    home = Path(tempfile.mkdtemp(prefix="baton-bench-"))
    broker = EmbeddedBroker(
        home / "broker",
        cache=settings.cache,
        repository=settings.maven_repository,
        heap_mb=settings.broker_heap_mb,
        progress=download_shown(console),
    )
    try:
        console.print("starting Apache Kafka")
        bootstrap = broker.start()
        running = broker.running
        yield bootstrap, None if running is None else running.mark.pid
    finally:
        broker.remove()
        shutil.rmtree(home, ignore_errors=True)


def topics() -> Mapping[str, TopicSpec]:
    """Every topic that the measured reducers touch."""
    lead = Lead()
    shared = ("leads.accepted.v1", *lead.inputs, *lead.outputs, "baton.skips.v1")
    own = (
        spec
        for reducer in (*REDUCERS.values(), lead)
        for spec in engine_topics(reducer.name, reducer.service)
    )
    totals = TopicSpec(
        name="bench.totals.v1", record=Total, says="counted", key="lead", writer="bench"
    )
    return {spec.name: spec for spec in (*(TOPICS[name] for name in shared), *own, totals)}


def make_topics(bootstrap: str, namespace: str, specs: Iterable[TopicSpec] | None = None) -> None:
    """Make them in the namespace."""
    layout = Layout(namespace=namespace, partitions=PARTITIONS)
    ensure_topics(
        {"bootstrap.servers": bootstrap}, layout, topics().values() if specs is None else specs
    )


def clear(bootstrap: str, namespace: str) -> None:
    """Delete every topic and group of the namespace, whoever made it (a peer's library makes some
    of its own)."""
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
    found = [
        name for name in admin.list_topics(timeout=_TIMEOUT_S).topics if name.startswith(namespace)
    ]
    groups = [
        consumer_group.group_id
        for consumer_group in admin.list_consumer_groups(request_timeout=_TIMEOUT_S).result().valid
    ]
    mine = [name for name in groups if name.startswith(namespace)]
    waiting = [
        *(admin.delete_topics(found, operation_timeout=_TIMEOUT_S) if found else {}).values()
    ]
    waiting += (
        admin.delete_consumer_groups(mine, request_timeout=_TIMEOUT_S) if mine else {}
    ).values()
    for topic in waiting:
        # a group whose member has just gone may not be empty yet; its topics are gone
        with contextlib.suppress(Exception):
            topic.result(_TIMEOUT_S)


def event_topic(namespace: str) -> str:
    """Where the events are."""
    return physical(namespace, "leads.accepted.v1")


def partition_for(lead: str) -> int:
    """Where a lead's records are."""
    return partition_of(lead.encode(), PARTITIONS)


encode = codec_for(LeadEvent).encode
