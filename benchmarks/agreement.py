"""What a question to the compiled agreement costs: CPU microseconds, the best of several runs.

    .venv/bin/python benchmarks/agreement.py

An agreement of 60 fit criteria (all forms of condition), the levels, a deadline, a promise, a pool,
a segment.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from baton.agreement.canonical import compiled_of, model_of
from baton.agreement.compiled.agreement import CompiledAgreement, ConditionContext
from baton.agreement.source.yaml import read_yaml

EXAMPLE = Path(__file__).resolve().parents[1] / "examples" / "agreements" / "software.yaml"
PROFILE = {
    "country": "DE",
    "employees": "250",
    "role": "Head of IT",
    "industry": "Logistics",
    "email_kind": "company",
    "revenue_meur": "12",
}
SATURDAY = 1_795_273_200_000
RULES = 60


def agreement() -> CompiledAgreement:
    """The example, with made-up criteria up to :data:`RULES`."""
    data = read_yaml(EXAMPLE.read_text(encoding="utf-8")).data
    for number in range(RULES - len(data["fit"])):
        whens: list[dict[str, Any]] = [
            {"field": "profile.country", "op": "in", "value": ["DE", "AT", f"X{number}"]},
            {"field": "profile.employees", "op": "at_least", "value": number * 10},
            {
                "all": [
                    {"field": "profile.industry", "op": "is", "value": f"retail {number}"},
                    {"field": "profile.role", "op": "contains", "value": "head"},
                ]
            },
            {
                "any": [
                    {"field": "profile.email_kind", "op": "is", "value": "company"},
                    {"not": {"field": "profile.product", "op": "known"}},
                ]
            },
        ]
        data["fit"][f"criterion {number}"] = {"points": 1, "when": whens[number % 4]}
    return compiled_of(model_of(data))


CALLS = 5_000


def cost_us(call: Callable[[], Any], times: int, runs: int = 7) -> float:
    """CPU microseconds of one call."""
    best = float("inf")
    for _ in range(runs):
        began = time.process_time_ns()
        for _ in range(times):
            call()
        best = min(best, (time.process_time_ns() - began) / times / 1_000)
    return best


def measured(options: dict[str, Any]) -> dict[str, Any]:
    """Microseconds by question, of so many ``calls`` a run."""
    made = agreement()
    target = made.slas.target("accept", queue="sdr", level="warm")
    assert target is not None
    facts = ConditionContext(profile=PROFILE, leg="sdr")
    changing = [{**PROFILE, "employees": str(number)} for number in range(5_000)]
    rows = iter(changing * 8)
    questions: dict[str, Callable[[], Any]] = {
        f"fit, {len(made.fit.rules)} criteria, values seen before": lambda: made.fit.evaluate(
            PROFILE
        ),
        f"fit, {len(made.fit.rules)} criteria, one value never seen": lambda: made.fit.evaluate(
            next(rows)
        ),
        "level, with hysteresis": lambda: made.levels.level_for(70_000_000, 30_000_000, "hot"),
        "grade": lambda: made.levels.grade(70_000_000, 45_000_000),
        "segment": lambda: made.segment_of(PROFILE),
        "promise": lambda: made.slas.target("accept", queue="sdr", level="warm"),
        "deadline, 4 business hours": lambda: target.target.deadline(SATURDAY),
        "deadline, 2 working days": lambda: made.calendar.add_working_days(SATURDAY, 2),
        "pool": lambda: made.routing.choose(facts),
        "facts": lambda: ConditionContext(profile=PROFILE, leg="sdr"),
    }
    return {name: cost_us(call, options["calls"]) for name, call in questions.items()}


def main() -> int:
    """Print the table."""
    for name, cost in measured({"calls": CALLS}).items():
        print(f"{cost:7.2f} us  {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
