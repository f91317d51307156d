"""Both stores answer alike, whatever is written, saved, lost or opened again."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from baton.engine.changelog import pack_head, timer_of, version_of
from baton.engine.disk.disk_store import DiskStore
from baton.engine.disk.head_cache import CacheBudget, HeadCache
from baton.engine.store import Bookmark, MemoryStore, Store
from baton.engine.timers import TimerWheel
from baton.engine.windowed_timers import WindowedTimers

KEYS = st.sampled_from(["", "a", "aa", "b", "ab\0", "é", "\U0001f600"])
KINDS = st.sampled_from(["held", "hel", "stock"])
ITEMS = st.sampled_from(["", "a", "aa", "b", "\0", "é", "\U0001f600", "z"])
BYTES = st.sampled_from([b"", b"1", b"22"])
TIMES = st.one_of(st.none(), st.sampled_from([-5, 0, 3, 4, 1_000, 60_000, 1 << 40]))
VERSIONS = st.sampled_from(["", "v1", "v10", "w"])
OPERATIONS = st.one_of(
    st.tuples(st.just("head"), KEYS, TIMES, VERSIONS, BYTES),
    st.tuples(st.just("remove"), KEYS),
    st.tuples(st.just("entry"), KINDS, KEYS, ITEMS, st.one_of(st.none(), BYTES)),
    st.tuples(st.just("pop"), st.sampled_from([-5, 0, 3, 100, 70_000])),
    st.tuples(st.just("save")),
    st.tuples(st.just("reopen")),
)
RANGES = [("", None), ("a", "é"), ("aa", None), ("b", "b"), ("z", "a"), ("\0", "\U0001f600")]
BUDGET = CacheBudget(1_000)


def opened(folder: Path, *, most_timers: int = 2) -> DiskStore:
    from rocksdict import Options, Rdict

    options = Options(raw_mode=True)
    options.create_if_missing(True)
    database = Rdict(str(folder / "db"), options)
    return DiskStore(database, folder, HeadCache(BUDGET), most_timers=most_timers)


class Pair:
    """One store in memory and one on disk, written alike."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.saves = folder, 0
        self.memory, self.disk = MemoryStore(), opened(folder)
        self.timers, self.queue = TimerWheel(), self.disk.timers()

    def perform(self, operation: tuple[Any, ...]) -> None:
        match operation:
            case ("head", key, due, version, value):
                self.set_head(key, pack_head(due, 7, version.encode(), value))
            case ("remove", key):
                self.set_head(key, None)
            case ("entry", kind, key, item, value):
                for store in (self.memory, self.disk):
                    store.set_entry(kind, key, item, value)
            case ("pop", until):
                self.pop(until)
            case ("save",):
                self.save()
            case ("reopen",):
                self.save()
                self.disk.close()
                self.disk = opened(self.folder)
                self.queue = self.disk.timers()
                assert self.disk.bookmark == Bookmark(at=self.saves, position=b"p%d" % self.saves)

    def set_head(self, key: str, raw: bytes | None) -> None:
        for store, timers in ((self.memory, self.timers), (self.disk, self.queue)):
            store.set_head(key, raw)
            timers.set(key, None if raw is None else timer_of(raw))

    def pop(self, until: int) -> None:
        """As a task does: what fires is written again, without a timer."""
        while (found := self.timers.pop(until)) is not None:
            assert self.queue.pop(until) == found
            raw = self.memory.head(found[1])
            assert raw is not None
            self.set_head(found[1], pack_head(None, 8, version_of(raw).encode()))
        assert self.queue.pop(until) is None

    def save(self) -> None:
        self.saves += 1
        self.disk.save(Bookmark(at=self.saves, position=b"p%d" % self.saves))


def everything(store: Store) -> dict[str, Any]:
    """What can be read of a store."""
    keys = sorted(store.keys())
    owners = ["", "a", "aa", "b", "ab\0", "é", "\U0001f600"]
    kinds = ["held", "hel", "stock"]
    return {
        "heads": {key: store.head(key) for key in owners},
        "keys": keys,
        "len": len(store),
        "counts": {(kind, key): store.count(kind, key) for kind in kinds for key in owners},
        "scans": {
            (kind, key, *span, limit, reverse): store.scan(kind, key, *span, limit, reverse)
            for kind in kinds
            for key in ("", "a", "é")
            for span in RANGES
            for limit in (1, 9)
            for reverse in (False, True)
        },
        "lagging": [list(store.lagging(editions)) for editions in ((), ("v1",), ("", "w"))],
    }


@contextmanager
def pair() -> Iterator[Pair]:
    with tempfile.TemporaryDirectory() as folder:
        both = Pair(Path(folder))
        try:
            yield both
        finally:
            both.disk.close()


@settings(deadline=None, max_examples=60)
@given(st.lists(OPERATIONS, max_size=40))
def test_both_stores_read_alike_after_any_operations(operations: list[tuple[Any, ...]]) -> None:
    with pair() as both:
        for operation in operations:
            both.perform(operation)
            assert both.queue.next_due() == both.timers.next_due()
            assert both.queue.floor <= (both.timers.next_due() or 1 << 62)
        assert everything(both.disk) == everything(both.memory)
        both.perform(("reopen",))
        assert everything(both.disk) == everything(both.memory)
        assert both.queue.total(0) == len(both.timers)
        both.pop(1 << 41)
        assert both.queue.next_due() is None


def test_what_was_not_saved_is_not_there_after_a_kill(tmp_path: Path) -> None:
    store = opened(tmp_path)
    store.set_head("a", pack_head(5, 1, b"v1"))
    store.save(Bookmark(at=3, position=b"first"))
    store.set_head("a", pack_head(9, 2, b"v2"))
    store.set_head("b", pack_head(9, 2, b"v2"))
    store.close()
    again = opened(tmp_path)
    assert again.bookmark == Bookmark(at=3, position=b"first")
    assert (again.head("a"), again.head("b"), len(again)) == (pack_head(5, 1, b"v1"), None, 1)
    assert (again.timers().next_due(), list(again.lagging(()))) == (5, ["a"])
    again.close()


def test_what_is_written_of_no_batch_cannot_be_used(tmp_path: Path) -> None:
    store = opened(tmp_path)
    store.save(Bookmark(at=3, position=b"first"))
    store.set_head("a", pack_head(5, 1, b"v1"))
    store.save(None)
    store.close()
    again = opened(tmp_path)
    assert again.bookmark is None
    again.close()


def test_ten_thousand_timers_of_the_far_future_do_not_stay_in_memory(tmp_path: Path) -> None:
    store = opened(tmp_path, most_timers=100)
    queue = store.timers()
    assert isinstance(queue, WindowedTimers)
    for number in range(10_000):
        key, due = f"k{number:05}", number * 37 % 10_007
        store.set_head(key, pack_head(due, 1, b"v1"))
        queue.set(key, due)
        if not number % 50:
            store.save(Bookmark(at=number, position=b"p"))
            queue.next_due()
        assert queue.in_memory <= 251
    store.save(Bookmark(at=1, position=b"p"))
    fired = []
    while (found := queue.pop(1 << 40)) is not None:
        fired.append(found)
        store.set_head(found[1], pack_head(None, 2, b"v1"))
        queue.set(found[1], None)
        store.save(Bookmark(at=1, position=b"p"))
    assert fired == sorted((number * 37 % 10_007, f"k{number:05}") for number in range(10_000))
    store.close()


@pytest.mark.parametrize("planted", ["none", "counts", "timers", "versions"])
def test_a_store_that_forgets_what_it_derives_is_found(
    planted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Planted bugs: the law notices each of them."""
    real = DiskStore.set_head
    if planted == "counts":
        monkeypatch.setattr(DiskStore, "count", lambda self, kind, key: 0)
    elif planted == "timers":
        monkeypatch.setattr(DiskStore, "_move_timer", lambda self, key, before, after: None)
    elif planted == "versions":
        monkeypatch.setattr(
            DiskStore,
            "set_head",
            lambda self, key, raw: (
                real(self, key, raw),
                self._pending.pop(b"v\x02v1" + key.encode(), None),
            ),
        )
    with pair() as both:
        both.perform(("head", "a", 5, "v1", b"1"))
        both.perform(("entry", "held", "a", "i", b"1"))
        both.perform(("reopen",))
        found = everything(both.disk), both.queue.next_due()
        expected = everything(both.memory), both.timers.next_due()
        assert (found == expected) is (planted == "none")
