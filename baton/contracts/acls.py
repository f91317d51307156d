"""What each service must be allowed on a cluster that asks: the table in docs/OPERATING.md as data.
Pure.

One principal a service. What is not here is not needed: no service makes topics, and of the
reference topics only the board writes one: absences.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from baton.contracts.topic_names import (
    BATON_PEOPLE,
    BATON_SKIPS,
    BOARD_DECISIONS,
    INTAKE_KEYED,
    LEADS_INBOX,
)
from baton.contracts.topics import (
    DLQ_PREFIX,
    REDUCERS,
    REFERENCE_TOPICS,
    TOPICS,
    Audience,
    changelog_topic,
    consumer_group,
    engine_topics,
    journal_topic,
    physical,
    ticks_topic,
)

READ: Final = ("Read", "Describe")
WRITE: Final = ("Write", "Describe")
GATEWAY: Final = "gateway"
"""The HTTP way in: a process without reducers, which writes what ``identify`` reads and looks at
how far that has come."""
_GATEWAY_READER: Final = "identify"
_JUDGES: Final = "sla_watcher"
"""The service that proves how far the groups before it are, before it judges."""
BOARD: Final = "insights"
"""The board: reads every public topic, and writes what people do on its pages."""
DELIVERY: Final = "delivery"
"""Carries public facts to targets, and writes what they answer to the inbox."""
CONCIERGE: Final = "concierge"
"""Answers open forms from delivery's file, and writes claims to the inbox."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Right:
    """``operations`` on the resource of that name; ``prefixed``: on all whose names begin so.
    ``resource``: ``topic``, ``group`` or ``transactional_id``."""

    resource: str
    name: str
    operations: tuple[str, ...]
    prefixed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceTopics:
    """The topics of the flow that a service reads and writes, and its reducers."""

    service: str
    reducers: tuple[str, ...]
    reads: tuple[str, ...]
    writes: tuple[str, ...]


def topics_of(service: str) -> ServiceTopics:
    """What a service, or the gateway, has to do with; the engine's own topics apart."""
    if service == GATEWAY:
        return ServiceTopics(service=GATEWAY, reducers=(), reads=(), writes=(INTAKE_KEYED,))
    if service == BOARD:
        return _topics_of_board()
    if service == DELIVERY:
        reads = tuple(name for name in _topics_of_board().reads if not name.startswith(DLQ_PREFIX))
        return ServiceTopics(service=DELIVERY, reducers=(), reads=reads, writes=(LEADS_INBOX,))
    if service == CONCIERGE:
        return ServiceTopics(service=CONCIERGE, reducers=(), reads=(), writes=(LEADS_INBOX,))
    mine = tuple(name for name, owner in REDUCERS.items() if owner == service)
    own = {spec.name for name in mine for spec in engine_topics(name, service)}
    flow = [spec for spec in TOPICS.values() if spec.audience is not Audience.ENGINE]
    return ServiceTopics(
        service=service,
        reducers=mine,
        reads=tuple(spec.name for spec in flow if set(spec.readers) & set(mine)),
        writes=tuple(spec.name for spec in flow if spec.writer == service and spec.name not in own),
    )


def _topics_of_board() -> ServiceTopics:
    public = (spec.name for spec in TOPICS.values() if spec.audience is Audience.PUBLIC)
    reads = tuple(name for name in public if name not in (LEADS_INBOX, *REFERENCE_TOPICS))
    return ServiceTopics(
        service=BOARD, reducers=(), reads=reads, writes=(LEADS_INBOX, BATON_PEOPLE, BOARD_DECISIONS)
    )


def rights_of(service: str, namespace: str) -> tuple[Right, ...]:
    """Every right that ``service`` needs, topics and groups by their physical names."""
    if service == GATEWAY:
        group = consumer_group(namespace, _GATEWAY_READER)
        return (
            Right(resource="topic", name=physical(namespace, INTAKE_KEYED), operations=WRITE),
            Right(resource="group", name=group, operations=("Describe",)),
        )
    if service == CONCIERGE:
        name = physical(namespace, LEADS_INBOX)
        return (Right(resource="topic", name=name, operations=WRITE),)
    return tuple(_rights(topics_of(service), namespace))


def _rights(declared: ServiceTopics, namespace: str) -> Iterator[Right]:
    def topic(name: str, operations: tuple[str, ...]) -> Right:
        return Right(resource="topic", name=physical(namespace, name), operations=operations)

    for name in (*declared.reads, *REFERENCE_TOPICS, BATON_SKIPS):
        yield topic(name, READ)
    for name in declared.writes:
        yield topic(name, WRITE)
    for reducer in declared.reducers:
        group = consumer_group(namespace, reducer)
        yield Right(resource="group", name=group, operations=READ)
        yield Right(resource="transactional_id", name=f"{group}-", operations=WRITE, prefixed=True)
        yield topic(changelog_topic(reducer), ("Read", *WRITE))
        for name in (journal_topic(reducer), ticks_topic(reducer)):
            yield topic(name, WRITE)
    if declared.service == _JUDGES:
        for before in dict.fromkeys(owner for owner in REDUCERS.values() if owner != _JUDGES):
            others = topics_of(before)
            for reducer in others.reducers:
                yield Right(
                    resource="group",
                    name=consumer_group(namespace, reducer),
                    operations=("Describe",),
                )
            for name in others.reads:
                yield topic(name, ("Describe",))
