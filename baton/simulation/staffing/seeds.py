"""Plays a described quarter once a seed, in processes side by side. The figures do not depend on
how many there are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context

from baton.agreement.books import Books
from baton.agreement.canonical import canonical_text, load_canonical
from baton.agreement.model.agreement import Agreement
from baton.simulation.staffing.demand import Demand
from baton.simulation.staffing.outcome import Outcome, outcome_of
from baton.simulation.staffing.playing import play_quarter


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One quarter: canonical text and books of the agreement, demand, seed."""

    text: str
    books: Books
    demand: Demand
    seed: int


def play_job(job: Job) -> Outcome:
    """Play it and count it."""
    agreement = load_canonical(job.text, job.books)
    return outcome_of(play_quarter(job.demand, agreement, job.seed), agreement)


def play_seeds(
    agreement: Agreement,
    demand: Demand,
    seeds: Sequence[int],
    *,
    workers: int,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[Outcome]:
    """One outcome a seed, in their order."""
    text = canonical_text(agreement)
    jobs = [Job(text=text, books=agreement.attached, demand=demand, seed=seed) for seed in seeds]
    found: list[Outcome] = []
    progress(0, len(jobs))
    if workers == 1 or len(jobs) == 1:
        for job in jobs:
            found.append(play_job(job))
            progress(len(found), len(jobs))
        return found
    with ProcessPoolExecutor(min(workers, len(jobs)), mp_context=get_context("spawn")) as pool:
        for outcome in pool.map(play_job, jobs):
            found.append(outcome)
            progress(len(found), len(jobs))
    return found
