"""Rows sorted into buckets by their key, so that all rows of a key can be looked at together in
bounded memory.

Few rows stay in memory; beyond that they go to disk. ``marshal`` is safe here: a spill reads
nothing but what processes of the same audit wrote.
"""

import marshal
import struct
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, Any
from zlib import crc32

HELD_ROWS = 20_000
_SIZE = struct.Struct("<Q")
"""Before each piece of a file: ``marshal`` reads a file by a few bytes at a time, and a piece at
once."""


class Spill:
    """``add(key, row)`` and, when all is in, ``groups(bucket)``: each key of the bucket once, with
    its rows in the order they were added.

    Memory holds at most ``held`` rows while it is filled, and one bucket while it is read: the rows
    divided by ``buckets``, and no less than the largest key. A file is made only for a bucket that
    outgrows its share of ``held``.

    Several processes may fill one spill in one folder; ``writer``: which of ``writers`` this is. It
    reads its own rows, and what the others wrote by their last :meth:`flush`.
    """

    def __init__(
        self,
        folder: Path,
        name: str,
        buckets: int = 64,
        held: int | None = None,
        *,
        writer: int = 0,
        writers: int = 1,
    ) -> None:
        self._folder, self._name, self._writer, self._writers = folder, name, writer, writers
        self._files: dict[int, IO[bytes]] = {}
        self._waiting: list[list[tuple[str, Any]]] = [[] for _ in range(buckets)]
        self._share = max(1, (held or HELD_ROWS) // buckets)

    def close(self) -> None:
        """Its files; they stay for the other writers."""
        for file in self._files.values():
            file.close()

    def add(self, key: str, row: Any) -> None:
        """``row``: of plain values (what ``marshal`` takes)."""
        bucket = crc32(key.encode()) % len(self._waiting)
        waiting = self._waiting[bucket]
        waiting.append((key, row))
        if len(waiting) >= self._share:
            self._write(bucket)

    def flush(self) -> None:
        """Give the other processes everything to read."""
        for bucket, waiting in enumerate(self._waiting):
            if waiting:
                self._write(bucket)
        for file in self._files.values():
            file.flush()

    def groups(self, bucket: int) -> dict[str, list[Any]]:
        """Every key with its rows, those of the first writer first."""
        grouped: dict[str, list[Any]] = defaultdict(list)
        for rows in self._pieces(bucket):
            for key, row in rows:
                grouped[key].append(row)
        return grouped

    def _pieces(self, bucket: int) -> Iterator[list[tuple[str, Any]]]:
        own = self._files.get(bucket)
        if own is not None:
            own.flush()
        for writer in range(self._writers):
            yield from self._written(bucket, writer)
            if writer == self._writer:
                yield self._waiting[bucket]

    def _path(self, bucket: int, writer: int) -> Path:
        return self._folder / f"{self._name}-{bucket}-{writer}"

    def _written(self, bucket: int, writer: int) -> Iterator[list[tuple[str, Any]]]:
        with suppress(FileNotFoundError), self._path(bucket, writer).open("rb") as file:
            while size := file.read(_SIZE.size):
                yield marshal.loads(file.read(*_SIZE.unpack(size)))

    def _write(self, bucket: int) -> None:
        file = self._files.get(bucket)
        if file is None:
            file = self._files[bucket] = self._path(bucket, self._writer).open("wb")
        rows = marshal.dumps(self._waiting[bucket])
        file.write(_SIZE.pack(len(rows)))
        file.write(rows)
        self._waiting[bucket].clear()
