"""A line of the table, and how it comes from what a part told. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

Results = Mapping[str, Mapping[str, Any]]
"""By name of a part, what it told; ``left_out`` says why it told nothing, ``failed`` what went
wrong."""

NOT_ASKED = "not asked for"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table. ``value`` is what a target is held against; None: nothing was
    measured, and ``shown`` says why."""

    name: str
    label: str
    does: str
    shown: str
    value: float | None = None
    target: float | None = None
    unit: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the value is not above the target; None where there is no target or no value."""
        return None if self.target is None or self.value is None else self.value <= self.target

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        return {**asdict(self), "met": self.met}


def unmeasured(results: Results, part: str) -> str:
    """Why a part told nothing; empty: it did."""
    found = results.get(part, {"left_out": NOT_ASKED})
    if "failed" in found:
        return f"failed: {found['failed']}"
    return f"left out: {found['left_out']}" if "left_out" in found else ""


def row_of(
    results: Results,
    part: str,
    name: str,
    label: str,
    does: str,
    make: Callable[[Any], tuple[float, str]],
    **more: Any,
) -> Row:
    if why := unmeasured(results, part):
        return Row(name=name, label=label, does=does, shown=why, **more)
    value, shown = make(results[part])
    return Row(name=name, label=label, does=does, shown=shown, value=value, **more)


def quotient(
    results: Results, one: str, other: str, figure: Callable[[Any], float], **row: Any
) -> Row:
    """A part's figure against that of another."""
    for part in (one, other):
        if why := unmeasured(results, part):
            return Row(shown=why, **row)
    ratio = round(figure(results[one]) / figure(results[other]), 3)
    return Row(shown=f"{ratio:.2f}", value=ratio, **row)
