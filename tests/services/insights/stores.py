"""Stores for the tests of the board, filled from records."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from baton.contracts.public_record import PublicRecord
from services.insights.projection.dialect import StorePlace
from services.insights.projection.projection_store import Place, Store

AnyPlace = TypeVar("AnyPlace", bound=StorePlace)
ZONE = "Europe/Berlin"


def fill(place: AnyPlace, records: Sequence[PublicRecord], *, at_once: int = 500) -> AnyPlace:
    """A store at ``place`` with the records in it, so many a transaction."""
    store = Store(place, "baton", ZONE)
    store.begin(
        [
            Place(topic=topic, partition=number, next_offset=0)
            for topic, number in sorted({(r.topic, r.partition) for r in records})
        ]
    )
    for start in range(0, len(records), at_once):
        batch = records[start : start + at_once]
        store.apply(
            batch,
            {
                (public_record.topic, public_record.partition): public_record.offset + 1
                for public_record in batch
            },
        )
    store.close()
    return place
