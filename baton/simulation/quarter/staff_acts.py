"""What one holder does about one hand-off, as event lines of a CRM."""

from __future__ import annotations

from typing import Any

from baton.contracts.routing import LeadRouted
from baton.simulation.input_lines import Arrival
from baton.simulation.quarter.visitors import arrival


class StaffActs:
    """Numbers the acts, so that each has an id of its own, the same in every run."""

    def __init__(self, routed: LeadRouted) -> None:
        self.routed, self._number = routed, 0

    def act(self, at_ms: int, kind: str, **more: Any) -> Arrival:
        """The next act, done at ``at_ms``; ``more``: its other fields."""
        routed, self._number = self.routed, self._number + 1
        act = {"kind": kind, "by": routed.owner, "handoff_id": routed.handoff_id} | more
        line = {
            "id": f"{routed.handoff_id}-{self._number}",
            "source": "crm",
            "kind": "act",
            "identifiers": {"lead": routed.lead_id},
            "act": act,
        }
        return arrival(at_ms, line)
