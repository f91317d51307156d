"""Play many seeds and audit each: ``python -m tests.simulation.seeds --seeds 1000 [--first 0]``.

A seed that fails is printed with its findings, and plays the same again: ``--first SEED --seeds 1
--trace``.
"""

import argparse
import gc
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from itertools import count, islice
from typing import NamedTuple

from baton.contracts.topic_names import INTAKE_KEYED
from baton.flow import all_reducers
from baton.proof.audit.audit import Audit
from baton.proof.audit.source import MemorySource
from tests.simulation.coverage import FAULTS, WANTED, came_about
from tests.simulation.machines import machines
from tests.simulation.scheduler import PARTITIONS, Run, agreement, has_crowd, play
from tests.simulation.separations import is_separated

GRACE_MS = 1_000
_FOUND = "state found on disk"


@cache
def _agreed() -> tuple[str, str]:
    return agreement()


class Verdict(NamedTuple):
    """Of one seed; an exception is a finding too. ``met``: faults by kind, and what came about.
    ``events``: what came in, and ``records``: what came of it, with the engine's own. ``cpu_s``:
    the processor's time."""

    seed: int
    findings: list[str]
    met: Counter[str]
    trace: list[str]
    events: int = 0
    records: int = 0
    cpu_s: float = 0.0


def verdict(seed: int, on_disk: bool = False) -> Verdict:
    """Play it and audit it. ``on_disk``: with the state of tasks on disk."""
    began_s = time.process_time()
    try:
        run = _on_disk(seed) if on_disk else play(seed, *_agreed())
    except Exception as error:
        return Verdict(seed, [f"{type(error).__name__}: {error}"], Counter(), [])
    log = run.host.log
    report = Audit(
        MemorySource(log), all_reducers(), grace_ms=GRACE_MS, buckets=1, until_ms=log.now
    ).run()
    return Verdict(
        seed,
        [*map(str, report.findings), *report.unchecked],
        came_about(log) + Counter(run.faults),
        run.trace,
        events=sum(record.topic == INTAKE_KEYED for record in log.history),
        records=len(log.history),
        cpu_s=time.process_time() - began_s,
    )


def settle_in() -> None:
    """For a process that plays seeds: what is loaded stays, so the collector need not look at it,
    nor look after each seed's few objects."""
    _agreed()
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 100)


def _on_disk(seed: int) -> Run:
    with machines(PARTITIONS) as made:
        run = play(seed, *_agreed(), made.open_store)
        for task in run.host.tasks.values():
            task.crash()
    if made.opened:  # in some seeds nobody starts again where a state lies
        run.faults[_FOUND] = made.opened
    return run


def _chosen(first: int, number: int, *, crowded: bool, separated: bool) -> list[int]:
    fitting = (
        seed
        for seed in count(first)
        if (not crowded or has_crowd(seed)) and (not separated or is_separated(seed))
    )
    return list(islice(fitting, number))


def main() -> int:
    """Exit 1 if any seed fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=1_000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument(
        "--crowded", action="store_true", help="only seeds in which many ask at once"
    )
    parser.add_argument(
        "--separated", action="store_true", help="only seeds in which merges are taken back"
    )
    parser.add_argument(
        "--disk", action="store_true", help="keep the state of tasks on disk, on three machines"
    )
    parser.add_argument("--trace", action="store_true")
    parser.add_argument(
        "--until-one-fails", action="store_true", help="stop at the first seed that fails"
    )
    asked = parser.parse_args()
    began, failed = time.monotonic(), 0
    events, records, cpu_s = 0, 0, 0.0
    met: Counter[str] = Counter()
    with ProcessPoolExecutor(asked.workers, initializer=settle_in) as pool:
        for done, played in enumerate(
            pool.map(
                partial(verdict, on_disk=asked.disk),
                _chosen(asked.first, asked.seeds, crowded=asked.crowded, separated=asked.separated),
                chunksize=1 if asked.until_one_fails else 8,
            ),
            start=1,
        ):
            met.update(played.met)
            events, records = events + played.events, records + played.records
            cpu_s += played.cpu_s
            if asked.trace:
                print("\n".join(played.trace))
            for finding in played.findings:
                print(f"seed {played.seed}: {finding}")
            failed += bool(played.findings)
            if done % 200 == 0:
                print(
                    f"{done} seeds, {failed} failed, {done / (time.monotonic() - began) * 60:.0f} "
                    "a minute",
                    file=sys.stderr,
                )
            if failed and asked.until_one_fails:
                pool.shutdown(wait=False, cancel_futures=True)
                break
    print(f"{asked.seeds} seeds, {failed} failed")
    if cpu_s:
        print(
            f"{events:,} events came in and {records:,} records came of them, with faults and "
            f"audit; a core does {events / cpu_s:,.0f} events a second, {records / cpu_s:,.0f} "
            f"records, {asked.seeds / cpu_s * 60:,.0f} seeds a minute"
        )
    for kinds in (sorted(FAULTS), sorted(met.keys() - FAULTS)):
        print(", ".join(f"{name}: {met[name]}" for name in kinds))
    if missed := sorted(WANTED - met.keys()):
        print("never met: " + ", ".join(missed))
    if asked.disk and not met[_FOUND]:
        print("no task found its state on disk")
        return 1
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
