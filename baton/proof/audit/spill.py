"""Rows sorted into buckets by their key, so that all rows of a key can be looked at together in
bounded memory.

Few rows stay in memory; beyond that they go to disk. ``marshal`` is safe here: a spill reads
nothing but what the same process wrote.
"""

import marshal
import struct
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, Any
from zlib import crc32

HELD_ROWS = 20_000
_SIZE = struct.Struct("<Q")
"""Before each piece of a file: ``marshal`` reads a file by a few bytes at a time, and a piece at
once."""


class Spill:
    """``add(key, row)`` and, when all is in, ``groups()``: each key once, with its rows in the
    order they were added.

    Memory holds at most ``held`` rows while it is filled, and one bucket while it is read: the rows
    divided by ``buckets``, and no less than the largest key. A file is made only for a bucket that
    outgrows its share of ``held``.
    """

    def __init__(self, folder: Path, name: str, buckets: int = 64, held: int | None = None) -> None:
        self._paths = [folder / f"{name}-{number}" for number in range(buckets)]
        self._files: dict[int, IO[bytes]] = {}
        self._waiting: list[list[tuple[str, Any]]] = [[] for _ in range(buckets)]
        self._share = max(1, (held or HELD_ROWS) // buckets)
        self.rows = 0

    def __enter__(self) -> "Spill":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for file in self._files.values():
            file.close()

    def add(self, key: str, row: Any) -> None:
        """``row``: of plain values (what ``marshal`` takes)."""
        bucket = crc32(key.encode()) % len(self._paths)
        waiting = self._waiting[bucket]
        waiting.append((key, row))
        self.rows += 1
        if len(waiting) >= self._share:
            self._flush(bucket)

    def groups(self) -> Iterator[tuple[str, list[Any]]]:
        """Every key with its rows."""
        for bucket, waiting in enumerate(self._waiting):
            grouped: dict[str, list[Any]] = defaultdict(list)
            for rows in self._written(bucket):
                for key, row in rows:
                    grouped[key].append(row)
            for key, row in waiting:
                grouped[key].append(row)
            yield from grouped.items()

    def _written(self, bucket: int) -> Iterator[list[tuple[str, Any]]]:
        file = self._files.get(bucket)
        if file is None:
            return
        file.seek(0)
        while size := file.read(_SIZE.size):
            yield marshal.loads(file.read(*_SIZE.unpack(size)))

    def _flush(self, bucket: int) -> None:
        file = self._files.get(bucket)
        if file is None:
            file = self._files[bucket] = self._paths[bucket].open("w+b")
        rows = marshal.dumps(self._waiting[bucket])
        file.write(_SIZE.pack(len(rows)))
        file.write(rows)
        self._waiting[bucket].clear()
