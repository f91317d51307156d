"""How long a backtest takes: a described demand, copied until there are so many facts, replayed
under two agreements.

    python -m benchmarks.backtest_speed --facts 1000000 --workers 2
    python -m benchmarks.backtest_speed --facts 1000000 --workers 2 --sample 10%

Facts are made in memory as the bytes that the book of record has, which is part of the time;
fetching them from a broker is not measured. Beside the wall's time it prints the CPU time of all
processes, which can be compared on a machine that does other things too, and the peak of memory.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from baton.agreement.canonical import compiled_of
from baton.agreement.compiled.agreement import CompiledAgreement
from baton.agreement.source.read import agreement_of, read_agreement
from baton.backtest.backtest import backtest
from baton.backtest.backtest_run import Progress
from baton.backtest.question import Question
from baton.backtest.raw_facts import Kind, RawFact, event_of, reach_of
from baton.backtest.replayed_facts import facts_of_lines
from baton.contracts.codec import codec_for
from baton.contracts.intake import LeadEvent, LeadInput
from baton.simulation.staffing.demand import read_demand
from baton.simulation.staffing.described_visits import visits_of

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
AGREEMENT = EXAMPLES / "agreements" / "software.yaml"
CHANGE = ("- {stage: decision, points: 25}", "- {stage: decision, points: 15}")
_COPY = "~~~~~~~"
"""Stands in ids and domains for the number of the copy."""
_AFTER_MS = 30 * 86_400_000


def facts_of(agreement: CompiledAgreement, number: int) -> Iterator[RawFact]:
    """So many facts: a quarter of described demand, as often as is needed, of other people."""
    demand = read_demand(EXAMPLES / "demand.yaml", agreement)
    arrivals = sorted(visits_of(demand, agreement, 1), key=lambda one: one.at_ms)
    once = [_of_anybody(fact) for fact in facts_of_lines(arrivals, agreement)]
    place = _COPY.encode()
    for at in range(number):
        copy, fact = divmod(at, len(once))
        own = b"%07x" % copy
        one = once[fact]
        yield one._replace(
            key=one.key.replace(place, own),
            id=one.id.replace(place, own),
            value=one.value.replace(place, own),
        )


def _of_anybody(fact: RawFact) -> RawFact:
    message: LeadInput = event_of(fact, 0).value
    event = message.event
    assert event is not None, "described visits are engagement"
    lead_id = _COPY + fact.key.decode()[len(_COPY) :]
    profile = {
        name: f"{_COPY}-{text}" if name == "domain" else text
        for name, text in event.profile.items()
    }
    event = replace(
        event,
        lead_id=lead_id,
        event_id=_COPY + event.event_id[len(_COPY) :],
        profile=profile,
    )
    return fact._replace(
        kind=Kind.ACCEPTED,
        key=lead_id.encode(),
        id=event.event_id.encode(),
        value=codec_for(LeadEvent).encode(event),
        reach=0 if message.person is None else reach_of(message.person),
    )


def cpu_s() -> float:
    """CPU time of this process and of those that have ended below it."""
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in used)


def progress_since(began: float) -> Progress:
    """Prints what is being done when that changes, and of a replay every eighth of its files."""
    said: list[tuple[str, int]] = []

    def progress(doing: str, done: int, total: int) -> None:
        now = doing.split(",")[0], done * 8 // total if total else 0
        if now not in said:
            said.append(now)
            files = f", {done} of {total} files" if total else ""
            print(f"{time.perf_counter() - began:8.1f} s  {now[0]}{files}", flush=True)

    return progress


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
    first = next(facts_of(old, 1))
    question = Question(
        old=old,
        new=new,
        since_ms=first.at_ms,
        until_ms=first.at_ms + 100 * 86_400_000 + _AFTER_MS,
        sample=float(given.sample.removesuffix("%")) / 100,
    )
    began, began_cpu = time.perf_counter(), cpu_s()
    progress = progress_since(began)
    with TemporaryDirectory() as folder:
        found = backtest(
            question,
            lambda: facts_of(old, given.facts),
            None,
            Path(folder) / "work",
            workers=given.workers,
            progress=progress,
        )
    took, used = time.perf_counter() - began, cpu_s() - began_cpu
    print(f"{took:8.1f} s  {given.facts:,} facts, {found.comparison.cells}")
    print(f"{used:8.1f} s  of CPU time, {used / given.facts * 1e6:,.0f} microseconds a fact")
    own, largest = (
        resource.getrusage(who).ru_maxrss // 1024
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    print(f"{own:8,} MB at most in this process, {largest:,} MB in the largest below it")


if __name__ == "__main__":
    main()
