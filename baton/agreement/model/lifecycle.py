"""Section ``lifecycle``: what else it takes to be an MQL, and who gets the lead first."""

from enum import StrEnum

from pydantic import Field

from baton.agreement.model.base import Duration, Label, Name, Percent, Section
from baton.agreement.model.condition import ConditionModel


class Bridge(StrEnum):
    """What the bridge team (SDRs) takes."""

    EVERY_LEAD = "every lead"
    WARM_LEADS = "warm leads"
    NONE = "none"


class GateModel(Section):
    """Something a lead must have done or be before it is an MQL; a fast-track act passes it, unless
    the gate says otherwise."""

    when: ConditionModel
    fast_track: bool = False
    """Whether fast-track acts wait at this gate too: they count as soon as it opens, while they are
    young enough."""


class LifecycleModel(Section):
    """From interest to MQL, and on to whom."""

    bridge: Bridge
    """``every lead``: the bridge team first; ``warm leads``: hot and fast-tracked ones go straight
    to sales; ``none``."""
    poor_fit: tuple[Name, ...] = ()
    """Fit bands whose fast-track acts go to SDR triage instead of sales."""
    gates: dict[Label, GateModel] = Field(default_factory=dict)
    """Gates to MQL, each in words."""
    drip: int = Field(default=25, ge=1, le=100_000)
    """How many leads a day and queue a lowered threshold may release from its backlog."""
    holdout: Percent = 0
    """Share of the leads below the threshold that is handed over blind, so that something can be
    said of them; left out: none."""
    settle: Duration = Field(default=2_000, le=60_000)
    """How long a lead that is ready waits at most for what its hand-off still lacks: a way to reach
    it, what its territory asks for, what came with the event. One that lacks nothing does not wait.
    0 seconds: nobody waits."""
