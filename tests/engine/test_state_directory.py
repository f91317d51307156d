"""Which database a task is given: its own and whole, else an empty one; and no other's is lost."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from baton.contracts.amounts import Amount
from baton.contracts.metric_catalogue import Business
from baton.engine.changelog import pack_head
from baton.engine.core import Core
from baton.engine.disk import state_directory
from baton.engine.disk.disk_store import DATABASE, DiskStore
from baton.engine.disk.state_directory import (
    IDENTITY,
    DiskExtraMissing,
    StateDirectory,
    StateInUse,
)
from baton.engine.reducer import Reducer, View
from baton.engine.store import Bookmark, MemoryStore, Store, StoreFailed
from baton.engine.task_config import TaskConfig
from tests.engine.test_core import commit, number
from tests.engine.test_measures import Standing
from tests.engine.toys import TOY_TOPICS, Counter, Door, ToyBook, ToyTotal

HEAD = pack_head(5, 1, b"v1", b"value" * 100)


def directory(folder: Path, *, cluster: str = "one", partitions: int = 4) -> StateDirectory:
    made = StateDirectory(folder / "baton", partitions, 8)
    made.cluster_id = cluster
    return made


def written(folder: Path) -> Path:
    """The folder of a task that has saved a head, and is closed."""
    store = directory(folder).open("lead", 3)
    for place in range(500):
        store.set_head(f"k{place}", HEAD)
    store.save(Bookmark(at=7, position=b"p"))
    store.close()
    return folder / "baton" / "lead-3"


def bookmark_of(store: DiskStore) -> Bookmark | None:
    found = store.bookmark
    assert (store.head("k1"), len(store)) == ((HEAD, 500) if found else (None, 0))
    store.close()
    return found


def test_a_task_gets_what_it_saved(tmp_path: Path) -> None:
    written(tmp_path)
    assert bookmark_of(directory(tmp_path).open("lead", 3)) == Bookmark(at=7, position=b"p")


@pytest.mark.parametrize(
    ("cluster", "partitions"), [("another", 4), ("one", 8)], ids=["cluster", "partitions"]
)
def test_the_state_of_another_log_is_not_used(
    tmp_path: Path, cluster: str, partitions: int
) -> None:
    written(tmp_path)
    there = directory(tmp_path, cluster=cluster, partitions=partitions)
    assert bookmark_of(there.open("lead", 3)) is None


def test_the_state_of_another_task_is_not_used(tmp_path: Path) -> None:
    folder = written(tmp_path)
    folder.rename(folder.with_name("lead-2"))
    assert bookmark_of(directory(tmp_path).open("lead", 2)) is None


def test_the_state_of_another_format_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path)
    monkeypatch.setattr(state_directory, "FORMAT", 2)
    assert bookmark_of(directory(tmp_path).open("lead", 3)) is None


def _without_tables(folder: Path) -> None:
    store = directory(folder.parents[1]).open("lead", 3)
    store._db.flush()
    store.close()
    tables = list((folder / DATABASE).glob("*.sst"))
    assert tables
    for table in tables:
        table.unlink()


def _half_a_manifest(folder: Path) -> None:
    (manifest,) = (folder / DATABASE).glob("MANIFEST-*")
    manifest.write_bytes(manifest.read_bytes()[:10])


def _no_database(folder: Path) -> None:
    (folder / DATABASE).rename(folder / "elsewhere")


def _no_current(folder: Path) -> None:
    (folder / DATABASE / "CURRENT").unlink()


def _half_an_identity(folder: Path) -> None:
    (folder / IDENTITY).write_text('{"format": 1, "clus')


@pytest.mark.parametrize(
    "tear", [_without_tables, _half_a_manifest, _no_database, _no_current, _half_an_identity]
)
def test_a_torn_directory_is_made_anew(tmp_path: Path, tear: Callable[[Path], None]) -> None:
    tear(written(tmp_path))
    assert bookmark_of(directory(tmp_path).open("lead", 3)) is None
    written(tmp_path)
    assert bookmark_of(directory(tmp_path).open("lead", 3)) is not None


def test_a_log_of_writes_that_ends_in_the_middle_gives_an_earlier_batch(tmp_path: Path) -> None:
    """As after a loss of power."""
    folder = written(tmp_path)
    store = directory(tmp_path).open("lead", 3)
    store.set_head("k1", pack_head(5, 2, b"v1", b"later" * 500))
    store.save(Bookmark(at=9, position=b"later"))
    there = tmp_path / "there" / "baton" / "lead-3"
    shutil.copytree(folder, there)
    store.close()
    newest = max((there / DATABASE).glob("*.log"))
    newest.write_bytes(newest.read_bytes()[:-40])
    after = directory(tmp_path / "there").open("lead", 3)
    assert bookmark_of(after) == Bookmark(at=7, position=b"p")


def test_a_deleted_directory_is_an_empty_state(tmp_path: Path) -> None:
    assert bookmark_of(directory(tmp_path / "new").open("lead", 3)) is None


def test_a_folder_of_somebody_else_is_not_touched(tmp_path: Path) -> None:
    folder = tmp_path / "baton" / "lead-3"
    folder.mkdir(parents=True)
    (folder / "thesis.txt").write_text("years of work")
    with pytest.raises(StoreFailed, match="is no state of Baton"):
        directory(tmp_path).open("lead", 3)
    assert (folder / "thesis.txt").read_text() == "years of work"


def test_who_has_a_database_open_does_not_lose_it(tmp_path: Path) -> None:
    """Neither to the same task nor to one of another cluster that is pointed at the directory."""
    written(tmp_path)
    script = (
        "import sys; from pathlib import Path; from tests.engine.test_state_directory import *\n"
        "store = directory(Path(sys.argv[1])).open('lead', 3)\n"
        "print('open', flush=True); sys.stdin.read(); print(bookmark_of(store).at)"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdin is not None
    assert holder.stdout is not None
    assert holder.stdout.readline() == "open\n"
    for there in (directory(tmp_path), directory(tmp_path, cluster="another")):
        with pytest.raises(StateInUse, match="another process has"):
            there.open("lead", 3)
    assert holder.communicate()[0] == "7\n"
    assert bookmark_of(directory(tmp_path).open("lead", 3)) == Bookmark(at=7, position=b"p")


def test_an_erased_store_leaves_nothing_to_open(tmp_path: Path) -> None:
    folder = written(tmp_path)
    directory(tmp_path).open("lead", 3).close(erase=True)
    assert [found.name for found in folder.iterdir()] == [IDENTITY]
    assert bookmark_of(directory(tmp_path).open("lead", 3)) is None


def test_a_block_that_cannot_be_read_is_damage(tmp_path: Path) -> None:
    folder = written(tmp_path)
    store = directory(tmp_path).open("lead", 3)
    store._db.flush()
    store.close()
    for table in (folder / DATABASE).glob("*.sst"):
        raw = bytearray(table.read_bytes())
        raw[:500] = bytes(500)  # heads lie first, the bookmark after them
        table.write_bytes(raw)
    store = directory(tmp_path).open("lead", 3)
    with pytest.raises(StoreFailed, match="cannot be used") as failed:
        [store.head(f"k{number}") for number in range(500)]
    assert failed.value.damaged
    # a walk must not end there as if nothing more came
    with pytest.raises(StoreFailed, match="cannot be used"):
        list(store.keys())
    store.close(erase=True)


@pytest.mark.parametrize(("reducer", "kind"), [(Door(), MemoryStore), (Counter(), DiskStore)])
def test_only_a_reducer_with_state_has_a_database(
    tmp_path: Path, reducer: Reducer[object, object], kind: type
) -> None:
    store = directory(tmp_path).store_of(reducer, 0)
    assert type(store) is kind
    store.close()


def test_the_missing_library_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rocksdict", None)
    with pytest.raises(DiskExtraMissing, match=r"pip install 'baton\[disk\]'"):
        directory(tmp_path)


def test_the_identity_names_no_person_and_no_host(tmp_path: Path) -> None:
    identity = json.loads((written(tmp_path) / IDENTITY).read_text())
    assert identity == {
        "format": 1,
        "cluster": "one",
        "namespace": "baton",
        "reducer": "lead",
        "partition": 3,
        "partitions": 4,
    }


class Even(Standing):
    """A gauge of the keys whose count is even; no other key has a part in it."""

    name = "even"

    def gauge(self, view: View[ToyTotal]) -> Amount | None:
        even = view.head is not None and view.head.count % 2 == 0
        return Amount(Business.ORPHANS) if even else None


def test_a_gauge_is_the_same_after_a_restart_and_looks_at_none_but_its_keys(tmp_path: Path) -> None:
    def core_on(store: Store | None) -> Core:
        config = TaskConfig(topics=TOY_TOPICS)
        return Core(Even(), ToyBook("v1"), config, store=store)

    running, log = core_on(directory(tmp_path).open("even", 0)), list[tuple[bytes, bytes | None]]()
    for offset, key in enumerate("abcab" + "d" * 4 + "a"):
        at = len(log)
        batch = commit(running, number(running, offset, 1_000 + offset, key=key))
        assert batch is not None
        log += batch.changelog
        running.keep(at)
    running.store.close()
    whole = core_on(None)
    for changed, value in log:
        whole.restore(changed, value)
    again = core_on(directory(tmp_path).open("even", 0))
    assert again.restored() == whole.restored()
    assert sorted(again.store.gauged()) == ["b", "d"]
    assert list(again.gauges()) == list(whole.gauges()) == [Amount(Business.ORPHANS)] * 2
    again.store.close()
    # restored from the whole log, every key is a candidate until it was looked at once
    anew = core_on(directory(tmp_path / "anew").open("even", 0))
    for changed, value in log:
        anew.restore(changed, value)
    anew.restored()
    assert sorted(anew.store.gauged()) == ["a", "b", "c", "d"]
    assert list(anew.gauges()) == [Amount(Business.ORPHANS)] * 2
    anew.keep(1)
    assert sorted(anew.store.gauged()) == ["b", "d"]
    anew.store.close()
