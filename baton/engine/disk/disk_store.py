"""A task's state in a RocksDB database of its own.

What is set lies in memory until :meth:`DiskStore.save` writes it, with the bookmark of its batch,
in one write batch. So what is on disk is at any moment exactly the state of the batch that its
bookmark names, or it has no bookmark and is worth nothing. A process that is killed loses the
batches that were not saved, and reads them from the changelog again. Nothing waits for the disk: a
machine that loses its power may come back with an earlier batch, never with half of one.

Reads are exact at any moment, saved or not. Counts, timers and versions are kept beside heads and
entries (:mod:`baton.engine.disk.disk_keys`), so nothing needs a look at all keys.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection, Iterator
from heapq import merge
from pathlib import Path
from typing import TYPE_CHECKING, Any

from baton.engine.changelog import entry_key, head_key, timer_of, version_of
from baton.engine.disk.disk_keys import (
    META,
    PAST,
    count_key,
    number_of,
    pack_meta,
    packed,
    timer_in,
    timer_key,
    unpack_meta,
    version_in,
    version_prefix,
)
from baton.engine.disk.head_cache import HeadCache
from baton.engine.store import Bookmark, StoreFailed
from baton.engine.timers import Timer, TimerQueue
from baton.engine.windowed_timers import MOST, WindowedTimers

if TYPE_CHECKING:
    from rocksdict import Rdict

DATABASE, DISCARDED = "db", "discarded"
_CHUNK = 1_000
_UNSET: Any = object()
_FULL = "No space left on device"


def discard_database(folder: Path) -> None:
    """Delete the database in ``folder``. It is renamed first: one that is deleted in part could be
    taken for a whole one."""
    shutil.rmtree(folder / DISCARDED, ignore_errors=True)
    if (folder / DATABASE).exists():
        (folder / DATABASE).rename(folder / DISCARDED)
        shutil.rmtree(folder / DISCARDED, ignore_errors=True)


class DiskStore:
    """The store of one task in ``folder``. ``most_timers``: see
    :data:`baton.engine.windowed_timers.MOST`."""

    durable = True

    def __init__(
        self, db: Rdict, folder: Path, heads: HeadCache, *, most_timers: int = MOST
    ) -> None:
        from rocksdict import WriteBatch

        self._db, self._folder, self._heads = db, folder, heads
        self._new_write: Callable[[], WriteBatch] = lambda: WriteBatch(raw_mode=True)
        self._pending: dict[bytes, bytes | None] = {}
        self._queue = WindowedTimers(self, most_timers)
        self._bookmark: Bookmark | None = None
        self._keys = self._timers = 0
        meta = self._get(META)
        known = None if meta is None else unpack_meta(meta)
        if known is not None:
            self._bookmark, self._keys, self._timers = known

    @property
    def bookmark(self) -> Bookmark | None:
        """What the state on disk is of; None: nothing that can be used."""
        return self._bookmark

    @property
    def empty(self) -> bool:
        """Whether nothing at all is on disk."""
        return not self._read(lambda: self._keys_from(b"", PAST, 1))

    def size(self) -> int:
        """Bytes of the database's files, without the log of what was written last."""
        return int(self._db.property_int_value("rocksdb.total-sst-files-size") or 0)

    # ------------------------------------------------------------------ heads

    def head(self, key: str) -> bytes | None:
        found = self._heads.get(key)
        if found is None:
            found = self._get(head_key(key))
            if found is not None:
                self._heads.put(key, found)
        return found

    def set_head(self, key: str, raw: bytes | None) -> None:
        former = self.head(key)
        before = (None, None) if former is None else (timer_of(former), version_of(former))
        after = (None, None) if raw is None else (timer_of(raw), version_of(raw))
        if before[0] != after[0]:
            self._move_timer(key, before[0], after[0])
        if before[1] != after[1]:
            owner = key.encode()
            if before[1] is not None:
                self._pending[version_prefix(before[1]) + owner] = None
            if after[1] is not None:
                self._pending[version_prefix(after[1]) + owner] = b""
        self._keys += (raw is not None) - (former is not None)
        self._pending[head_key(key)] = raw
        self._heads.put(key, raw)

    def keys(self) -> Iterator[str]:
        return (raw[1:].decode() for raw in self._walk(b"h"))

    def __len__(self) -> int:
        return self._keys

    def lagging(self, editions: Collection[str]) -> Iterator[str]:
        prefixes, after = list[bytes](), b"v"
        while found := self._visible(after, b"v" + PAST, 1):
            version = version_in(found[0])
            prefix = version_prefix(version)
            after = prefix + PAST
            if version not in editions:
                prefixes.append(prefix)
        return merge(*(self._owners(prefix) for prefix in prefixes))

    # ------------------------------------------------------------------ entries

    def entry(self, kind: str, key: str, item: str) -> bytes | None:
        return self._get(entry_key(kind, key, item))

    def set_entry(self, kind: str, key: str, item: str, raw: bytes | None) -> None:
        place, counted = entry_key(kind, key, item), count_key(kind, key)
        existed = self._get(place) is not None
        if raw is None and not existed:
            return
        self._pending[place] = raw
        if existed != (raw is not None):
            self._pending[counted] = packed(
                number_of(self._get(counted)) + (-1 if raw is None else 1)
            )

    def count(self, kind: str, key: str) -> int:
        return number_of(self._get(count_key(kind, key)))

    def scan(
        self, kind: str, key: str, first: str, below: str | None, limit: int, reverse: bool
    ) -> list[tuple[str, bytes]]:
        prefix = entry_key(kind, key, "")
        start = prefix + first.encode()
        end = prefix + PAST if below is None else prefix + below.encode()
        if start >= end or limit <= 0:
            return []
        places = self._visible(start, end, limit, reverse=reverse)
        cut = len(prefix)
        return [(place[cut:].decode(), self._get(place) or b"") for place in places]

    # ------------------------------------------------------------------ timers and gauges

    def timers(self) -> TimerQueue:
        return self._queue

    @property
    def timer_count(self) -> int:
        """How many heads have a timer."""
        return self._timers

    def timers_from(self, first: Timer, limit: int) -> list[Timer]:
        """See :class:`~baton.engine.windowed_timers.TimerIndex`."""
        due_ms = max(first[0], -(1 << 63) + 1)
        found = self._read(
            lambda: self._keys_from(timer_key(due_ms, first[1]), b"t" + PAST * 9, limit)
        )
        return [timer_in(raw) for raw in found]

    def gauged(self) -> Iterator[str]:
        return self._owners(b"g")

    def set_gauged(self, key: str, gauged: bool) -> None:
        self._pending[b"g" + key.encode()] = b"" if gauged else None

    def _move_timer(self, key: str, before: int | None, after: int | None) -> None:
        if before is not None:
            self._pending[timer_key(before, key)] = None
        if after is not None:
            self._pending[timer_key(after, key)] = b""
        self._timers += (after is not None) - (before is not None)

    # ------------------------------------------------------------------ saving

    def save(self, bookmark: Bookmark | None) -> None:
        write = self._new_write()
        for key, value in self._pending.items():
            if value is None:
                write.delete(key)
            else:
                write.put(key, value)
        if bookmark is None:
            write.delete(META)
        else:
            write.put(META, pack_meta(bookmark, self._keys, self._timers))
        self._read(lambda: self._db.write(write))
        self._pending.clear()
        self._bookmark = bookmark
        self._queue.saved()

    def close(self, *, erase: bool = False) -> None:
        self._pending.clear()
        self._heads.clear()
        self._db.close()
        if erase:
            discard_database(self._folder)

    # ------------------------------------------------------------------ reading

    def _get(self, key: bytes) -> bytes | None:
        found = self._pending.get(key, _UNSET)
        if found is _UNSET:
            found = self._read(lambda: self._db.get(key))
        return found  # type: ignore[no-any-return]

    def _read(self, act: Callable[[], Any]) -> Any:
        try:
            return act()
        except Exception as error:  # the library has one class for whatever goes wrong
            raise StoreFailed(
                f"the state in {self._folder} cannot be used: {error}",
                damaged=_FULL not in str(error),
            ) from error

    def _keys_from(
        self, start: bytes, end: bytes, limit: int, *, reverse: bool = False
    ) -> list[bytes]:
        """Saved keys with ``start <= key < end``; the iterator lives no longer than this, since an
        open one keeps files and the lock of the database."""
        found = list[bytes]()
        place = self._db.iter()
        if reverse:
            place.seek_for_prev(end)
            if place.valid() and place.key() == end:
                place.prev()
            while len(found) < limit and place.valid() and (key := place.key()) >= start:
                found.append(key)
                place.prev()
        else:
            place.seek(start)
            while len(found) < limit and place.valid() and (key := place.key()) < end:
                found.append(key)
                place.next()
        place.status()
        return found

    def _visible(
        self, start: bytes, end: bytes, limit: int, *, reverse: bool = False
    ) -> list[bytes]:
        """The first ``limit`` keys in the span, what is not saved included."""
        unsaved = {key: value for key, value in self._pending.items() if start <= key < end}
        saved = self._read(
            lambda: self._keys_from(start, end, limit + len(unsaved), reverse=reverse)
        )
        if not unsaved:
            return list(saved)
        kept = {key for key in saved if key not in unsaved}
        kept.update(key for key, value in unsaved.items() if value is not None)
        return sorted(kept, reverse=reverse)[:limit]

    def _walk(self, prefix: bytes) -> Iterator[bytes]:
        """Every key with the prefix, chunk by chunk."""
        start, end = prefix, prefix + PAST
        while found := self._visible(start, end, _CHUNK):
            yield from found
            start = found[-1] + b"\0"

    def _owners(self, prefix: bytes) -> Iterator[str]:
        return (raw[len(prefix) :].decode() for raw in self._walk(prefix))
