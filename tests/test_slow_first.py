"""In which order a parallel run takes its tests."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest

from tests.slow_first import laid_out, pytest_collection_modifyitems


@dataclass(frozen=True)
class Item:
    """As much of a test as is asked for its place."""

    name: str
    path: str
    slow: bool = False
    timeout: float | None = None

    def get_closest_marker(self, name: str) -> Any:
        if name == "slow":
            return self.slow or None
        return self.timeout and SimpleNamespace(args=(self.timeout,))


def items() -> list[Item]:
    quick = [Item(f"q{number}", f"quick{number // 3}") for number in range(9)]
    return [
        *quick[:4],
        Item("a1", "a", slow=True),
        Item("a2", "a", slow=True),
        *quick[4:7],
        Item("b", "b", slow=True, timeout=900),
        Item("c", "c", slow=True, timeout=400),
        *quick[7:],
    ]


def names(found: list[Any]) -> str:
    return " ".join(item.name for item in found)


def test_each_process_begins_with_what_may_take_longest() -> None:
    order = laid_out(items(), 2)
    assert names(order[:6]) == "b q0 q1 q2 q3 q4"
    assert names(order[6:]) == "a1 a2 c q5 q6 q7 q8"


@pytest.mark.parametrize("workers", range(1, 20))
def test_every_test_is_run_once_by_however_many(workers: int) -> None:
    assert sorted(item.name for item in laid_out(items(), workers)) == sorted(
        item.name for item in items()
    )


def test_without_other_processes_the_order_stays() -> None:
    found = items()
    pytest_collection_modifyitems(SimpleNamespace(), found)
    assert found == items()
