"""Sections ``people`` and ``pools``: who works the leads, and in which queues."""

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from baton.agreement.model.base import Label, Name, Section


class PersonModel(Section):
    """A person. Absences are not here: they are published apart, as they come."""

    name: Label
    calendar: Name | None = None
    """Left out: the pool's, else the house calendar."""
    skills: tuple[Name, ...] = ()
    """Languages, products."""
    manager: Name | None = None
    """Who is told when a promise of this person is broken."""
    active: bool = True
    """False: gets no leads any more."""


class MemberModel(Section):
    """A membership of a pool."""

    weight: int = Field(default=1, ge=1, le=1000)
    """The share of the pool's leads, against the others' weights."""
    capacity: int | None = Field(default=None, ge=1, le=100_000)
    """How many leads, offered and accepted, the person can have open in this pool."""
    offers: int | None = Field(default=None, ge=1, le=100_000)
    """How many offers may be unanswered at once."""


class PoolKind(StrEnum):
    """Which kind of queue."""

    SDR = "sdr"
    SALES = "sales"


class OverflowModel(Section):
    """Hand on to another pool."""

    overflow: Name


class WatchModel(Section):
    """Tell a person, whose fallback queue it is."""

    watch: Name


class Period(StrEnum):
    """Over which time shares are counted."""

    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    EVER = "ever"


class Changing(StrEnum):
    """What somebody who was away or outside hours is owed: ``level`` nothing, ``accrue`` the share."""

    LEVEL = "level"
    ACCRUE = "accrue"


def _nobody_form(value: Any) -> str | None:
    match value:
        case OverflowModel() | WatchModel():
            return "overflow" if isinstance(value, OverflowModel) else "watch"
        case "hold":
            return "hold"
        case dict():
            found = [each for each in ("overflow", "watch") if each in value]
            return found[0] if len(found) == 1 else None
    return None


Nobody = Annotated[
    Annotated[Literal["hold"], Tag("hold")] | Annotated[OverflowModel, Tag("overflow")] | Annotated[WatchModel, Tag("watch")],
    Discriminator(
        _nobody_form,
        custom_error_type="agreement",
        custom_error_message="when nobody is eligible, write hold, {overflow: another-pool} or {watch: a-person}",
    ),
]


class PoolModel(Section):
    """People who share a queue."""

    kind: PoolKind
    members: dict[Name, MemberModel]
    """People by id, with their weight, capacity and limit of offers."""
    calendar: Name | None = None
    """For members without one of their own, and for the queue's own clocks. Left out: the house calendar."""
    nobody: Nobody = "hold"
    """When nobody is eligible: ``hold`` until somebody is, ``{overflow: other-pool}`` or ``{watch: person}``."""
    ignore_hours: bool = False
    """Whether leads are handed out outside working hours too."""
    period: Period = Period.MONTH
    """Turns are counted anew each period."""
    changing: Changing = Changing.LEVEL
    owner_uses_turn: bool = False
    """Whether a lead that goes to its account's owner uses up a turn."""
    manager: Name | None = None
    """Who leads the pool: escalations and the manager's queue."""
