"""What sales have learnt of a buyer: objections and competitors that acts name, and what the
profile says of the same. It goes along with every move, so that nobody who nurtures the lead asks
again.

Objections are collected; of the rest the newest word by event time holds. So the order of arrival
does not matter.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from baton.contracts.intake import LeadAct
from baton.contracts.leads import LEARNT
from baton.contracts.transfers import Heard
from services.scorer.lead.step import LeadStep

_OBJECTIONS: Final = "objections"
_BETWEEN: Final = ";"
_MAX_OBJECTIONS: Final = 16


def note_heard(step: LeadStep, event: LeadAct) -> None:
    """Remember what the act names."""
    act, at_ms = event.act, min(event.occurred_at_ms, event.received_at_ms)
    said = {}
    if act.objections:
        said[_OBJECTIONS] = Heard(value=_BETWEEN.join(act.objections), at_ms=at_ms)
    if act.competitor:
        said["competitor"] = Heard(value=act.competitor, at_ms=at_ms)
    join_heard(step, said)


def join_heard(step: LeadStep, said: Mapping[str, Heard]) -> None:
    """Remember what was heard of this lead, here or where it ended in this one."""
    known = step.cycle_state.heard
    heard = dict(known)
    for name, word in said.items():
        heard[name] = _joined(name, [word, *([known[name]] if name in known else [])])
    if heard != known:
        step.update_cycle(heard=heard)


def _joined(name: str, words: Iterable[Heard]) -> Heard:
    newest = max(words, key=lambda word: (word.at_ms, word.value))
    if name != _OBJECTIONS:
        return newest
    named = sorted({one for word in words for one in word.value.split(_BETWEEN)})
    return Heard(value=_BETWEEN.join(named[:_MAX_OBJECTIONS]), at_ms=newest.at_ms)


def learnt_of(step: LeadStep) -> dict[str, str]:
    """All that is known now: what acts named, else what the profile says."""
    heard, profile = step.cycle_state.heard, step.profile
    found = {name: heard[name].value if name in heard else profile.get(name) for name in LEARNT}
    return {name: value for name, value in found.items() if value}
