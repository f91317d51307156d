"""Section ``slas``: what each side promises, by clock, and what happens when a promise is
broken."""

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from baton.agreement.model.base import Duration, Label, Name, Percent, Section, TargetText, problem
from baton.agreement.model.definitions import LevelName
from baton.agreement.quantities import LONGEST_WAIT_MS
from baton.contracts.clock_kinds import Clock, Side


class StepKind(StrEnum):
    """What can be done about a broken promise."""

    NOTIFY = "notify"
    REASSIGN = "reassign"
    ESCALATE = "escalate"
    MANAGER_QUEUE = "manager_queue"
    RECYCLE = "recycle"


def _list_of(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Levels = Annotated[
    tuple[LevelName, ...],
    BeforeValidator(
        lambda value: tuple(_list_of(value)) if isinstance(value, str | list) else value
    ),
    WithJsonSchema(
        {
            "anyOf": [
                {"enum": ["cold", "warm", "hot"]},
                {"type": "array", "items": {"enum": ["cold", "warm", "hot"]}},
            ]
        }
    ),
]
Segments = Annotated[
    tuple[Name, ...],
    BeforeValidator(
        lambda value: tuple(_list_of(value)) if isinstance(value, str | list) else value
    ),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
]


Words = Annotated[
    tuple[Label, ...],
    BeforeValidator(
        lambda value: tuple(_list_of(value)) if isinstance(value, str | list) else value
    ),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
]


class StepModel(Section):
    """One step of a ladder."""

    do: StepKind
    to: Name | None = None
    """For ``notify`` and ``escalate``: owner, manager, or a person."""
    after: TargetText | None = None
    """How long after the breach. Left out: at once."""
    at_most: int = Field(default=1, ge=1, le=20)
    """For ``reassign``: how often one lead may be handed to somebody else."""
    reason: Name | None = None
    """For ``recycle``: the reason, from the section recycling."""
    level: Levels = ()
    """Only for leads of these levels; the ladder goes on to the next step for all others."""
    segment: Segments = ()
    """Only for leads of these segments."""
    hand_raised: bool | None = None
    """Only for those who asked for a contact (yes), or only for those who did not (no)."""

    @property
    def is_for_all(self) -> bool:
        """Whether the step is taken for every lead."""
        return not self.level and not self.segment and self.hand_raised is None


class WaitModel(Section):
    """When a clock waits for the buyer: on which outcome of which act, and for how long at most."""

    act: Words = ()
    """Left out: a call, a mail or a meeting."""
    outcome: Words = ()
    """Left out: awaiting_reply or waiting_for_buyer."""
    at_most: Duration = LONGEST_WAIT_MS
    """After this the clock goes on by itself: no lead waits for ever in silence."""


class GoOnModel(Section):
    """What ends the waiting. Left out: a reply of the buyer (no out-of-office reply is one), or the
    next touch."""

    act: Words = ()
    outcome: Words = ()


class PromiseModel(Section):
    """One promise. The first that fits a lead counts."""

    name: Label | None = None
    clock: Clock
    queue: Literal["sdr", "sales"] | None = None
    level: Levels = ()
    segment: Segments = ()
    source: Words = ()
    """For leads that came from one of these sources."""
    campaign: Words = ()
    """For leads whose latest campaign is one of these."""
    stage: Name | None = None
    """For ``advance``: the stage that is to be left."""
    within: TargetText
    """The target: ``4 business hours``, ``2 working days`` or ``30 minutes elapsed``."""
    calendar: Name | None = None
    """Left out: the calendar of the owner, of the pool, or the house calendar."""
    attempts: int = Field(default=1, ge=1, le=50)
    """For ``follow_up``: how many attempts are promised."""
    apart: Duration | None = None
    """For ``follow_up``: the least time between two attempts that count."""
    pause_when: WaitModel | None = None
    """When the clock waits for the buyer. ``{}``: on the usual words. Left out: as the clock
    does."""
    resume_when: GoOnModel | None = None
    """What ends the waiting."""
    absence: Literal["pauses", "counts"] = "pauses"
    """Whether the clock stands still while its owner is away."""
    warn: tuple[Percent, ...] = ()
    """Warnings, as shares of the time: ``[50%, 80%]``."""
    ladder: tuple[StepModel, ...] = ()
    """What happens after a breach, step by step."""
    ladder_name: Name | None = Field(default=None, alias="use_ladder")
    """A ladder from ``ladders`` instead."""
    side: Side | None = None
    """Who owes it. Left out: as the clock says."""
    evidence_grace: Duration | None = None
    """How long actions wait for late evidence. Left out: the longest of ``evidence_grace``."""

    @model_validator(mode="after")
    def _one_ladder(self) -> "PromiseModel":
        if self.ladder and self.ladder_name:
            raise problem("has a ladder of its own and use_ladder: keep one of the two")
        if list(self.warn) != sorted(set(self.warn)):
            raise problem("warnings come in ascending order, each once")
        return self


class SlasModel(Section):
    """Both sides' promises."""

    evidence_grace: dict[Name, Duration] = Field(default_factory=dict)
    """How late evidence may come, by source."""
    digest: Duration | None = None
    """How often somebody reads of breaches in a pool: the first at once, further ones together
    after this time. Left out: 15 minutes."""
    ladders: dict[Name, tuple[StepModel, ...]] = Field(default_factory=dict)
    """Ladders that several promises use."""
    promises: tuple[PromiseModel, ...] = Field(min_length=1)
