"""A whole backtest: facts to disk, both agreements over each file in parallel processes, a result.

Memory is that of one file of facts a process, whatever the history. What was done is kept in the
working folder until the end, so a run that was interrupted goes on where it stopped, with the facts
that it had; after a day it begins anew. The numbers do not depend on the number of processes or on
interruptions.
"""

import gc
import json
import shutil
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, fields
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from baton.agreement.books import Books
from baton.agreement.canonical import canonical_text, load_canonical
from baton.agreement.compiled.agreement import CompiledAgreement
from baton.backtest.in_force import AgreementRecords, always, as_written
from baton.backtest.question import Question
from baton.backtest.raw_facts import RawFact
from baton.backtest.replay import BothReplays, FirstQualification, Replay
from baton.backtest.shards import PARTS, MergedLeads, Spilled, in_sample, read, spill
from baton.contracts.intake import LeadInput
from baton.engine.reducer import Event

FEW_FACTS = 2_000
"""Fewer are replayed in less time than another process takes to start."""
_COLLECT_EVERY = 100_000
_DOMAIN = "domain"
_MARKER = "facts.json"
KEEPS_MS = 86_400_000
"""So long an interrupted run can be gone on with."""
_FIELDS = tuple(field.name for field in fields(FirstQualification))

Progress = Callable[[str, int, int], None]
"""Receives what is being done, and how many of how many files are done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What every process needs. ``sample``: parts of ten thousand of the accounts."""

    old: str
    new: str
    old_books: Books
    new_books: Books
    records: AgreementRecords
    until_ms: int
    sample: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """Of every lead of the sample its account, and by lead and cycle its first qualification under
    either agreement. ``facts``: of these leads; ``until_ms``: of the run that read them."""

    accounts: dict[str, str | None]
    old: dict[str, FirstQualification]
    new: dict[str, FirstQualification]
    facts: int
    began_ms: int
    until_ms: int


def replay_both(
    question: Question,
    facts: Callable[[], Iterable[RawFact]],
    folder: Path,
    *,
    workers: int = 2,
    progress: Progress = lambda doing, done, total: None,
) -> Replayed:
    """Replay ``facts`` under both agreements. ``folder``: for what is on the way; it is removed at
    the end. ``facts`` is called only if they are not in the folder yet."""
    if question.until_ms - _until_ms(folder, question.until_ms) > KEEPS_MS:
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    parts = round(question.sample * PARTS)
    spilled = _spilled(facts, folder, parts, question.until_ms, progress)
    until_ms = _until_ms(folder, question.until_ms)
    job = Job(
        old=canonical_text(question.old.raw),
        new=canonical_text(question.new.raw),
        old_books=question.old.raw.attached,
        new_books=question.new.raw.attached,
        records=question.records,
        until_ms=until_ms,
        sample=parts,
    )
    _replay(spilled, job, workers, progress)
    found = _gathered(spilled, until_ms)
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
    facts: Callable[[], Iterable[RawFact]],
    folder: Path,
    parts: int,
    until_ms: int,
    progress: Progress,
) -> Spilled:
    marker = folder / _MARKER
    if not marker.exists():
        progress("reading facts", 0, 0)
        written = spill(_noting(facts(), progress), folder, parts=parts)
        part = marker.with_suffix(".part")
        part.write_text(
            json.dumps(
                {
                    "parents": written.groups.parents,
                    "files": [path.name for path in written.files],
                    "roots": written.roots,
                    "facts": written.facts,
                    "began_ms": written.began_ms,
                    "until_ms": until_ms,
                }
            )
        )
        part.replace(marker)
    known = json.loads(marker.read_text())
    return Spilled(
        groups=MergedLeads(known["parents"]),
        files=[folder / name for name in known["files"]],
        roots=known["roots"],
        facts=known["facts"],
        began_ms=known["began_ms"],
    )


def _until_ms(folder: Path, otherwise: int) -> int:
    """Until when the run went whose facts are in the folder."""
    marker = folder / _MARKER
    if not marker.exists():
        return otherwise
    known: int = json.loads(marker.read_text())["until_ms"]
    return known


def _noting(facts: Iterable[RawFact], progress: Progress) -> Iterator[RawFact]:
    for number, fact in enumerate(facts):
        if number % 10_000 == 0:
            progress(f"reading facts, {number:,}", 0, 0)
        yield fact


def _replay(spilled: Spilled, job: Job, workers: int, progress: Progress) -> None:
    files = spilled.files
    waiting = [path for path in files if not _result_of(path).exists()]
    done = len(files) - len(waiting)
    progress("replaying", done, len(files))
    given = (job, spilled.groups.parents, spilled.roots)
    if workers <= 1 or spilled.facts < FEW_FACTS:
        collects = gc.get_threshold()
        _begin(*given)
        for path in waiting:
            _replay_file(path)
            done += 1
            progress("replaying", done, len(files))
        gc.set_threshold(*collects)
        return
    with ProcessPoolExecutor(
        workers, mp_context=get_context("spawn"), initializer=_begin, initargs=given
    ) as pool:
        for future in as_completed([pool.submit(_replay_file, path) for path in waiting]):
            future.result()
            done += 1
            progress("replaying", done, len(files))


_own: dict[str, Any] = {}
"""Of this process: the job, compiled once."""


def _begin(job: Job, parents: dict[str, str], roots: list[str] | None) -> None:
    gc.set_threshold(_COLLECT_EVERY)  # states of a group are let go as a whole, and have no cycles
    _own["sample"] = job.sample
    _own["groups"] = MergedLeads(parents)
    _own["roots"] = None if roots is None else frozenset(roots)
    old = load_canonical(job.old, job.old_books)
    in_force = as_written(job.records, old) if job.records else always(old)
    new = always(load_canonical(job.new, job.new_books))
    _own["both"] = BothReplays(Replay(in_force, job.until_ms), Replay(new, job.until_ms))


def _replay_file(path: Path) -> None:
    rows: list[dict[str, Any]] = []
    for root, facts in read(path, _own["groups"], _own["roots"]).items():
        account = _account_of(facts)
        if not in_sample(account or root, _own["sample"]):
            continue
        old, new = _own["both"].group(facts)
        rows.append(
            {
                "account": account,
                "leads": list(dict.fromkeys(fact.key for fact in facts)),
                "facts": len(facts),
                "new": [*map(_plain, new)],
                "old": None if old is new else [*map(_plain, old)],
            }
        )
    part = path.with_suffix(".part")
    part.write_text(json.dumps(rows))
    part.replace(_result_of(path))


def _plain(one: FirstQualification) -> dict[str, Any]:
    return {name: getattr(one, name) for name in _FIELDS}


def _account_of(facts: Iterable[Event]) -> str | None:
    """The company as it was known last: so that all of its people are in a sample or none."""
    found = None
    for fact in facts:
        if isinstance(fact.value, LeadInput) and fact.value.event is not None:
            found = fact.value.event.profile.get(_DOMAIN) or found
    return found


def _result_of(path: Path) -> Path:
    return path.with_suffix(".json")


def _gathered(spilled: Spilled, until_ms: int) -> Replayed:
    accounts: dict[str, str | None] = {}
    sides: tuple[dict[str, FirstQualification], dict[str, FirstQualification]] = ({}, {})
    facts = 0
    for path in spilled.files:
        for row in json.loads(_result_of(path).read_text()):
            accounts.update(dict.fromkeys(row["leads"], row["account"]))
            facts += row["facts"]
            new = _by_key(row["new"])
            sides[0].update(new if row["old"] is None else _by_key(row["old"]))
            sides[1].update(new)
    return Replayed(
        accounts=accounts,
        old=sides[0],
        new=sides[1],
        facts=facts,
        began_ms=spilled.began_ms,
        until_ms=until_ms,
    )


def _by_key(rows: list[dict[str, Any]]) -> dict[str, FirstQualification]:
    return {one.key: one for one in (FirstQualification(**row) for row in rows)}
