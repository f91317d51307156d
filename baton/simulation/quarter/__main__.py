"""``python -m baton.simulation.quarter``: play the quarter, write its report. Exit 1 where
something does not add up."""

from __future__ import annotations

import argparse
import gc
import sys
import time
from pathlib import Path

from baton.agreement.source.read import agreement_of
from baton.simulation.quarter.ninety_days import play, second_half
from baton.simulation.quarter.quarter_report import problems, report

AGREEMENT = Path("examples/agreements/software.yaml")


def main() -> int:
    """As the module says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--leads", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--agreement", type=Path, default=AGREEMENT)
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    gc.freeze()
    gc.set_threshold(100_000, 20, 50)
    began_s = time.process_time()
    text = asked.agreement.read_text(encoding="utf-8")
    first, then = agreement_of(text), agreement_of(second_half(text))
    quarter = play(first, then, leads=asked.leads, seed=asked.seed)
    spent_s = time.process_time() - began_s
    written = report(quarter, leads=asked.leads, seed=asked.seed)
    if asked.out is None:
        print(written)
    else:
        asked.out.write_text(written, encoding="utf-8")
    print(f"{quarter.sent:,} lines in {spent_s:.0f} s of CPU time", file=sys.stderr)
    return 1 if problems(quarter) else 0


if __name__ == "__main__":
    sys.exit(main())
