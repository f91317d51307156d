"""Other words for those of the agreement: ``Demo Requested`` for ``demo_request``, ``title`` for
``role``. Pure.

Whoever decides by an event reads it in the agreement's words; the accepted event keeps its own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from baton.contracts.intake import LeadEvent, LeadInput
from baton.evolve import evolve
from baton.intake.profile_values import normalised_profile

_EDGES = re.compile(r"[^A-Za-z0-9]+|(?<=[a-z0-9])(?=[A-Z])")


def as_word(text: str) -> str:
    """A word as events have it: ``Demo Requested`` and ``demoRequested`` are ``demo_requested``."""
    return "_".join(part for part in _EDGES.split(text.strip()) if part).lower()


@dataclass(frozen=True, slots=True)
class Synonyms:
    """``acts`` and ``profile``: the agreement's word by each other one."""

    acts: Mapping[str, str] = field(default_factory=dict)
    profile: Mapping[str, str] = field(default_factory=dict)

    def of(self, record: LeadInput) -> LeadInput:
        """What came with one event, in the agreement's words."""
        if record.event is None or not (self.acts or self.profile):
            return record
        return evolve(record, event=self.event(record.event))

    def event(self, event: LeadEvent) -> LeadEvent:
        """The event in the agreement's words. A field that comes under both names keeps the
        agreement's."""
        act = event.engagement and self.acts.get(event.engagement.act)
        if event.engagement is not None and act:
            event = evolve(event, engagement=evolve(event.engagement, act=act))
        renamed = {
            self.profile[name]: value
            for name, value in event.profile.items()
            if name in self.profile and self.profile[name] not in event.profile
        }
        if not renamed:
            return event
        read, _ = normalised_profile(renamed)
        others = {name: value for name, value in event.profile.items() if name not in self.profile}
        return evolve(event, profile=others | read)
