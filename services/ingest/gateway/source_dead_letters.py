"""Dead letters of sources: what a tool sent, is authentic and cannot be taken, kept with its bytes
and the reason beside those of the inbox. Pure.

The headers are those of the inbox's dead letters; ``baton_source`` says whose record it is, so that
``baton source replay`` can map it again once the description of the source is mended.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from baton.contracts.topic_names import LEADS_INBOX
from baton.engine.dead_letters import FIRST_FAILED, PREFIX
from baton.engine.record_headers import rfc3339
from baton.sources.dead_letter_replay import SOURCE_HEADER
from services.ingest.gateway.adapters.protocol import Delivery
from services.ingest.gateway.parsing import Taken
from services.ingest.gateway.problem_details import Refused

_MAX_REASON_CHARACTERS = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """A record that was not taken: whose, where it came in, why, and its bytes."""

    source: str
    path: str
    code: str
    reason: str
    value: bytes
    at_ms: int

    def headers(self) -> list[tuple[str, bytes]]:
        """As they are written, all of them text."""
        added = {
            PREFIX + "topic": LEADS_INBOX,
            PREFIX + "message": self.reason[:_MAX_REASON_CHARACTERS],
            PREFIX + "code": self.code,
            PREFIX + "stage": "gateway",
            PREFIX + "service": "ingest",
            FIRST_FAILED: rfc3339(self.at_ms),
            SOURCE_HEADER: self.source,
            "baton_path": self.path,
        }
        return [(name, text.encode()) for name, text in added.items()]


def letters_of(taken: Taken, source: str, delivery: Delivery) -> Iterator[DeadLetter]:
    """The dead letters among what was not taken."""
    for bad in taken.bad:
        if bad.kept is not None:
            yield DeadLetter(
                source=source,
                path=delivery.head.path,
                code=bad.refused.code,
                reason=f"record {bad.index}: {bad.refused}",
                value=bad.kept,
                at_ms=delivery.received_at_ms,
            )


def letter_of_body(refused: Refused, source: str, delivery: Delivery) -> DeadLetter:
    """A body that cannot be split into records, whole."""
    return DeadLetter(
        source=source,
        path=delivery.head.path,
        code=refused.code,
        reason=refused.detail,
        value=delivery.body,
        at_ms=delivery.received_at_ms,
    )
