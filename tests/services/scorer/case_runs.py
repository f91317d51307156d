"""Cases in files, run through the whole system in memory: an agreement and events go in, public
records come out, in words."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from baton.agreement.canonical import canonical_text, version_of
from baton.agreement.source.read import read_agreement
from baton.cli.moments import moment_ms
from baton.contracts.codec import codec_for
from baton.contracts.leads import LeadQualified, LeadRefused, LeadScored, LeadStaged
from baton.contracts.topics import TOPICS
from baton.simulation.input_lines import arrivals_of
from baton.simulation.simulation import Simulation

ROOT = Path(__file__).resolve().parents[3]
CASES = ROOT / "tests" / "cases"
SOFTWARE = ROOT / "examples" / "agreements" / "software.yaml"


@cache
def records_of(agreement: Path, events: Path, until: str | None = None) -> tuple[Any, ...]:
    """Every public record that the events lead to, in the order of the log."""
    text = canonical_text(read_agreement(agreement))
    lines = [(raw, json.loads(raw)) for raw in events.read_bytes().splitlines() if raw.strip()]
    arrivals = arrivals_of(lines)
    simulation = Simulation(text=text, version=version_of(text), start_ms=arrivals[0].at_ms)
    stored = simulation.run(arrivals, moment_ms(until) if until else None)
    wanted = ((TOPICS[record.topic].record, record.value) for record in stored)
    return tuple(
        codec_for(record).decode(value)
        for record, value in wanted
        if record is not None and value is not None
    )


def scoring(case: str, until: str | None = None) -> tuple[Any, ...]:
    """A case whose agreement and events have the same name."""
    return records_of(
        CASES / "scoring" / f"{case}.yaml", CASES / "scoring" / f"{case}.jsonl", until
    )


def field(case: str, until: str | None = None) -> tuple[Any, ...]:
    """A case under the agreement of the software firm."""
    return records_of(SOFTWARE, CASES / "field" / case / "events.jsonl", until)


def of(kind: type[Any], records: tuple[Any, ...]) -> list[Any]:
    """The records of one kind."""
    return [record for record in records if isinstance(record, kind)]


def path_of(records: tuple[Any, ...]) -> list[str]:
    """How the lead went through its cycles, and what was refused, a line each."""
    lines = []
    for record in records:
        match record:
            case LeadStaged():
                inferred = f" inferring {'+'.join(record.inferred)}" if record.inferred else ""
                by = record.by or record.actor
                lines.append(
                    f"{record.cycle}: {record.event} by {by}: {record.from_stage} -> "
                    f"{record.to_stage}{inferred}"
                )
            case LeadRefused():
                lines.append(f"{record.event} by {record.by} refused: {record.reason}")
            case LeadQualified():
                lines.append(f"{record.cycle}: for {record.leg}, {record.level}")
    return lines


def last_score(records: tuple[Any, ...]) -> LeadScored:
    """The score that was published last."""
    found: LeadScored = of(LeadScored, records)[-1]
    return found
