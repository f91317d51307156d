"""Recorded histories of the scorer: what was done, and every fact that came of it, whole.

A history is a file ``scorer/<name>.json``: ``steps`` are calls of
:class:`tests.services.scorer.scorer_world.World`, ``facts`` what they gave. A changed decision
shows as a diff of the file. After a change that is meant: ``python -m
tests.histories.test_scorer_histories`` and look at it.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from baton.contracts.intake import LeadMerge
from baton.contracts.slas import LeadReactivated, LeadRecycled
from baton.derived_ids import derived_id
from tests.services.scorer.scorer_world import DAY, World, agreement, person_reported

FOLDER = Path(__file__).with_name("scorer")


def replayed(steps: list[list[Any]]) -> list[dict[str, Any]]:
    """Every fact of the history, with its type and the number of the step that caused it."""
    world = World()
    facts = []
    for number, (name, *arguments) in enumerate(steps):
        keywords = arguments.pop() if arguments and isinstance(arguments[-1], dict) else {}
        step = _STEPS.get(name) or partial(_own_step, name)
        step(world, *arguments, **keywords)
        facts += [
            {"step": number, "fact": type(fact).__name__} | _plain(asdict(fact))
            for fact in world.facts()
        ]
    return facts


def _own_step(name: str, world: World, *arguments: Any, **keywords: Any) -> None:
    getattr(world, name)(*arguments, **keywords)


def _plain(value: Any) -> Any:
    match value:
        case dict():
            return {
                name: _plain(item)
                for name, item in value.items()
                if item not in (None, (), {}, "", b"", False)
            }
        case tuple():
            return [_plain(item) for item in value]
        case bytes():
            return derived_id(value.hex())
    return value


def _days(world: World, days: float) -> None:
    world.wait(int(days * DAY))


def _merge(world: World, loser: str, survivor: str) -> None:
    merge_id = derived_id("merge", loser, survivor)
    world.send(
        LeadMerge(
            merge_id=merge_id,
            loser=loser,
            survivor=survivor,
            cause_id="c",
            occurred_at_ms=world.now,
        )
    )


def _met(world: World, lead: str, **fields: str) -> None:
    world.send(person_reported(lead, at_ms=world.now, **fields))


def _recycle(
    world: World, lead: str, cycle: int, reason: str, *, outcome: str = "recycle", days: int = 30
) -> None:
    world.send(
        LeadRecycled(
            recycle_id=derived_id("recycle", lead, cycle),
            lead_id=lead,
            cycle=cycle,
            outcome=outcome,
            reason=reason,
            at_ms=world.now,
            cause_id="c",
            agreement="v",
            track="calm",
            cool_off_until_ms=world.now + days * DAY,
            return_at_ms=world.now + 2 * days * DAY,
        )
    )


def _reactivate(world: World, lead: str, cycle: int) -> None:
    world.send(
        LeadReactivated(
            lead_id=lead,
            cycle=cycle,
            recycle_id=derived_id("recycle", lead, cycle),
            reason="return_date",
            at_ms=world.now,
            cause_id="c",
            agreement="v",
        )
    )


def _strict(world: World) -> None:
    bands = {"1": {"enter": 90}, "2": {"enter": 80}, "3": {"enter": 0}}
    world.adopt(
        agreement(
            levels={
                "fit": {"A": {"enter": 50}, "D": {"enter": 0}},
                "engagement": bands,
                "matrix": {
                    "A": {"1": "hot", "2": "warm", "3": "cold"},
                    "D": {"1": "cold", "2": "cold", "3": "cold"},
                },
            }
        )
    )


_STEPS: dict[str, Any] = {
    "days": _days,
    "merge": _merge,
    "met": _met,
    "recycle": _recycle,
    "reactivate": _reactivate,
    "strict": _strict,
    "usual": lambda world: world.adopt(agreement(lifecycle={"bridge": "warm leads", "drip": 1})),
}


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.json")), ids=lambda path: path.stem)
def test_the_history_gives_the_facts_that_were_recorded(path: Path) -> None:
    history = json.loads(path.read_text())
    assert replayed(history["steps"]) == history["facts"]


def _written(history: dict[str, Any]) -> str:
    """One line a step and one a fact, so that a diff is short."""
    parts = [f'  "about": {json.dumps(history["about"])},']
    for name, end in (("steps", ","), ("facts", "")):
        lines = ",\n".join(
            f"    {json.dumps(record, ensure_ascii=False)}" for record in history[name]
        )
        parts.append(f'  "{name}": [\n{lines}\n  ]{end}')
    return "{\n" + "\n".join(parts) + "\n}\n"


if __name__ == "__main__":
    for folder in sorted(FOLDER.glob("*.json")):
        known = json.loads(folder.read_text())
        folder.write_text(_written(known | {"facts": replayed(known["steps"])}))
