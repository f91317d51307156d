"""What becomes of records of the outside that cannot be taken, and when there are so many that we must be what is broken.

A dead letter keeps key, value and headers as they were sent; what we add are strings: the names Kafka's own dead-letter queues
use, and ours. Records of our own never get here: see :class:`~baton.engine.errors.ReducerFailed`.
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
class Refuser:
    """Who refuses: consumer group, service, stage (the reducer) and version of the program."""

    group: str
    service: str
    stage: str
    version: str


def dead_letter(topic: str, partition: int, record: Record, why: Rejection, who: Refuser, now: int) -> Outgoing:
    """The record for the dead letters of ``topic``. A record that was replayed keeps the time of its first failure."""
    kept = [(name, value) for name, value in record.headers if not name.startswith(PREFIX) or name == FIRST_FAILED]
    added = {
        "topic": topic,
        "partition": str(partition),
        "offset": str(record.offset),
        "group": who.group,
        "message": why.reason,
        "code": why.code,
        "stage": who.stage,
        "service": who.service,
        "version": who.version,
    }
    if not any(name == FIRST_FAILED for name, _ in kept):
        kept.append((FIRST_FAILED, rfc3339(now).encode()))
    headers = kept + [(PREFIX + name, text.encode()) for name, text in added.items()]
    return Outgoing(dead_letter_topic(topic), partition, record.key, record.value, headers)


class Flood:
    """Says when rejections are a flood: more than ``ratio`` of the last ``window`` records, or ``run`` of them in a row."""

    def __init__(self, *, window: int = 500, ratio: float = 0.5, run: int = 100) -> None:
        self._ratio, self._run = ratio, run
        self._last: deque[bool] = deque(maxlen=window)
        self._rejected = 0
        self._in_a_row = 0

    def judge(self, verdicts: Iterable[bool]) -> str | None:
        """What would be wrong, in words, if a batch with these verdicts were committed; None: nothing."""
        return copy(self)._feed(verdicts)

    def keep(self, verdicts: Iterable[bool]) -> None:
        """The batch was committed."""
        self._feed(verdicts)

    def __copy__(self) -> Flood:
        twin = Flood(ratio=self._ratio, run=self._run)
        twin._last, twin._rejected, twin._in_a_row = self._last.copy(), self._rejected, self._in_a_row
        return twin

    def _feed(self, verdicts: Iterable[bool]) -> str | None:
        for rejected in verdicts:
            if len(self._last) == self._last.maxlen:
                self._rejected -= self._last[0]
            self._last.append(rejected)
            self._rejected += rejected
            self._in_a_row = self._in_a_row + 1 if rejected else 0
            if self._in_a_row >= self._run:
                return f"the last {self._in_a_row} records were all rejected"
            if len(self._last) == self._last.maxlen and self._rejected > self._ratio * len(self._last):
                return f"{self._rejected} of the last {len(self._last)} records were rejected"
        return None
