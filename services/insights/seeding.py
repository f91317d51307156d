"""Fills a new board with the records of a simulated past, beside which what is live is then read.
For demonstrations only.

The past lies in no topic: no partition's position moves, so the live topics are read from their
beginning. Its agreements come before the live ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, Final

from baton.cluster.public_log import decode
from baton.contracts.public_record import PublicRecord
from baton.engine.memory import Stored
from services.insights.facts.folds import DEAD_LETTERS, FOLDS
from services.insights.projection.board_stores import BoardStores
from services.insights.projection.kafka import READER
from services.insights.projection.projection_store import Store

_AT_ONCE: Final = 1_000
_BEFORE: Final = -1_000_000_000
"""Added to offsets of the past: they come before every offset of a live topic."""


def seed(
    stores: BoardStores,
    namespace: str,
    history: Iterable[Stored],
    noted: Iterable[tuple[str, Any]],
    *,
    until_ms: int,
) -> None:
    """Make the first store of a board and put the past into it."""
    stores.prepare()
    store = Store(stores.following(), namespace)
    records = _records(history, noted, until_ms)
    while batch := list(islice(records, _AT_ONCE)):
        store.apply(batch, {})
    store.close()
    stores.use(store.place)


def _records(
    history: Iterable[Stored], noted: Iterable[tuple[str, Any]], until_ms: int
) -> Iterator[PublicRecord]:
    for stored in history:
        if stored.topic in FOLDS and stored.topic != DEAD_LETTERS:
            place = (stored.topic, stored.partition, stored.offset)
            yield PublicRecord(
                topic=stored.topic,
                partition=stored.partition,
                offset=stored.offset + _BEFORE,
                id=dict(stored.headers).get("ce_id", repr(place).encode()).decode(),
                key=(stored.key or b"").decode(),
                value=decode(stored.topic, stored.value, place, reader=READER),
                at_ms=stored.timestamp,
                raw=stored.value,
            )
    for number, (topic, value) in enumerate(noted):
        yield PublicRecord(
            topic=topic,
            partition=0,
            offset=number + _BEFORE,
            id=f"{topic}-{number}",
            key="",
            value=value,
            at_ms=until_ms - 1,
        )
