"""Write the changelog of the example agreement: every change as a backtest of a simulated month.

    python tools/agreement_changelog.py

A month of described demand is played under what was in force before a change, people and all; then
both versions are replayed over what came in, and outcomes are joined.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ruamel.yaml import YAML

from baton.agreement.canonical import compiled_of
from baton.agreement.compiled.agreement import CompiledAgreement
from baton.agreement.diff import changes
from baton.agreement.source.read import agreement_of
from baton.backtest.backtest import Backtest, backtest
from baton.backtest.history import History
from baton.backtest.question import Question
from baton.backtest.replayed_facts import facts_of_lines
from baton.backtest.report import report_of, text_lines
from baton.cluster.decoded import as_document
from baton.engine.memory import Stored
from baton.simulation.memory_records import as_record
from baton.simulation.staffing.demand import Demand, read_demand
from baton.simulation.staffing.described_visits import visits_of
from baton.simulation.staffing.playing import play_quarter

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
CHANGES = EXAMPLES / "agreement-changes.yaml"
CHANGELOG = EXAMPLES / "agreements" / "CHANGELOG.md"


@dataclass(frozen=True, slots=True)
class Step:
    """One change: when, why, and the agreement before and after it."""

    day: str
    why: str
    before: str
    after: str


def steps_of(text: str, entries: list[Mapping[str, Any]]) -> Iterator[Step]:
    """The changes, newest first; ``text`` is the agreement as it is now."""
    for entry in entries:
        if text.count(entry["now"]) != 1:
            raise SystemExit(f'{CHANGES}: "{entry["now"]}" must stand once in the agreement')
        before = text.replace(entry["now"], entry["before"])
        yield Step(str(entry["day"]), entry["why"], before, text)
        text = before


def tried(old: CompiledAgreement, new: CompiledAgreement, demand: Demand, seed: int) -> list[str]:
    """The report, as lines."""
    history = History()

    def heard(stored: Stored) -> None:
        history.take(as_document(as_record(stored)))

    played = play_quarter(demand, old, seed, heard)
    arrivals = sorted(visits_of(demand, old, seed), key=lambda one: one.at_ms)
    question = Question(
        old=old,
        new=new,
        since_ms=played.begins_ms,
        until_ms=played.until_ms,
        outcome="accepted",
    )
    with TemporaryDirectory() as folder:
        found: Backtest = backtest(
            question,
            lambda: facts_of_lines(arrivals, old),
            history.finish(),
            Path(folder) / "work",
            workers=1,
        )
    report = report_of(question, found)
    return list(text_lines(replace(report, tables=[*report.tables[:6]])))


def changelog() -> str:
    """The whole file."""
    plan = YAML(typ="safe", pure=True).load(CHANGES.read_text(encoding="utf-8"))
    file = EXAMPLES / "agreements" / plan["agreement"]
    lines = [
        f"# How {plan['agreement']} changed",
        "",
        f"Every change as a backtest of {plan['weeks']} simulated weeks, made by",
        "`python tools/agreement_changelog.py` from `examples/agreement-changes.yaml`",
        f"with the demand of `{plan['demand']}`, seed {plan['seed']}.",
    ]
    for step in steps_of(file.read_text(encoding="utf-8"), plan["changes"]):
        before, after = agreement_of(step.before, str(file)), agreement_of(step.after, str(file))
        old, new = compiled_of(before), compiled_of(after)
        demand = replace_weeks(read_demand(EXAMPLES / plan["demand"], old), plan["weeks"])
        lines += ["", f"## {step.day}: {step.why}", ""]
        lines += [f"* {change.section}: {change.text}" for change in changes(before, after)]
        lines += ["", "```text", *(line.rstrip() for line in tried(old, new, demand, plan["seed"]))]
        lines.append("```")
    return "\n".join(lines) + "\n"


def replace_weeks(demand: Demand, weeks: int) -> Demand:
    """The same demand for another time."""
    return demand.model_copy(update={"weeks": weeks})


def main() -> int:
    """Write it."""
    CHANGELOG.write_text(changelog(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
