"""The engine's own records: the position of a task, and the journal of its batches.

Both have an Avro schema (``schemas/engine/``). The position record is part of the changelog; the
journal is a topic of its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """The position of a task: it must equal the offsets committed with the same batch, else the
    state is not the right one.

    ``offsets``: next offset of every input. ``now_ms``: log time. ``batch``: number of the batch
    that wrote this. ``reference``: next offsets of the reference topics. ``adopted``: the agreement
    version that every key lives under, as far as a sweep was finished.
    """

    batch: int
    now_ms: int
    offsets: Mapping[str, int]
    reference: Mapping[str, int]
    adopted: str = ""


class Did(StrEnum):
    """The kinds of journal lines.

    ``take``: ``count`` records of ``topic`` from offset ``first`` to ``last``. ``pass``: the
    position of ``topic`` moved to ``last`` over no record. ``advance``: time moved to ``at_ms`` and
    all timers due by then fired. ``wake``: only the first ``count`` of them did. ``fire``: the
    first ``count`` held timers due by ``at_ms`` fired, ``proven`` or not. ``adopt``: the next
    ``count`` keys adopted the agreement. ``skip``: what runs at ``place`` was skipped in this
    batch.
    """

    TAKE = "take"
    PASS = "pass"
    ADVANCE = "advance"
    WAKE = "wake"
    FIRE = "fire"
    ADOPT = "adopt"
    SKIP = "skip"


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalLine:
    """One thing a batch did that the log alone does not determine; :class:`Did` says which fields a
    kind uses."""

    did: str
    topic: str = ""
    first: int = 0
    last: int = 0
    count: int = 0
    at_ms: int = 0
    proven: bool = True
    place: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchJournal:
    """``<reducer>.journal.v1``: one batch, in order. ``now_ms`` and ``offsets`` are those at its
    end."""

    batch: int
    now_ms: int
    offsets: Mapping[str, int]
    reference: Mapping[str, int]
    lines: tuple[JournalLine, ...]
