"""How long a backtest takes: a described demand, copied until there are so many facts, replayed
under two agreements.

    python -m benchmarks.backtest_speed --facts 1000000 --workers 2
    python -m benchmarks.backtest_speed --facts 1000000 --workers 2 --sample 10%

Facts are made in memory, which is part of the time; reading them from a cluster is not measured.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from baton.backtest.replayed_facts import facts_of_lines

from baton.agreement.canonical import compiled_of
from baton.agreement.compiled.agreement import CompiledAgreement
from baton.agreement.source.read import agreement_of, read_agreement
from baton.backtest.backtest import backtest
from baton.backtest.question import Question
from baton.engine.reducer import Event
from baton.simulation.staffing.demand import read_demand
from baton.simulation.staffing.described_visits import visits_of

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
AGREEMENT = EXAMPLES / "agreements" / "software.yaml"
_LATE_MS = 1_830_000_000_000  # in 2027, after the demand
CHANGE = ("- {stage: decision, points: 25}", "- {stage: decision, points: 15}")


def facts_of(agreement: CompiledAgreement, number: int) -> Iterator[Event]:
    """So many facts: a quarter of described demand, as often as is needed, of other people."""
    demand = read_demand(EXAMPLES / "demand.yaml", agreement)
    arrivals = sorted(visits_of(demand, agreement, 1), key=lambda one: one.at_ms)
    once = list(facts_of_lines(arrivals, agreement))
    for place in range(number):
        copy, fact = divmod(place, len(once))
        yield _of_another(once[fact], f"{copy:x}")


def _of_another(fact: Event, copy: str) -> Event:
    lead_id, value = copy + fact.key, fact.value
    event = value.event
    if event is not None:
        profile = {
            name: f"{copy}-{text}" if name == "domain" else text
            for name, text in event.profile.items()
        }
        event = replace(
            event, lead_id=lead_id, event_id=copy + event.event_id[len(copy) :], profile=profile
        )
    return replace(fact, key=lead_id, value=replace(value, lead_id=lead_id, event=event))


def main() -> None:
    """Run one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--facts", type=int, default=100_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--sample", default="100%")
    given = parser.parse_args()
    new = compiled_of(read_agreement(AGREEMENT))
    text = AGREEMENT.read_text(encoding="utf-8").replace(*CHANGE)
    old = compiled_of(agreement_of(text, str(AGREEMENT)))
    question = Question(
        old=old,
        new=new,
        since_ms=None,
        until_ms=_LATE_MS,
        sample=float(given.sample.removesuffix("%")) / 100,
    )
    began, said = time.perf_counter(), [""]

    def progress(doing: str, done: int, total: int) -> None:
        if doing.split(",")[0] != said[0]:
            said[0] = doing.split(",")[0]
            print(f"{time.perf_counter() - began:8.1f} s  {said[0]}", flush=True)

    with TemporaryDirectory() as folder:
        found = backtest(
            question,
            lambda: facts_of(old, given.facts),
            None,
            Path(folder) / "work",
            workers=given.workers,
            progress=progress,
        )
    took = time.perf_counter() - began
    print(f"{took:8.1f} s  {given.facts:,} facts, {found.comparison.cells}")


if __name__ == "__main__":
    main()
