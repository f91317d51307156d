"""Open clocks, the earliest deadline first: from the board's file by its index, or from the clocks
reducer's compacted changelog.

The board's file answers in milliseconds however many leads there are. The changelog, for where no
board runs, has one record a lead (its history is compacted away) and is read as a stream: only what
matches is kept.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from baton.cluster.log import LogReader
from baton.contracts.codec import codec_for
from baton.contracts.slas import ClockState
from baton.contracts.topics import changelog_topic
from baton.engine.changelog import HEAD, unpack_head
from services.insights.projection.dialect import StorePlace, reader
from services.sla_watcher.clocks.state import LeadClocks, OpenClock

OPEN_STATES = (ClockState.RUNNING.value, ClockState.BREACHED.value)
_COLUMNS = (
    "clock_id, clock, side, state, lead_id, owner, pool, level, segment, target, started_at_ms, "
    "deadline_ms"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockQuestion:
    """Which clocks: due until ``until_ms`` (None: all that are open), of a pool, of a person."""

    until_ms: int | None = None
    pool: str | None = None
    person: str | None = None
    limit: int = 200

    def fits(self, clock: OpenClock) -> bool:
        """Whether the clock is asked for."""
        return (
            (self.until_ms is None or clock.deadline_ms <= self.until_ms)
            and (self.pool is None or clock.pool == self.pool)
            and (self.person is None or clock.owner == self.person)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockRow:
    """An open clock. ``left_ms``: until the deadline, elapsed; below zero it has passed."""

    clock_id: str
    clock: str
    side: str
    state: str
    lead_id: str
    owner: str | None
    pool: str | None
    level: str | None
    segment: str | None
    target: str
    started_at_ms: int
    deadline_ms: int
    left_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ClocksFound:
    """``total`` match; ``rows`` are the first of them."""

    rows: tuple[ClockRow, ...]
    total: int
    source: str


def clocks_of_board(path: StorePlace, question: ClockQuestion, *, now_ms: int) -> ClocksFound:
    """From the board's file, opened read-only."""
    where = [f"state IN ({', '.join('?' for _ in OPEN_STATES)})"]
    values: list[Any] = list(OPEN_STATES)
    for condition, value in (
        ("deadline_ms <= ?", question.until_ms),
        ("pool = ?", question.pool),
        ("owner = ?", question.person),
    ):
        if value is not None:
            where.append(condition)
            values.append(value)
    matching = " AND ".join(where)
    connection = reader(path)
    try:
        counted = connection.execute(f"SELECT count(*) FROM clock WHERE {matching}", values)
        total = counted.fetchall()[0][0]
        rows = connection.execute(
            f"SELECT {_COLUMNS} FROM clock WHERE {matching} ORDER BY deadline_ms, clock_id LIMIT ?",
            [*values, question.limit],
        ).fetchall()
    finally:
        connection.close()
    return ClocksFound(
        rows=tuple(_row_of(row, now_ms) for row in rows), total=int(total), source="board"
    )


def clocks_of_log(reader: LogReader, question: ClockQuestion, *, now_ms: int) -> ClocksFound:
    """From the clocks changelog of a cluster, one record a lead at most."""
    topic = changelog_topic("clocks")
    records = reader.read({topic: list(range(reader.partitions(topic)))})
    return clocks_of_changelog(
        ((record.key, record.value) for record in records if record.key is not None),
        question,
        now_ms=now_ms,
    )


def clocks_of_changelog(
    records: Iterable[tuple[bytes, bytes | None]], question: ClockQuestion, *, now_ms: int
) -> ClocksFound:
    """From the records of the clocks changelog, in the order of each partition."""
    codec = codec_for(LeadClocks)
    found: dict[bytes, list[ClockRow]] = {}
    for key, value in records:
        if key[0] != HEAD:
            continue
        found.pop(key, None)
        start = 0 if value is None else unpack_head(value)[3]
        if value is None or start >= len(value):
            continue
        head: LeadClocks = codec.decode(value, start)
        rows = [
            _row_of_clock(clock, key[1:].decode(), now_ms)
            for clock in head.clocks
            if question.fits(clock)
        ]
        if rows:
            found[key] = rows
    every = sorted(
        (row for rows in found.values() for row in rows),
        key=lambda row: (row.deadline_ms, row.clock_id),
    )
    return ClocksFound(rows=tuple(every[: question.limit]), total=len(every), source="changelog")


def _row_of(row: tuple[Any, ...], now_ms: int) -> ClockRow:
    names = [name.strip() for name in _COLUMNS.split(",")]
    values = dict(zip(names, row, strict=True))
    return ClockRow(**values, left_ms=values["deadline_ms"] - now_ms)


def _row_of_clock(clock: OpenClock, lead_id: str, now_ms: int) -> ClockRow:
    return ClockRow(
        clock_id=clock.clock_id,
        clock=clock.clock,
        side=clock.side,
        state=clock.state,
        lead_id=lead_id,
        owner=clock.owner,
        pool=clock.pool,
        level=clock.level,
        segment=clock.segment,
        target=clock.target,
        started_at_ms=clock.started_at_ms,
        deadline_ms=clock.deadline_ms,
        left_ms=clock.deadline_ms - now_ms,
    )
