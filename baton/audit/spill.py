"""Rows sorted into buckets on disk by their key, so that all rows of a key can be looked at together in bounded memory.

``marshal`` is safe here: a spill reads nothing but what the same process wrote.
"""

import marshal
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any
from zlib import crc32

_FLUSH_ROWS = 20_000


class Spill:
    """``add(key, row)`` and, when all is in, ``groups()``: each key once, with its rows in the order they were added.

    Memory holds one bucket at a time: the rows divided by ``buckets``, and no less than the largest key.
    """

    def __init__(self, folder: Path, name: str, buckets: int = 64) -> None:
        self._files = [(folder / f"{name}-{number}").open("w+b") for number in range(buckets)]
        self._waiting: list[list[tuple[str, Any]]] = [[] for _ in range(buckets)]
        self.rows = 0

    def __enter__(self) -> "Spill":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for file in self._files:
            file.close()

    def add(self, key: str, row: Any) -> None:
        """``row``: of plain values (what ``marshal`` takes)."""
        bucket = crc32(key.encode()) % len(self._files)
        self._waiting[bucket].append((key, row))
        self.rows += 1
        if len(self._waiting[bucket]) * len(self._files) >= _FLUSH_ROWS:
            self._flush(bucket)

    def groups(self) -> Iterator[tuple[str, list[Any]]]:
        """Every key with its rows."""
        for bucket, file in enumerate(self._files):
            self._flush(bucket)
            file.seek(0)
            grouped: dict[str, list[Any]] = defaultdict(list)
            while True:
                try:
                    rows = marshal.load(file)
                except EOFError:
                    break
                for key, row in rows:
                    grouped[key].append(row)
            yield from grouped.items()

    def _flush(self, bucket: int) -> None:
        if self._waiting[bucket]:
            self._files[bucket].seek(0, 2)
            marshal.dump(self._waiting[bucket], self._files[bucket])
            self._waiting[bucket] = []
