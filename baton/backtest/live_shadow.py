"""An agreement that decides silently beside the one in force, for as long as it is let: what is on
its private topic, what a round adds, and how it differs from what happened. Pure.

A round replays the book of record up to a moment and publishes the decisions that are not there
yet. Their ids follow from the shadow, the lead and its cycle, so a round that is done again adds
nothing. A decision stands as it was published.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from baton.backtest.cycle_keys import is_later, lead_of
from baton.backtest.history import HistoricQualification, History
from baton.backtest.replay import FirstQualification
from baton.backtest.shadow_decisions import (
    AGREED,
    EARLIER,
    LATER,
    ONLY_OTHER,
    ONLY_SHADOW,
    OTHER_LEVEL,
    OTHER_POOL,
    Decision,
    ShadowReport,
    report_of_decisions,
)
from baton.contracts.shadows import ShadowEvent, ShadowRecord
from baton.derived_ids import derived_id

SAME_MOMENT_MS: Final = 10_000
"""The agreement in force settles, and its records take their way: within it two moments are one."""


class ShadowRefused(RuntimeError):
    """It does not begin or go on; the text says why and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shadow:
    """One shadow as its topic says. ``until_ms``: everything before it is decided; None before the
    first round."""

    id: str
    agreement: str
    from_ms: int
    stopped_ms: int | None = None
    until_ms: int | None = None
    leads: int = 0
    decided: Mapping[str, ShadowRecord] = field(default_factory=dict)

    @property
    def runs(self) -> bool:
        """Nobody stopped it."""
        return self.stopped_ms is None


def shadows_in(records: Iterable[ShadowRecord]) -> list[Shadow]:
    """Every shadow of the topic, in the order of their beginnings."""
    found: dict[str, Shadow] = {}
    decided: dict[str, dict[str, ShadowRecord]] = {}
    for record in records:
        known = found.get(record.shadow_id)
        if record.event == ShadowEvent.BEGUN:
            own = decided.setdefault(record.shadow_id, {})
            found[record.shadow_id] = Shadow(
                id=record.shadow_id,
                agreement=record.agreement,
                from_ms=record.at_ms,
                decided=own,
            )
        elif known is None:
            continue  # its beginning is older than the topic keeps
        elif record.event == ShadowEvent.DECIDED and record.lead is not None:
            decided[record.shadow_id].setdefault(record.lead, record)
        elif record.event == ShadowEvent.ROUND:
            found[record.shadow_id] = replace(known, until_ms=record.at_ms, leads=record.leads or 0)
        elif record.event == ShadowEvent.STOPPED:
            found[record.shadow_id] = replace(known, stopped_ms=record.at_ms)
    return list(found.values())


def running(shadows: list[Shadow]) -> Shadow | None:
    """The one that runs."""
    return shadows[-1] if shadows and shadows[-1].runs else None


def beginning(shadows: list[Shadow], agreement: str, now_ms: int) -> ShadowRecord | None:
    """The record that begins a shadow; None: this very agreement runs already. One at a time."""
    runs = running(shadows)
    if runs is not None:
        if runs.agreement == agreement:
            return None
        raise ShadowRefused(
            f"shadow {runs.agreement} runs already: end it with `baton shadow stop`"
        )
    own = derived_id("shadow", agreement, len(shadows), now_ms)
    return ShadowRecord(
        record_id=own,
        shadow_id=own,
        event=ShadowEvent.BEGUN.value,
        agreement=agreement,
        at_ms=now_ms,
    )


def ending(shadow: Shadow, now_ms: int) -> ShadowRecord:
    """The record that ends it."""
    return _of(shadow, ShadowEvent.STOPPED, now_ms)


def round_of(
    shadow: Shadow,
    decided: Mapping[str, FirstQualification],
    history: History,
    *,
    leads: int,
    until_ms: int,
) -> Iterator[ShadowRecord]:
    """What a round adds: the decisions before ``until_ms`` that are not on the topic. One from
    before the shadow began is of use only where the agreement in force decides later."""
    for key, one in sorted(decided.items(), key=lambda item: (item[1].at_ms, item[0])):
        if key in shadow.decided or one.at_ms >= until_ms:
            continue
        other = history.first.get(key)
        if one.at_ms < shadow.from_ms and (other is None or other.at_ms < shadow.from_ms):
            continue
        yield ShadowRecord(
            record_id=derived_id(shadow.id, key),
            shadow_id=shadow.id,
            event=ShadowEvent.DECIDED.value,
            agreement=shadow.agreement,
            at_ms=one.at_ms,
            lead=key,
            level=one.level,
            leg=one.leg,
            pool=one.pool,
        )
    yield replace(_of(shadow, ShadowEvent.ROUND, until_ms), leads=leads)


def _of(shadow: Shadow, event: ShadowEvent, at_ms: int) -> ShadowRecord:
    return ShadowRecord(
        record_id=derived_id(shadow.id, event.value, at_ms),
        shadow_id=shadow.id,
        event=event.value,
        agreement=shadow.agreement,
        at_ms=at_ms,
    )


def beside_history(shadow: Shadow, history: History) -> ShadowReport:
    """The shadow's decisions beside those that the running system made from its beginning on, as
    far as the last round went. Who was handed over by either before is left out."""
    until_ms = shadow.until_ms or shadow.from_ms
    in_force = {
        key: one
        for key, one in history.first.items()
        if shadow.from_ms <= one.at_ms < until_ms and not _was_early(shadow, key)
    }
    own = {
        key: one
        for key, one in shadow.decided.items()
        if one.at_ms >= shadow.from_ms and not _is_early(shadow, history.first.get(key))
    }
    names = sorted({*in_force, *own})
    return report_of_decisions(
        shadow.leads, [_beside(key, in_force.get(key), own.get(key)) for key in names]
    )


def _was_early(shadow: Shadow, key: str) -> bool:
    record = shadow.decided.get(key)
    return record is not None and record.at_ms < shadow.from_ms


def _is_early(shadow: Shadow, one: HistoricQualification | None) -> bool:
    return one is not None and one.at_ms < shadow.from_ms


def _beside(key: str, other: HistoricQualification | None, own: ShadowRecord | None) -> Decision:
    first = own or other
    assert first is not None
    return Decision(
        lead_id=lead_of(key),
        cycle=int(key.rpartition("/")[2]) if is_later(key) else 1,
        what=_difference(other, own),
        at_ms=first.at_ms,
        pool=None if own is None else own.pool,
        level=None if own is None else own.level,
        other=None if other is None else other.pool or "a pool that the router chose",
        other_at_ms=None if other is None else other.at_ms,
        other_level=None if other is None else other.level,
    )


def _difference(other: HistoricQualification | None, own: ShadowRecord | None) -> str:
    """A pool that the router chose by what it knows, and what history does not say, is no
    difference."""
    if own is None:
        return ONLY_OTHER
    if other is None:
        return ONLY_SHADOW
    if other.pool is not None and own.pool != other.pool:
        return OTHER_POOL
    if other.level is not None and own.level != other.level:
        return OTHER_LEVEL
    if abs(own.at_ms - other.at_ms) > SAME_MOMENT_MS:
        return EARLIER if own.at_ms < other.at_ms else LATER
    return AGREED
