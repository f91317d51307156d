"""From an input record to an event, and from a fact to an outgoing record: keys, headers,
partitions.

The headers of a fact are those of CloudEvents (binary mode) and ours: the agreement it was decided
under, its cause, when the cause first reached the log. This is the hot path: what does not change
from fact to fact is encoded once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from baton.contracts.partitioner import partition_of
from baton.contracts.topics import TopicSpec
from baton.derived_ids import derived_id, nth_id
from baton.engine.batch import Headers, Outgoing, Record
from baton.engine.errors import UnusableRecord
from baton.engine.reducer import Event, Fact, Reducer
from baton.evolve import maker

_SPEC_VERSION = ("ce_specversion", b"1.0")
_LONGEST_TRACE = 128


_event = maker(Event)
_new = tuple.__new__  # a named tuple's own goes through a function of Python


class RecordDecoder:
    """Reads the records of one input topic. ``partitions``: of the topic, for
    :meth:`check_partition`."""

    __slots__ = ("_decode", "_key_field", "_partition", "_partitions", "outside", "topic")

    def __init__(
        self,
        spec: TopicSpec,
        partition: int,
        codecs: Callable[[type], Any],
        partitions: int | None = None,
    ) -> None:
        self.topic = spec.name
        self.outside = spec.outside
        self._partition = partition
        self._partitions = None if spec.outside else spec.partitions or partitions
        self._key_field = spec.key_field
        self._decode = None if spec.record is None else codecs(spec.record).decode

    def event(self, record: Record) -> Event:
        """The event in ``record``; raises :class:`UnusableRecord` for an internal one that breaks
        the rules of its topic.

        Of an external record's headers only the trace is used: two senders may use the same id."""
        given = record.headers
        headers = dict(given)
        raw, at_ms, outside = record.value, record.timestamp, self.outside
        name = None if outside else headers.get("ce_id")
        received = None if outside else headers.get("received_at")
        trace = headers.get("traceparent")
        key = self._key(record.key)
        value: Any = (
            (raw or b"") if self._decode is None else None if raw is None else self._decode(raw)
        )
        if self._key_field and value is not None and getattr(value, self._key_field) != key:
            raise UnusableRecord("other_key", f"its key is not the {self._key_field} of its value")
        return _event(
            self.topic,
            self._partition,
            record.offset,
            key,
            value,
            name.decode()
            if name
            else derived_id("record", self.topic, self._partition, record.offset),
            at_ms,
            int(received) if received else at_ms,
            trace.decode("utf-8", "replace") if trace and len(trace) <= _LONGEST_TRACE else None,
            tuple(given) if outside else (),
        )

    def check_partition(self, key: str) -> None:
        """Raise :class:`UnusableRecord` if ``key`` belongs to another partition: another task has
        its state."""
        if self._partitions is None:
            return
        right = partition_of(key.encode(), self._partitions)
        if right != self._partition:
            raise UnusableRecord(
                "wrong_partition",
                f"its key belongs to partition {right} of {self._partitions}, and the state of the "
                "key with it; "
                "its producer must partition as Kafka's Java client does "
                "(partitioner=murmur2_random)",
            )

    def _key(self, raw: bytes | None) -> str:
        if raw is None:
            if self.outside:
                return ""
            raise UnusableRecord("no_key", "it has no key")
        try:
            return raw.decode("utf-8", "replace" if self.outside else "strict")
        except UnicodeDecodeError:
            raise UnusableRecord("key_not_utf8", "its key is not UTF-8") from None


class RecordEncoder:
    """Encodes facts for one output topic of a reducer."""

    __slots__ = (
        "_encode",
        "_max_bytes",
        "_partition",
        "_partitions",
        "_record",
        "_type",
        "kind",
        "topic",
    )

    def __init__(
        self,
        spec: TopicSpec,
        reducer: str,
        partition: int,
        partitions: int,
        codecs: Callable[[type], Any],
    ) -> None:
        if spec.record is None:
            raise ValueError(
                f"{reducer} cannot publish to {spec.name}: the topic has no record type"
            )
        self.topic = spec.name
        self.kind = f"{reducer}.{spec.record.__name__}"
        self._record = spec.record
        self._encode = codecs(spec.record).encode
        self._type = ("ce_type", f"baton.{spec.record.__name__}.v1".encode())
        self._max_bytes = spec.max_bytes
        self._partitions = spec.partitions or partitions
        # Most facts keep the key of their cause, whose partition is this one.
        self._partition = partition if spec.partitions is None else -1

    def outgoing(self, fact: Fact, fact_id: str, own_key: str, shared: Headers) -> Outgoing:
        """``fact`` as a record; raises where its value is not of the topic's type or longer than
        the topic allows.

        ``shared``: the headers that all facts of the step have."""
        value = fact.value
        if value is not None:
            if type(value) is not self._record:
                raise TypeError(f"{self.topic} holds {self._record.__name__}")
            value = self._encode(value)
            if len(value) > self._max_bytes:
                raise ValueError(
                    f"{self._record.__name__} of {len(value)} bytes; {self.topic} allows "
                    f"{self._max_bytes}"
                )
        key = fact.key.encode()
        partition = self._partition if fact.key == own_key else -1
        if partition < 0:
            partition = partition_of(key, self._partitions)
        headers = [("ce_id", fact_id.encode()), self._type, *shared]
        return _new(Outgoing, (self.topic, partition, key, value, headers))


class Stamp:
    """The headers that all facts of a step share. Those that depend only on log time, agreement and
    batch are made when one of these changes and a fact is published: most steps publish nothing."""

    __slots__ = (
        "_fixed",
        "_made",
        "_now",
        "_second",
        "_source",
        "_stale",
        "_text",
        "_version",
        "_version_text",
    )

    def __init__(self, reducer: Reducer[Any, Any]) -> None:
        self._source = ("ce_source", f"/baton/{reducer.service}/{reducer.name}".encode())
        self._made = ("made_at", b"0")
        self._second, self._text = -1, b""
        self._version_text, self._version = "", ("baton_agreement", b"")
        self._fixed: Headers = []
        self._now, self._stale = 0, True

    def made_at(self, made_at_ms: int) -> None:
        """Set the worker's clock for the facts of this batch."""
        self._made = ("made_at", b"%d" % made_at_ms)
        self._stale = True

    def at(self, now: int, version: str) -> None:
        """Set log time and agreement version for the following facts."""
        self._now, self._stale = now, True
        if version != self._version_text:
            self._version_text, self._version = version, ("baton_agreement", version.encode())

    def _fix(self) -> None:
        second, ms = divmod(self._now, 1000)
        if second != self._second:
            self._second = second
            self._text = datetime.fromtimestamp(second, UTC).isoformat()[:19].encode() + b"."
        self._stale = False
        self._fixed = [
            self._source,
            _SPEC_VERSION,
            ("ce_time", b"%b%03dZ" % (self._text, ms)),
            self._version,
            self._made,
        ]

    def headers(self, cause: str, received_at_ms: int, traceparent: str | None) -> Headers:
        """The headers of the facts of ``cause``."""
        if self._stale:
            self._fix()
        headers = [
            *self._fixed,
            ("baton_cause", cause.encode()),
            ("received_at", b"%d" % received_at_ms),
        ]
        if traceparent is not None:
            headers.append(("traceparent", traceparent.encode()))
        return headers


def rfc3339(at_ms: int) -> str:
    """``2026-11-02T09:30:00.125Z``."""
    second, ms = divmod(at_ms, 1000)
    return f"{_to_the_second(second)}.{ms:03d}Z"


@lru_cache(maxsize=4_096)
def _to_the_second(second: int) -> str:
    return f"{datetime.fromtimestamp(second, UTC):%Y-%m-%dT%H:%M:%S}"


def fact_ids(cause: str, facts: Sequence[Fact], encoders: Mapping[str, RecordEncoder]) -> list[str]:
    """The ids of a step's facts: derived from cause, reducer, type, and the ordinal among the facts
    of that type."""
    if len(facts) == 1:
        return [nth_id(cause, encoders[facts[0].topic].kind, 0)]
    seen: dict[str, int] = {}
    ids = []
    for fact in facts:
        kind = encoders[fact.topic].kind
        ordinal = seen.get(kind, 0)
        seen[kind] = ordinal + 1
        ids.append(nth_id(cause, kind, ordinal))
    return ids
