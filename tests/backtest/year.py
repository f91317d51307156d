"""A synthetic year with known truth: each lead of its own company does acts whose points are known,
so that who reaches a threshold, and when, can be said by hand."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from baton.agreement.canonical import canonical_text, compiled_of
from baton.agreement.compiled.agreement import CompiledAgreement
from baton.agreement.source.read import read_agreement
from baton.backtest.history import History, history_of
from baton.cluster.decoded import as_document
from baton.simulation.input_lines import Arrival
from baton.simulation.memory_records import as_record
from baton.simulation.simulation import Simulation

FIRST = Path(__file__).resolve().parents[2] / "examples" / "agreements" / "first.yaml"
BEGINS = datetime(2026, 1, 5, 9, tzinfo=UTC)
DAY_MS = 86_400_000
STEPS = {"forms": ("form",), "two": ("form", "pricing_view"), "webinar": ("webinar",)}
"""Points: 12; 12 and 12 a day later, which is 24 less a little decay; 20."""


@dataclass(frozen=True, slots=True)
class Truth:
    """What a lead did, and when: kind, first act."""

    kind: str
    email: str
    first_ms: int


class Year:
    """``number`` leads spread over a year; two in three have enough fit for the bridge team."""

    def __init__(self, number: int = 120, seed: int = 3) -> None:
        random = Random(seed)
        self.truths: list[Truth] = []
        self.arrivals: list[Arrival] = []
        for index in range(number):
            kind = ("forms", "two", "webinar", "demo")[index % 4]
            at = BEGINS + timedelta(minutes=random.randrange(360 * 1440))
            email = f"p{index}@firm{index}.example"
            self.truths.append(Truth(kind, email, int(at.timestamp() * 1000)))
            acts = ("demo_request",) if kind == "demo" else STEPS[kind]
            for step, act in enumerate(acts):
                self.arrivals.append(arrival(index, step, act, at + timedelta(days=step), email))
        self.arrivals.sort(key=lambda one: one.at_ms)
        self.until_ms = self.arrivals[-1].at_ms + DAY_MS

    def of_kind(self, kind: str) -> list[Truth]:
        return [truth for truth in self.truths if truth.kind == kind]


def arrival(index: int, step: int, act: str, at: datetime, email: str) -> Arrival:
    body: dict[str, Any] = {
        "id": f"e{index}-{step}",
        "source": "web" if index % 2 else "fair",
        "kind": "engagement",
        "occurred_at": at.isoformat(),
        "identifiers": {"email": email},
        "engagement": {"act": act},
        "profile": {"country": "DE", "employees": 300, "role": "VP"},
        "person": {"phone": "+49 30 1234567"},
    }
    return Arrival(at_ms=int(at.timestamp() * 1000), line=json.dumps(body).encode())


def agreement_with(tmp: Path, changes: Mapping[str, str]) -> CompiledAgreement:
    """The first agreement with words replaced; its examples are left out."""
    text = FIRST.read_text(encoding="utf-8").partition("\nexamples:")[0] + "\n"
    for old, new in changes.items():
        assert old in text, old
        text = text.replace(old, new)
    path = tmp / f"agreement-{abs(hash(tuple(changes.items())))}.yaml"
    path.write_text(text, encoding="utf-8")
    return compiled_of(read_agreement(path))


def documents_of(year: Year, agreement: CompiledAgreement) -> Iterator[dict[str, Any]]:
    """What the whole system made of the year, as ``baton simulate --json`` prints it."""
    simulation = Simulation(
        text=canonical_text(agreement.raw),
        version=agreement.version,
        start_ms=year.arrivals[0].at_ms,
        keep=False,
    )
    for stored in simulation.run(year.arrivals, year.until_ms):
        yield as_document(as_record(stored))


def history_with(documents: list[dict[str, Any]]) -> History:
    return history_of(documents)
