"""The engagement score: the sum of the entries that count, at any moment from now on.

A group gives the sum of its positive points, at most its cap, and the sum of its negative ones,
which is outside the cap; both are of the entries inside the group's window, and decay as
:mod:`baton.agreement.compiled.decay` defines. The score is the sum over groups, clamped at 0,
rounded to a millionth. Sums are taken in the ledger's order and in that module's arithmetic, which
is the same everywhere, so the number is the same to the bit whatever the order of arrival.
"""

from __future__ import annotations

from services.scorer.score.group_totals import NEVER, GroupSum, folded, group_sums, holds, value_at
from services.scorer.score.rule_table import ScoreTable


def standing(marks: bytes, table: ScoreTable, now: int, totals: bytes = b"") -> bytes:
    """The totals of the entries whose age at ``now`` is below what their group keeps: ``totals``,
    if they hold."""
    return totals if holds(totals, now) else folded(marks, table, now, prune_at_ms=NEVER)


def sums(marks: bytes, table: ScoreTable, now: int, totals: bytes = b"") -> list[GroupSum]:
    """The sums of every group, see :func:`standing`."""
    return group_sums(standing(marks, table, now, totals), table)


def whole(total: float) -> int:
    """Micropoints rounded half up."""
    return int(total + 0.5) if total >= 0.0 else -int(0.5 - total)


def engagement_micro(totals: bytes, table: ScoreTable, at_ms: int) -> int:
    """The score at ``at_ms`` of ``totals`` that hold then, in millionths of a point."""
    return max(0, whole(value_at(totals, table, at_ms)))
