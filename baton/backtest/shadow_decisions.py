"""An agreement that decides silently: what it would have done with the leads there were, lead by
lead, beside the agreement in force or beside another tool's assignments. Pure.

Only first qualifications are compared, and pools and not people: turns are the router's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from baton.agreement.compiled.agreement import CompiledAgreement
from baton.backtest.replay import FirstQualification

AGREED: Final = "the same"
ONLY_SHADOW: Final = "only the shadow hands over"
ONLY_OTHER: Final = "the shadow does not hand over"
OTHER_POOL: Final = "another pool"
OTHER_LEVEL: Final = "another level"
EARLIER: Final = "earlier by the shadow"
LATER: Final = "later by the shadow"


class Decided(Protocol):
    """What was decided of a lead, by a replay or on the topic of a shadow."""

    @property
    def at_ms(self) -> int: ...
    @property
    def pool(self) -> str | None: ...
    @property
    def level(self) -> str | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What the shadow did with a lead, and the other; ``what`` is the first difference.

    ``other``: a pool of the agreement in force, or whom the other tool gave the lead to.
    """

    lead_id: str
    what: str
    at_ms: int
    cycle: int = 1
    pool: str | None = None
    level: str | None = None
    other: str | None = None
    other_at_ms: int | None = None
    other_level: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Handed:
    """The other tool gave this lead to somebody, a person or a pool of the agreement. ``at_ms``
    None: the tool did not say when."""

    lead_id: str
    to: str
    at_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShadowReport:
    """``leads`` were looked at; ``counted``: decisions by what they are; ``differences``: those
    that are not the same, in order of time. ``unknown``: to whom the other tool gave leads that the
    agreement does not know, by name."""

    leads: int
    counted: dict[str, int]
    differences: tuple[Decision, ...]
    unknown: dict[str, int]


def beside_in_force(
    leads: int,
    in_force: Mapping[str, FirstQualification],
    shadow: Mapping[str, FirstQualification],
) -> ShadowReport:
    """The shadow's decisions beside those of the agreement in force, of ``leads`` leads."""
    names = sorted({*in_force, *shadow})
    found = [_beside(name, in_force.get(name), shadow.get(name)) for name in names]
    return report_of_decisions(leads, found)


def _beside(
    lead_id: str, other: FirstQualification | None, own: FirstQualification | None
) -> Decision:
    first = own or other
    assert first is not None
    return Decision(
        lead_id=lead_id,
        what=_difference(other, own),
        at_ms=first.at_ms,
        pool=None if own is None else own.pool,
        level=None if own is None else own.level,
        other=None if other is None else other.pool,
        other_at_ms=None if other is None else other.at_ms,
        other_level=None if other is None else other.level,
    )


def _difference(other: FirstQualification | None, own: FirstQualification | None) -> str:
    if own is None:
        return ONLY_OTHER
    if other is None:
        return ONLY_SHADOW
    if own.pool != other.pool:
        return OTHER_POOL
    if own.level != other.level:
        return OTHER_LEVEL
    if own.at_ms != other.at_ms:
        return EARLIER if own.at_ms < other.at_ms else LATER
    return AGREED


def against_tool(
    leads: int,
    agreement: CompiledAgreement,
    shadow: Mapping[str, Decided],
    handed: Iterable[Handed],
) -> ShadowReport:
    """The shadow's decisions beside those of another tool; the first assignment of a lead counts.
    The same: the person is in the pool that the shadow chose, or it is that pool."""
    first: dict[str, Handed] = {}
    for one in handed:
        known = first.get(one.lead_id)
        if known is None or _moment(one) < _moment(known):
            first[one.lead_id] = one
    unknown: Counter[str] = Counter()
    found = []
    for lead_id in sorted({*first, *shadow}):
        other, own = first.get(lead_id), shadow.get(lead_id)
        pools = () if other is None else _pools_of(agreement, other.to)
        if other is not None and not pools:
            unknown[other.to] += 1
        found.append(_against(lead_id, other, own, pools))
    return report_of_decisions(leads, found, dict(sorted(unknown.items())))


def _moment(one: Handed) -> tuple[bool, int]:
    """What has no moment comes after what has one, in the order of the file."""
    return one.at_ms is None, one.at_ms or 0


def _pools_of(agreement: CompiledAgreement, name: str) -> tuple[str, ...]:
    if name in agreement.pools:
        return (name,)
    return tuple(
        pool
        for pool, known in agreement.pools.items()
        if any(member.person == name for member in known.members)
    )


def _against(
    lead_id: str, other: Handed | None, own: Decided | None, pools: Sequence[str]
) -> Decision:
    if own is None:
        what = ONLY_OTHER
    elif other is None:
        what = ONLY_SHADOW
    else:
        what = AGREED if own.pool in pools else OTHER_POOL
    at_ms = own.at_ms if own is not None else (other.at_ms or 0 if other is not None else 0)
    return Decision(
        lead_id=lead_id,
        what=what,
        at_ms=at_ms,
        pool=None if own is None else own.pool,
        level=None if own is None else own.level,
        other=None if other is None else other.to,
        other_at_ms=None if other is None else other.at_ms,
    )


def report_of_decisions(
    leads: int, found: Sequence[Decision], unknown: dict[str, int] | None = None
) -> ShadowReport:
    """What was found, counted and in order."""
    counted = Counter(one.what for one in found)
    differences = sorted(
        (one for one in found if one.what != AGREED), key=lambda one: (one.at_ms, one.lead_id)
    )
    return ShadowReport(
        leads=leads,
        counted=dict(sorted(counted.items())),
        differences=tuple(differences),
        unknown=unknown or {},
    )
