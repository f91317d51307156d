"""Dead letters of external records that cannot be used, and the check for a flood of them.

A dead letter keeps key, value and headers as they were sent. Added are string headers, with the
names that Kafka's own dead-letter queues use, and a few of ours. An internal record never becomes
one: see :class:`~baton.engine.errors.ReducerFailed`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from copy import copy
from dataclasses import dataclass

from baton.contracts.topics import dead_letter_topic
from baton.engine.batch import Outgoing, Record
from baton.engine.record_headers import rfc3339
from baton.engine.reducer import Rejection

PREFIX = "__dlq.errors."
FIRST_FAILED = PREFIX + "first_failed_at"


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """The origin of a dead letter: consumer group, service, stage (the reducer) and version of the
    program."""

    group: str
    service: str
    stage: str
    version: str


def dead_letter(
    topic: str, partition: int, record: Record, rejection: Rejection, origin: Origin, now: int
) -> Outgoing:
    """The dead letter of a record of ``topic``. A replayed record keeps the time of its first
    failure."""
    kept = [
        (name, value)
        for name, value in record.headers
        if not name.startswith(PREFIX) or name == FIRST_FAILED
    ]
    added = {
        "topic": topic,
        "partition": str(partition),
        "offset": str(record.offset),
        "group": origin.group,
        "message": rejection.reason,
        "code": rejection.code,
        "stage": origin.stage,
        "service": origin.service,
        "version": origin.version,
    }
    if not any(name == FIRST_FAILED for name, _ in kept):
        kept.append((FIRST_FAILED, rfc3339(now).encode()))
    headers = kept + [(PREFIX + name, text.encode()) for name, text in added.items()]
    return Outgoing(dead_letter_topic(topic), partition, record.key, record.value, headers)


class Flood:
    """Detects a flood of rejections: more than ``ratio`` of the last ``window`` records, or ``run``
    in a row.

    The fault is then more likely ours than the senders'."""

    def __init__(self, *, window: int = 500, ratio: float = 0.5, run: int = 100) -> None:
        self._ratio, self._run = ratio, run
        self._last: deque[bool] = deque(maxlen=window)
        self._rejected = 0
        self._in_a_row = 0

    def judge(self, verdicts: Iterable[bool]) -> str | None:
        """The reason why a batch with these verdicts must not be committed; None: it may."""
        return copy(self)._count(verdicts)

    def keep(self, verdicts: Iterable[bool]) -> None:
        """The batch was committed: count its verdicts."""
        self._count(verdicts)

    def __copy__(self) -> Flood:
        twin = Flood(ratio=self._ratio, run=self._run)
        twin._last, twin._rejected, twin._in_a_row = (
            self._last.copy(),
            self._rejected,
            self._in_a_row,
        )
        return twin

    def _count(self, verdicts: Iterable[bool]) -> str | None:
        for rejected in verdicts:
            if len(self._last) == self._last.maxlen:
                self._rejected -= self._last[0]
            self._last.append(rejected)
            self._rejected += rejected
            self._in_a_row = self._in_a_row + 1 if rejected else 0
            if self._in_a_row >= self._run:
                return f"the last {self._in_a_row} records were all rejected"
            if len(self._last) == self._last.maxlen and self._rejected > self._ratio * len(
                self._last
            ):
                return f"{self._rejected} of the last {len(self._last)} records were rejected"
        return None
