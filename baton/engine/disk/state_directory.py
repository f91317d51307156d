"""The directory in which a worker keeps the state of its tasks; the database of one task lies in
``<namespace>/<reducer>-<partition>``.

A database is used only if it is of this very task: of the same cluster, namespace, reducer,
partition and number of partitions. Whether it is of this very log is checked afterwards by its
position record (:mod:`baton.engine.kafka.task_startup`). One that is torn, unfinished or of
something else is deleted and made anew, since the changelog has everything; a folder that is no
database of Baton is never touched.
"""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from baton.engine.disk.disk_store import DATABASE, DiskStore, discard_database
from baton.engine.disk.head_cache import CacheBudget, HeadCache
from baton.engine.errors import EngineError
from baton.engine.reducer import Reducer, has_state
from baton.engine.store import MemoryStore, Store, StoreFailed

if TYPE_CHECKING:
    from rocksdict import Options, Rdict

log = logging.getLogger(__name__)

FORMAT = 1
"""Of the whole database; another one is made anew."""
IDENTITY = "baton-state.json"
_WRITE_BUFFER = 16 << 20
_BLOCK = 4 << 10
_BLOOM_BITS = 10
_MEGABYTE = 1 << 20
_LOCKED = ("lock hold by current process", "LOCK: Resource temporarily unavailable")


class DiskExtraMissing(EngineError):
    """The setting asks for state on disk, and the library is not installed."""

    def __init__(self) -> None:
        super().__init__(
            "BATON_STATE_DIR is set, and state on disk needs an extra: pip install 'baton[disk]', "
            "or unset BATON_STATE_DIR to keep the state in memory"
        )


class StateInUse(Exception):
    """Another process has the database open: it still runs the task, or it hangs."""


class StateDirectory:
    """The databases of one process and one namespace, in ``folder``. ``partitions``: how many tasks
    a reducer has; ``cache_mb``: memory for all of them together to read, and as much to write.

    ``cluster_id`` is set when the cluster has answered."""

    def __init__(self, folder: Path, partitions: int, cache_mb: int) -> None:
        self.folder, self.cluster_id = folder, ""
        self._partitions = partitions
        try:
            from rocksdict import Cache, WriteBufferManager
        except ImportError as error:
            raise DiskExtraMissing from error
        blocks = cache_mb * _MEGABYTE // 2
        self._blocks = Cache(blocks)
        self._buffers = WriteBufferManager(cache_mb * _MEGABYTE, False)
        self._budget = CacheBudget(cache_mb * _MEGABYTE - blocks)

    def store_of(self, reducer: Reducer[Any, Any], partition: int) -> Store:
        """The store of a task; that of a reducer without state is in memory and stays empty."""
        return self.open(reducer.name, partition) if has_state(reducer) else MemoryStore()

    def open(self, reducer: str, partition: int) -> DiskStore:
        """The store of a task, with a bookmark if its database can be used; else it is empty.

        Raises :class:`StateInUse`, and :class:`StoreFailed` where the disk takes nothing."""
        identity = {
            "format": FORMAT,
            "cluster": self.cluster_id,
            "namespace": self.folder.name,
            "reducer": reducer,
            "partition": partition,
            "partitions": self._partitions,
        }
        folder = self.folder / f"{reducer}-{partition}"
        if (folder / IDENTITY).exists() and (folder / DATABASE).exists():
            # opened even if it is of something else: who has it open must not lose it
            store = self._opened(folder)
            if store is not None:
                if store.bookmark is not None and _is_of(folder, identity):
                    return store
                store.close()
            log.warning("the state in %s cannot be used: restoring from the changelog", folder)
        _make_anew(folder, identity)
        store = self._opened(folder)
        if store is None:
            raise StoreFailed(f"{folder}: a database that was just made cannot be opened")
        return store

    def _opened(self, folder: Path) -> DiskStore | None:
        """The store in ``folder``; None if it is torn."""
        from rocksdict import Rdict

        database: Rdict | None = None
        try:
            database = Rdict(str(folder / DATABASE), self._options())
            return DiskStore(database, folder, HeadCache(self._budget))
        except Exception as error:  # the library has one class for whatever goes wrong
            if database is not None:
                database.close()
            if any(text in str(error) for text in _LOCKED):
                raise StateInUse(
                    f"another process has {folder} open; if it hangs, end it; a worker that runs "
                    "beside others on one machine may have a BATON_STATE_DIR of its own"
                ) from error
            log.warning("the state in %s cannot be opened: %s", folder, error)
            return None

    def _options(self) -> Options:
        from rocksdict import BlockBasedOptions, DBCompressionType, Options

        tables = BlockBasedOptions()
        tables.set_block_size(_BLOCK)
        tables.set_bloom_filter(_BLOOM_BITS, False)
        tables.set_block_cache(self._blocks)
        tables.set_cache_index_and_filter_blocks(True)
        tables.set_pin_l0_filter_and_index_blocks_in_cache(True)
        options = Options(raw_mode=True)
        options.create_if_missing(True)
        options.set_block_based_table_factory(tables)
        options.set_compression_type(DBCompressionType.lz4())
        options.set_write_buffer_size(_WRITE_BUFFER)
        options.set_write_buffer_manager(self._buffers)
        options.set_level_compaction_dynamic_level_bytes(True)
        options.set_keep_log_file_num(2)
        options.set_stats_dump_period_sec(0)
        return options


def _is_of(folder: Path, identity: dict[str, Any]) -> bool:
    """Whether the database is of this very task."""
    try:
        found = json.loads((folder / IDENTITY).read_text())
    except (OSError, ValueError):
        return False
    if found == identity:
        return True
    log.warning("%s is the state of another task, cluster or release: %s", folder, found)
    return False


def _make_anew(folder: Path, identity: dict[str, Any]) -> None:
    """An empty folder for a database. Raises :class:`StoreFailed` for one that is not ours."""
    try:
        if folder.exists() and not (folder / IDENTITY).exists() and any(folder.iterdir()):
            raise StoreFailed(
                f"{folder} has files and is no state of Baton; set BATON_STATE_DIR to another "
                "directory, or remove it"
            )
        discard_database(folder)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / IDENTITY).write_text(json.dumps(identity, indent=1) + "\n")
    except OSError as error:
        raise StoreFailed(f"{folder} cannot be written: {error.strerror}") from error
