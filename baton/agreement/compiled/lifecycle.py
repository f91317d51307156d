"""The compiled section ``lifecycle``: the gates to MQL, and who gets a qualified lead first."""

from __future__ import annotations

from dataclasses import dataclass

from baton.agreement.compiled.conditions import Condition
from baton.agreement.compiled.holdout import NO_HOLDOUT, Holdout
from baton.agreement.condition_context import ConditionContext
from baton.agreement.condition_fields import ask_account
from baton.agreement.model.lifecycle import Bridge
from baton.contracts.leads import Level


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """Something a lead must have done or be, in words. ``fast_track``: fast-track acts wait at it
    too."""

    name: str
    condition: Condition
    fast_track: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifecycle:
    """``poor_fit``: fit bands whose fast-track acts go to SDR triage. ``drip_per_day``: how many
    leads a day and pool a lowered threshold may release. ``asks``: the fields that gates look at.
    ``settle_ms``: how long a lead that is ready waits at most for what its hand-off still lacks."""

    bridge: Bridge
    poor_fit: frozenset[str]
    gates: tuple[Gate, ...]
    drip_per_day: int
    asks: frozenset[str] = frozenset()
    settle_ms: int = 0
    holdout: Holdout = NO_HOLDOUT

    @property
    def asks_account(self) -> bool:
        """Whether a gate asks what the account as a whole is: a lead has to know that."""
        return ask_account(self.asks)

    def closed_gates(
        self, context: ConditionContext, *, fast_track: bool = False
    ) -> tuple[str, ...]:
        """The gates to MQL that are not open, in words; of a ``fast_track`` act those at which it
        waits too."""
        answers = (
            (gate.name, gate.condition(context))
            for gate in self.gates
            if gate.fast_track or not fast_track
        )
        return tuple(
            name if answer is False else f"{name} (unknown)"
            for name, answer in answers
            if not answer
        )

    def queue_for(self, level: str, fit_band: str, fast_track: bool) -> str:
        """``sdr`` or ``sales``: who gets the lead first."""
        if self.bridge is Bridge.EVERY_LEAD or (fast_track and fit_band in self.poor_fit):
            return "sdr"
        if self.bridge is Bridge.NONE or fast_track or level == Level.HOT.value:
            return "sales"
        return "sdr"
