"""What is said of a topic: its record, key, writer, readers and settings on the cluster."""

from dataclasses import dataclass
from enum import StrEnum

DAY_MS = 86_400_000
SHORT_MS = 30 * DAY_MS
BOOK_MS = 400 * DAY_MS
_CHANGELOG_SEGMENT_BYTES = 64 << 20


class Cleanup(StrEnum):
    """Kafka's ``cleanup.policy``."""

    DELETE = "delete"
    COMPACT = "compact"


class Audience(StrEnum):
    """``public``: a contract that others may build on; ``private``: between our own parts;
    ``engine``: one reducer's own."""

    PUBLIC = "public"
    PRIVATE = "private"
    ENGINE = "engine"


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicSpec:
    """One topic. ``record`` None: raw bytes. ``writer``: the one service that writes (``outside``
    for the inbox).

    ``readers``: the reducers that read it. ``max_bytes``: the longest encoded value.
    ``partitions``: None is the cluster-wide number. ``key_field``: the field of the value that must
    equal the key.
    """

    name: str
    record: type | None
    says: str
    key: str
    writer: str
    readers: tuple[str, ...] = ()
    audience: Audience = Audience.PRIVATE
    cleanup: Cleanup = Cleanup.DELETE
    retention_ms: int | None = SHORT_MS
    partitions: int | None = None
    max_bytes: int = 65_536
    key_field: str | None = None

    @property
    def outside(self) -> bool:
        """Whether the outside writes it, so that what cannot be read is a dead letter and not our
        bug."""
        return self.writer == "outside"

    def config(self) -> dict[str, str]:
        """The topic's settings on the cluster."""
        settings = {
            "cleanup.policy": self.cleanup.value,
            "message.timestamp.type": "LogAppendTime",
            "max.message.bytes": str(1 << 20),
        }
        if self.outside:
            # What unpacks to more than a message may have is refused by the broker, and not
            # unpacked by a worker.
            settings["compression.type"] = "uncompressed"
        if self.cleanup is Cleanup.DELETE:
            settings["retention.ms"] = str(-1 if self.retention_ms is None else self.retention_ms)
        else:
            settings["min.cleanable.dirty.ratio"] = "0.5"
        if self.cleanup is Cleanup.COMPACT and self.audience is Audience.ENGINE:
            # The open segment is never compacted, and a restore reads it whole.
            settings["segment.bytes"] = str(_CHANGELOG_SEGMENT_BYTES)
        return settings


def private(
    name: str, record: type | None, says: str, key: str, writer: str, *readers: str, **more: object
) -> TopicSpec:
    """A topic between parts of Baton; a value that names its lead must have it as its key."""
    if key == "lead" and "lead_id" in getattr(record, "__dataclass_fields__", ()):
        more.setdefault("key_field", "lead_id")
    return TopicSpec(
        name=name,
        record=record,
        says=says,
        key=key,
        writer=writer,
        readers=readers,
        **more,  # type: ignore[arg-type]  # what the caller adds is checked by the record
    )


def public(
    name: str, record: type, says: str, key: str, writer: str, *readers: str, **more: object
) -> TopicSpec:
    """A topic that others may build on, kept as long as the book of record."""
    more.setdefault("retention_ms", BOOK_MS)
    return private(name, record, says, key, writer, *readers, audience=Audience.PUBLIC, **more)
