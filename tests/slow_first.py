"""A pytest plugin: what takes longest begins first, so that no process of a parallel run is left
with a long test at the end.

Tests marked ``slow`` are dealt to the processes, a module at a time, those that may take longest
(``timeout``) before the others; then comes everything else in its order. pytest-xdist gives each
process a contiguous share, so the shares are laid out here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

import pytest


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: Any, items: list[Any]) -> None:
    workers = getattr(config, "workerinput", {}).get("workercount", 1)
    if workers > 1:
        items[:] = laid_out(items, workers)


def laid_out(items: Sequence[Any], workers: int) -> list[Any]:
    """The items in ``workers`` shares of one size (the last may have more), slow ones first."""
    slow = [item for item in items if item.get_closest_marker("slow")]
    others = iter([item for item in items if not item.get_closest_marker("slow")])
    dealt = _dealt(slow, workers)
    order: list[Any] = []
    left = len(items)
    for worker, share in enumerate(dealt):
        size = left // (workers - worker)
        left -= size
        order += share
        order += [item for _, item in zip(range(size - len(share)), others, strict=False)]
    return [*order, *others]


def _dealt(slow: Iterable[Any], workers: int) -> list[list[Any]]:
    """Whole modules, the one that may take longest first, to the process that has least to do."""
    modules = [list(found) for _, found in groupby(slow, key=lambda item: item.path)]
    modules.sort(key=_limit_s, reverse=True)
    shares: list[list[Any]] = [[] for _ in range(workers)]
    for module in modules:
        min(shares, key=_limit_s).extend(module)
    return shares


def _limit_s(items: Iterable[Any]) -> float:
    """How long they may take together."""
    marks = (item.get_closest_marker("timeout") for item in items)
    return sum(mark.args[0] if mark else 300.0 for mark in marks)
