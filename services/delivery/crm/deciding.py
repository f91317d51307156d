"""What is to be written to a CRM, and what is not. Pure.

A value is Baton's if it is what Baton wrote last, or was writing when its outcome got lost. Any
other value is a person's: it stays. Of a field that people set too (owner, stage), every value that
Baton did not write is a person's, from the beginning.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from baton.derived_ids import derived_id
from services.delivery.handoffs import HandoffNow, Phase
from services.delivery.targets.crm_model import SHARED


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnWrite:
    """The digest of what Baton wrote last to one property, and of what it may have written."""

    digest: str | None = None
    pending: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """``write``: property and value. ``confirmed``: property and value of a write whose outcome got
    lost and which is there. ``kept``: fields whose value is a person's. ``owner_changed``: the
    CRM's user whom a person made the owner after Baton had set another."""

    write: Mapping[str, str] = field(default_factory=dict)
    confirmed: Mapping[str, str] = field(default_factory=dict)
    kept: tuple[str, ...] = ()
    owner_changed: str | None = None


def digest_of(value: str) -> str:
    """Under which a written value is remembered."""
    return derived_id("crm-value", value)


def wanted(
    target: Any, lead: Mapping[str, Any], handoffs: list[HandoffNow]
) -> dict[str, tuple[str, str]]:
    """Field: property and value, for all of the allow-list that are known and can be said."""
    standing = next((one for one in reversed(handoffs) if one.phase in _HELD), None)
    next_ms = standing.accept_by_ms if standing and standing.phase is Phase.OFFERED else None
    known = {
        "owner": target.people.get(standing.holder or "") if standing else None,
        "level": lead.get("level"),
        "score": _points(lead),
        "stage": target.stages.get(lead.get("stage") or ""),
        "next_date": _day(next_ms or lead.get("next_date_ms")),
        "track": lead.get("track"),
    }
    return {
        name: (written, value)
        for name, written in target.write.items()
        if (value := known[name]) is not None
    }


_HELD = (Phase.OFFERED, Phase.ACCEPTED)


def _points(lead: Mapping[str, Any]) -> str | None:
    parts = (lead.get("fit_micro"), lead.get("engagement_micro"))
    if None in parts:
        return None
    return str(round(sum(part or 0 for part in parts) / 1_000_000))


def _day(at_ms: int | None) -> str | None:
    if at_ms is None:
        return None
    return datetime.fromtimestamp(at_ms / 1000, UTC).date().isoformat()


def decide(
    fields: Mapping[str, tuple[str, str]],
    current: Mapping[str, str | None],
    own: Mapping[str, OwnWrite],
) -> Decision:
    """``current``: what the CRM has by property; ``own``: the ledger by property."""
    write, confirmed, kept, owner_changed = {}, {}, [], None
    for name, (written, value) in fields.items():
        now, ledger = current.get(written) or "", own.get(written, OwnWrite())
        if now == value:
            if ledger.pending == digest_of(value):
                confirmed[written] = value
            continue
        if _is_ours(name, now, ledger):
            write[written] = value
            continue
        kept.append(name)
        if name == "owner" and now and (ledger.digest or ledger.pending):
            owner_changed = now
    return Decision(write=write, confirmed=confirmed, kept=tuple(kept), owner_changed=owner_changed)


def _is_ours(name: str, now: str, ledger: OwnWrite) -> bool:
    if ledger.digest is None and ledger.pending is None:
        return not now or name not in SHARED
    return digest_of(now) in (ledger.digest, ledger.pending) or (not now and ledger.digest is None)
