"""The compiled sections ``goals`` and ``lifecycle``."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """What one side owes in a period (``month`` or ``quarter``). ``target`` in units of ``metric``
    (whole money for won_amount, times the quota for coverage). ``calendar`` is always set: its
    working days measure the pace. ``segment`` None: all."""

    name: str
    label: str
    side: str
    metric: str
    target: int
    per: str
    segment: str | None
    calendar: str
    quota: int | None
    currency: str | None
    warn_below_ppm: int
