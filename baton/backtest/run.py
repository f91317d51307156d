"""A whole backtest: facts to disk, both agreements over each file in parallel processes, a result.

Memory is that of one file of facts a process, whatever the history. What was done is kept in the
working folder until the end, so a run that was interrupted goes on where it stopped. The numbers do
not depend on the number of processes or on interruptions.
"""

import gc
import json
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from baton.agreement.books import Books
from baton.agreement.canonical import canonical_text, load_canonical
from baton.agreement.compiled.agreement import CompiledAgreement
from baton.agreement.reference import reference_of
from baton.backtest.question import Question
from baton.backtest.replay import FirstQualification, Replay
from baton.backtest.shards import MergedLeads, hashed, read, regroup, spill
from baton.engine.reducer import Event

_PARTS = 10_000
_COLLECT_EVERY = 100_000
_DOMAIN = "domain"

Progress = Callable[[str, int, int], None]
"""Receives what is being done, and how many of how many files are done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What every process needs. ``sample``: parts of ten thousand of the accounts."""

    old: str
    new: str
    old_books: Books
    new_books: Books
    until_ms: int
    sample: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """By lead of the sample: its account, and its first qualification under each agreement."""

    accounts: dict[str, str | None]
    old: dict[str, FirstQualification]
    new: dict[str, FirstQualification]
    facts: int
    began_ms: int


def replay_both(
    question: Question,
    facts: Callable[[], Iterable[Event]],
    folder: Path,
    *,
    workers: int = 2,
    progress: Progress = lambda doing, done, total: None,
) -> Replayed:
    """Replay ``facts`` under both agreements. ``folder``: for what is on the way; it is removed at
    the end. ``facts`` is called only if they are not in the folder yet."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    groups, spilled, began_ms = _spilled(facts, folder, progress)
    job = Job(
        old=canonical_text(question.old.raw),
        new=canonical_text(question.new.raw),
        old_books=question.old.raw.attached,
        new_books=question.new.raw.attached,
        until_ms=question.until_ms,
        sample=round(question.sample * _PARTS),
    )
    _replay(spilled, groups, job, workers, progress)
    found = _gathered(spilled, began_ms)
    shutil.rmtree(folder)
    return found


def warm_up_ms(*agreements: CompiledAgreement) -> int:
    """How far back an act can still count: the longest window, ten half-lives without one."""
    return max(
        (
            group.keeps_ms
            for agreement in agreements
            for group in agreement.engagement.groups.values()
        ),
        default=0,
    )


def _spilled(
    facts: Callable[[], Iterable[Event]], folder: Path, progress: Progress
) -> tuple[MergedLeads, list[Path], int]:
    marker = folder / "facts.json"
    if not marker.exists():
        progress("reading facts", 0, 0)
        first = [0]
        groups = spill(_noting(facts(), first, progress), folder)
        files = regroup(folder, groups)
        part = marker.with_suffix(".part")
        part.write_text(
            json.dumps(
                {
                    "parents": groups.parents,
                    "files": [path.name for path in files],
                    "began_ms": first[0],
                }
            )
        )
        part.replace(marker)
    known = json.loads(marker.read_text())
    return (
        MergedLeads(known["parents"]),
        [folder / name for name in known["files"]],
        known["began_ms"],
    )


def _noting(facts: Iterable[Event], first: list[int], progress: Progress) -> Iterator[Event]:
    for number, fact in enumerate(facts):
        if number == 0 or fact.at_ms < first[0]:
            first[0] = fact.at_ms
        if number % 10_000 == 0:
            progress(f"reading facts, {number:,}", 0, 0)
        yield fact


def _replay(
    files: Sequence[Path], groups: MergedLeads, job: Job, workers: int, progress: Progress
) -> None:
    waiting = [path for path in files if not _result_of(path).exists()]
    done = len(files) - len(waiting)
    progress("replaying", done, len(files))
    if workers <= 1:
        _begin(job, groups.parents)
        for path in waiting:
            _replay_file(path)
            done += 1
            progress("replaying", done, len(files))
        return
    with ProcessPoolExecutor(
        workers,
        mp_context=get_context("spawn"),
        initializer=_begin,
        initargs=(job, groups.parents),
    ) as pool:
        for future in as_completed([pool.submit(_replay_file, path) for path in waiting]):
            future.result()
            done += 1
            progress("replaying", done, len(files))


_own: dict[str, Any] = {}
"""Of this process: the job, compiled once."""


def _begin(job: Job, parents: dict[str, str]) -> None:
    gc.set_threshold(_COLLECT_EVERY)  # states of a group are let go as a whole, and have no cycles
    _own["sample"] = job.sample
    _own["groups"] = MergedLeads(parents)
    _own["replays"] = {
        "old": Replay(reference_of(load_canonical(job.old, job.old_books)), job.until_ms),
        "new": Replay(reference_of(load_canonical(job.new, job.new_books)), job.until_ms),
    }


def _replay_file(path: Path) -> None:
    rows: list[dict[str, Any]] = []
    for root, facts in read(path, _own["groups"]).items():
        account = _account_of(facts)
        if hashed(account or root) % _PARTS >= _own["sample"]:
            continue
        found = {
            name: {one.lead_id: asdict(one) for one in replay.group(facts)}
            for name, replay in _own["replays"].items()
        }
        for lead_id in dict.fromkeys(fact.key for fact in facts):
            rows.append(
                {
                    "lead": lead_id,
                    "account": account,
                    "facts": sum(fact.key == lead_id for fact in facts),
                    "old": found["old"].get(lead_id),
                    "new": found["new"].get(lead_id),
                }
            )
    part = path.with_suffix(".part")
    part.write_text(json.dumps(rows))
    part.replace(_result_of(path))


def _account_of(facts: Iterable[Event]) -> str | None:
    """The company as it was known last: so that all of its people are in a sample or none."""
    found = None
    for fact in facts:
        event = fact.value.event
        if event is not None:
            found = event.profile.get(_DOMAIN) or found
    return found


def _result_of(path: Path) -> Path:
    return path.with_suffix(".json")


def _gathered(files: Iterable[Path], began_ms: int) -> Replayed:
    accounts: dict[str, str | None] = {}
    sides: dict[str, dict[str, FirstQualification]] = {"old": {}, "new": {}}
    facts = 0
    for path in files:
        for row in json.loads(_result_of(path).read_text()):
            accounts[row["lead"]] = row["account"]
            facts += row["facts"]
            for name, side in sides.items():
                if row[name] is not None:
                    side[row["lead"]] = FirstQualification(**row[name])
    return Replayed(
        accounts=accounts,
        old=sides["old"],
        new=sides["new"],
        facts=facts,
        began_ms=began_ms,
    )
