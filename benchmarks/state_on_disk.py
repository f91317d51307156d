"""What leads cost with state on disk, against state in memory: an event, memory, disk, a restart.

    .venv/bin/python -m benchmarks.state_on_disk --store disk --leads 1000000 --active 200000
    .venv/bin/python -m benchmarks.state_on_disk --store memory --leads 1000000 --active 200000

The lead reducer on the engine's core without a broker, as in :mod:`benchmarks.lead_reducer`: leads
of 30 live entries are restored from a changelog, then events of ``active`` of them are processed,
each batch committed and saved. With state on disk the store is then opened again as a restart does:
once after a clean end, once as a kill left it. Times are CPU time of this process with all its
threads, those of the database included; the time of a restart is also taken by the clock. Each
store is a process of its own, so that memory is its alone. Ten million leads take 20 to 30 GB of
disk, and with state in memory they take 60 GB of it.
"""

from __future__ import annotations

import argparse
import gc
import os
import random
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from baton.engine.core import Core
from baton.engine.disk.state_directory import StateDirectory
from baton.engine.kafka.worker import calm_collector
from baton.engine.store import Store
from benchmarks.lead_reducer import BATCH, ENTRIES, ROUNDS, lead_name
from benchmarks.meter import cpu_s, resident
from benchmarks.sample import DAY_MS, START_MS, TOPIC, Book, engagement, fetched, grown, renamed
from services.scorer.lead.reducer import Lead

_SPILL = 20_000
_MEGABYTE = 1 << 20


def restore(core: Core, templates: list[list[tuple[bytes, bytes]]], leads: int) -> None:
    """Read a changelog of so many leads, and write down what was read now and then."""
    read = 0
    for number in range(leads):
        name = lead_name(number).encode()
        for key, value in templates[number % len(templates)]:
            core.restore(renamed(key, name), bytes(bytearray(value)))
            read += 1
            if not read % _SPILL:
                core.store.save(None)
    core.restored()


def rounds(core: Core, active: int, count: int) -> Iterator[float]:
    """Microseconds an event, round by round."""
    draw = random.Random(2)
    offset = core.positions.get(TOPIC, 1_000_000)
    for turn in range(ROUNDS):
        began_ms = max(START_MS + DAY_MS, core.now) + turn * 3_600_000
        stream = [
            fetched(offset + n, began_ms + n, engagement(offset + n, lead, began_ms + n, draw))
            for n, lead in enumerate(lead_name(draw.randrange(active)) for _ in range(count))
        ]
        offset += count
        gc.collect()
        began = cpu_s()
        for start in range(0, count, BATCH):
            core.begin(0)
            for event in stream[start : start + BATCH]:
                core.process(TOPIC, event)
            core.seal()
            core.commit(1)
        yield (cpu_s() - began) / count * 1e6


def restart(folder: Path, book: Book, cache_mb: int, how: str) -> None:
    """Open the store as a start of the task does, and say what that took."""
    cpu, began = cpu_s(), time.perf_counter()
    core = Core(Lead(), book, store=opened(folder, cache_mb))
    position = core.restored()
    assert position is not None
    due = core.next_due
    seconds, used = time.perf_counter() - began, cpu_s() - cpu
    print(
        f"restart after {how}: {seconds:.2f} s by the clock, {used:.2f} s of CPU; "
        f"{core.keys} leads, {core.timers} timers, next due {due}"
    )
    core.store.close()


def settle(store: Store) -> None:
    """Wait until the database has sorted what the restore wrote."""
    database = getattr(store, "_db", None)
    while database is not None and any(
        database.property_int_value(f"rocksdb.{name}")
        for name in ("num-running-flushes", "num-running-compactions", "compaction-pending")
    ):
        time.sleep(0.1)


def _linked(source: str, target: str) -> None:
    """Copy a file; of the database's tables, which it never writes again, a second name will do."""
    if source.endswith(".sst"):
        os.link(source, target)
    else:
        shutil.copy2(source, target)


def opened(folder: Path, cache_mb: int) -> Store:
    """The store on disk."""
    return StateDirectory(folder / "baton", 1, cache_mb).open("lead", 0)


def measure(folder: Path | None, leads: int, active: int, events: int, cache_mb: int) -> None:
    """One store."""
    book = Book()
    templates = grown(book, ENTRIES)
    gc.collect()
    before, cpu = resident(), cpu_s()
    core = Core(Lead(), book, store=None if folder is None else opened(folder, cache_mb))
    restore(core, templates, leads)
    print(f"restore: {(cpu_s() - cpu) / leads * 1e6:.1f} us of CPU a lead")
    settle(core.store)
    calm_collector()
    costs = list(rounds(core, active, events))
    memory = resident() - before
    print(f"an event: {min(costs):.1f} us of CPU ({', '.join(f'{cost:.1f}' for cost in costs)})")
    print(f"memory: {memory / _MEGABYTE:.0f} MB, {memory / leads:.0f} bytes a lead")
    if folder is None:
        return
    print(f"disk: {core.store.size() / leads:.0f} bytes a lead")
    settle(core.store)
    killed = folder / "killed"
    shutil.copytree(folder / "baton", killed / "baton", copy_function=_linked)
    core.store.close()
    restart(folder, book, cache_mb, "a clean end")
    restart(killed, book, cache_mb, "a kill")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--store", choices=("memory", "disk"), required=True)
    parser.add_argument("--leads", type=int, default=100_000)
    parser.add_argument("--active", type=int, default=20_000)
    parser.add_argument("--events", type=int, default=20_000)
    parser.add_argument("--cache-mb", type=int, default=128)
    parser.add_argument("--folder", type=Path, help="on the disk to be measured")
    asked = parser.parse_args()
    print(f"{asked.store}: {asked.leads} leads of {ENTRIES} live entries, {asked.active} active")
    sizes = asked.leads, asked.active, asked.events, asked.cache_mb
    if asked.store == "memory":
        measure(None, *sizes)
        return
    with tempfile.TemporaryDirectory(prefix="baton-state-", dir=asked.folder) as folder:
        measure(Path(folder), *sizes)


if __name__ == "__main__":
    main()
