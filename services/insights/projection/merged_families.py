"""Which leads end in the same lead, as merges say. Reads one connection."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from services.insights.projection.rows_of_many import rows_of_some

_SURVIVORS: Final = "SELECT loser, survivor FROM merged WHERE loser IN ({these})"
_LOSERS: Final = "SELECT survivor, loser FROM merged WHERE survivor IN ({these})"


def roots_of(db: Any, leads: Iterable[str]) -> dict[str, str]:
    """The lead that a lead ended in through any chain of merges, or itself."""
    asked = set(leads)
    survivors: dict[str, str] = {}
    looked: set[str] = set()
    unknown = asked
    while unknown:
        found: dict[str, str] = dict(rows_of_some(db, _SURVIVORS, unknown))
        looked |= unknown
        survivors |= found
        unknown = set(found.values()) - looked
    return {lead: _end(lead, survivors) for lead in asked}


def _end(lead: str, survivors: Mapping[str, str]) -> str:
    passed = {lead}
    while (survivor := survivors.get(lead)) is not None and survivor not in passed:
        passed.add(survivor)
        lead = survivor
    return lead


def families_of(db: Any, leads: Iterable[str]) -> dict[str, list[str]]:
    """By the lead it ended in: that lead, and those that ended in it, directly or through
    others."""
    roots = set(roots_of(db, leads).values())
    losers: dict[str, set[str]] = {}
    unknown = roots
    while unknown:
        for lead in unknown:
            losers[lead] = set()
        for survivor, loser in rows_of_some(db, _LOSERS, unknown):
            losers[survivor].add(loser)
        unknown = {loser for lead in unknown for loser in losers[lead]} - losers.keys()
    return {root: _family(root, losers) for root in sorted(roots)}


def _family(root: str, losers: Mapping[str, set[str]]) -> list[str]:
    found, waiting = set(), [root]
    while waiting:
        lead = waiting.pop()
        if lead not in found:
            found.add(lead)
            waiting += losers[lead]
    return sorted(found)
