"""Play many seeds and audit each: ``python -m tests.simulation.seeds --seeds 1000 [--first 0]``.

A seed that fails is printed with its findings, and plays the same again: ``--first SEED --seeds 1 --trace``.
"""

import argparse
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from functools import cache

from baton.audit.audit import Audit
from baton.audit.source import MemorySource
from baton.cli.flow import all_reducers
from tests.simulation.scheduler import agreement, play

GRACE_MS = 10_000


@cache
def _agreed() -> tuple[str, str]:
    return agreement()


def verdict(seed: int) -> tuple[int, list[str], dict[str, int], list[str]]:
    """``(seed, findings, faults by kind, trace)``; an exception is a finding too."""
    try:
        run = play(seed, *_agreed())
    except Exception as error:
        return seed, [f"{type(error).__name__}: {error}"], {}, []
    report = Audit(MemorySource(run.host.log), all_reducers(), grace_ms=GRACE_MS, buckets=1, until_ms=run.host.log.now).run()
    return seed, [str(finding) for finding in report.findings] + report.unchecked, run.faults, run.trace


def main() -> int:
    """Exit 1 if any seed fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=1_000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--trace", action="store_true")
    asked = parser.parse_args()
    began, failed = time.monotonic(), 0
    faults: Counter[str] = Counter()
    with ProcessPoolExecutor(asked.workers) as pool:
        for done, (seed, findings, seen, trace) in enumerate(
            pool.map(verdict, range(asked.first, asked.first + asked.seeds), chunksize=8), start=1
        ):
            faults.update(seen)
            if asked.trace:
                print("\n".join(trace))
            for finding in findings:
                print(f"seed {seed}: {finding}")
            failed += bool(findings)
            if done % 200 == 0:
                print(f"{done} seeds, {failed} failed, {done / (time.monotonic() - began) * 60:.0f} a minute", file=sys.stderr)
    print(f"{asked.seeds} seeds, {failed} failed; " + ", ".join(f"{name}: {number}" for name, number in faults.most_common()))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
