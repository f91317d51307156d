"""The public topics that the board reads, and what it says where the log lost what comes next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from baton.cluster.public_log import Partition, PublicLog, decode
from baton.contracts.topic_names import LEADS_SCORED
from services.insights.facts.folds import DEAD_LETTERS, FOLDS
from services.insights.facts.score_head import score_head
from services.insights.projection.projection_store import Place

READ_TOPICS: Final = (*FOLDS, DEAD_LETTERS)
READER: Final = "insights"
_GATHER_MS: Final = 250
_CODE_HEADER: Final = "__dlq.errors.code"


class BoardLog(PublicLog):
    """The log, to be read from where the store stands. Of a dead letter only the code of its error
    is read."""

    def __init__(self, client: Mapping[str, Any], namespace: str) -> None:
        super().__init__(client, namespace, reader=READER, way_out=way_out, gather_ms=_GATHER_MS)

    def value_of(self, topic: str, message: Any) -> Any:
        """As anybody reads it; of a dead letter its code, of a score what the lead's row needs."""
        if topic == DEAD_LETTERS:
            return _code(message)
        return value_in(topic, message.value(), (topic, message.partition(), message.offset()))

    def places(self, known: Mapping[Partition, Place]) -> list[Place]:
        """Where to read on, every partition there is; raises
        :class:`~baton.cluster.public_log.ReadingStopped` where records are gone."""
        starts = self.starts(READ_TOPICS, {key: place.next_offset for key, place in known.items()})
        return [
            known.get((topic, number))
            or Place(topic=topic, partition=number, next_offset=start, began_offset=start)
            for (topic, number), start in starts.items()
        ]


def value_in(topic: str, raw: bytes | None, place: Sequence[Any]) -> Any:
    """The record in ``raw``; of a score the beginning, since its lines are more than half of all
    there is to read, and only the lead's page shows them, from the bytes that are kept."""
    by = score_head() if topic == LEADS_SCORED else None
    return decode(topic, raw, place, reader=READER, by=by)


def way_out(topic: str, number: int, wanted: int | None, low: int, high: int) -> str:
    """Another log, or a gap that retention made."""
    place = f"{topic}[{number}]"
    if wanted is not None and wanted > high:
        return (
            f"{place}: the board has read up to offset {wanted}, but the log ends at {high}: this "
            "is another log than the one it was built from; point BATON_BOOTSTRAP and "
            "BATON_NAMESPACE at that one, or build anew from this: baton board rebuild"
        )
    offset = "" if wanted is None else f" (offset {wanted})"
    missing = "" if wanted is None else f", {low - wanted} records are missing"
    return (
        f"{place}: the next record the board needs{offset} is past its retention; the oldest left "
        f"is {low}{missing}. Nothing was skipped. Restore a copy of the board that is younger, or "
        "build anew from what is left and live with the gap: baton board rebuild"
    )


def _code(message: Any) -> str:
    headers: dict[str, bytes] = dict(message.headers() or ())
    return (headers.get(_CODE_HEADER) or b"unknown").decode("utf-8", "replace")[:60]
