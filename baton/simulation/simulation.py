"""The whole system in memory: events in, facts out, hours in seconds. The same reducers as on Kafka, on the log in memory.

Time is the events': a line arrives at its ``arrived_at``, else at its ``occurred_at``, and timers fire as that passes. Nothing here reads a
clock, so the same agreement and the same lines give the same facts with the same ids.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from baton.agreement.reference import SIDES, AgreementBook
from baton.contracts.partitioner import partition_of
from baton.contracts.reference import AgreementRecord
from baton.contracts.topic_names import BATON_AGREEMENTS, LEADS_INBOX
from baton.contracts.topics import TOPICS, Audience
from baton.engine.memory import MemoryHost, Stored
from baton.flow import all_reducers
from baton.ids import derived_id
from baton.intake.fields import instant_ms

_AGREED_BEFORE_MS = 60_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """One event line and when it reaches the log (ms)."""

    at_ms: int
    line: bytes


class Simulation:
    """A system under one agreement (canonical text and version), from shortly before ``start_ms``."""

    def __init__(self, *, text: str, version: str, start_ms: int, partitions: int = 1) -> None:
        self.host = MemoryHost(
            all_reducers(), AgreementBook(), partitions=partitions, start_ms=start_ms - _AGREED_BEFORE_MS, stubborn=False
        )
        self._seen = 0
        self._agree(text, version)
        self.host.advance(start_ms)

    def run(self, arrivals: Iterable[Arrival], until_ms: int | None = None) -> Iterator[Stored]:
        """Every public fact in the order of the log: while the lines come in, then until ``until_ms`` (None: no further)."""
        for arrival in arrivals:
            self.host.advance(arrival.at_ms)
            self._send(arrival.line)
            self.host.settle()
            yield from self._news()
        if until_ms is not None:
            self.host.advance(until_ms)
        yield from self._news()

    def _agree(self, text: str, version: str) -> None:
        records = [
            AgreementRecord(record_id=f"{version}:{side}", kind="approved", version=version, side=side) for side in sorted(SIDES)
        ]
        published = AgreementRecord(
            record_id=f"{version}:published", kind="published", version=version, effective_at_ms=self.host.log.now, text=text
        )
        for record in (*records, published):
            self.host.send(BATON_AGREEMENTS, record.record_id, record)

    def _send(self, line: bytes) -> None:
        key = inbox_key(line)
        self.host.log.append(LEADS_INBOX, partition_of(key, self.host.log.partitions_of(LEADS_INBOX)), key, line)

    def _news(self) -> Iterator[Stored]:
        history = self.host.log.history
        for record in history[self._seen :]:
            spec = TOPICS[record.topic]
            if spec.audience is Audience.PUBLIC and spec.writer not in ("outside", "agreement"):
                yield record
        self._seen = len(history)


def inbox_key(line: bytes) -> bytes:
    """The key under which a simulated line lies in the inbox; any would do there."""
    return derived_id("line", line.decode("utf-8", "replace")).encode()


def arrivals_of(lines: Sequence[tuple[bytes, dict[str, Any]]]) -> list[Arrival]:
    """Lines (raw, and as parsed) in the order of their arrival; lines of the same moment keep theirs."""
    arrivals = [Arrival(at_ms=_moment(parsed), line=raw) for raw, parsed in lines]
    return sorted(arrivals, key=lambda each: each.at_ms)


def _moment(parsed: dict[str, Any]) -> int:
    return instant_ms(parsed.get("arrived_at") or parsed["occurred_at"])
