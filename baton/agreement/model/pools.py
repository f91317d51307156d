"""Section ``pools``: the queues, who shares them and how, and what happens when nobody is
eligible."""

from enum import StrEnum
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag, WithJsonSchema

from baton.agreement.model.base import Duration, Name, Section, problem
from baton.agreement.model.calendars import Day
from baton.contracts.routing import ASK_AGAIN, OpenWork, Relax

_MAX_WEIGHT: Final = 1000


def _weight(value: Any) -> int | float:
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or not 0 <= value <= _MAX_WEIGHT
    ):
        raise problem(
            f"{value} is no weight: write a number from 0 (gets nothing in turn) to {_MAX_WEIGHT}, "
            "such as 1 or 0.5"
        )
    if round(value, 2) != value:
        raise problem(f"{value} has too many decimals for a weight: two at most")
    return int(value) if value == int(value) else value


Weight = Annotated[
    int | float,
    BeforeValidator(_weight),
    WithJsonSchema({"type": "number", "minimum": 0, "maximum": _MAX_WEIGHT, "multipleOf": 0.01}),
]


class RampModel(Section):
    """How somebody new comes up to their weight: nothing before ``from``, then week by week."""

    starts: Day = Field(alias="from")
    """The first day, in the agreement's own time."""
    weeks: int = Field(ge=1, le=52)
    """In how many equal steps of a week: with 4, a quarter of the weight in the first week, all of
    it from the fourth on."""


class MemberModel(Section):
    """A membership of a pool."""

    weight: Weight = 1
    """The share of the pool's leads, against the others' weights; 0: none in turn."""
    ramp: RampModel | None = None
    """Up to the weight over weeks, for somebody new."""
    capacity: int | None = Field(default=None, ge=0, le=100_000)
    """How many leads, offered and accepted, the person can have open in this pool; 0: none in
    turn."""
    offers: int | None = Field(default=None, ge=1, le=100_000)
    """How many offers may be unanswered at once."""
    per_day: int | None = Field(default=None, ge=1, le=100_000)
    """How many leads of this pool the person is handed in a day of the agreement's time."""
    per_week: int | None = Field(default=None, ge=1, le=100_000)
    """The same in a week, which begins on Monday."""


class PoolKind(StrEnum):
    """Which kind of queue."""

    SDR = "sdr"
    SALES = "sales"


class OverflowModel(Section):
    """Hand on to another pool."""

    overflow: Name


class WatchModel(Section):
    """Notify a person, whose fallback queue it is."""

    watch: Name


class Period(StrEnum):
    """Over which time shares are counted."""

    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    EVER = "ever"


class Changing(StrEnum):
    """What somebody who was away or outside hours is owed: ``level`` nothing, ``accrue`` the
    share."""

    LEVEL = "level"
    ACCRUE = "accrue"


class Matches(StrEnum):
    """What holds for a lead that is to go to a certain person."""

    KEEP = "keep"
    PASS = "pass"


class AbsencesModel(Section):
    """What an absence means for a pool."""

    open_work: OpenWork = OpenWork.KEEP
    """Accepted leads stay (``keep``), go to the person's deputy (``deputy``; in turn where the
    deputy cannot take them), or to whose turn it is (``release``)."""
    longer_than: Duration | None = None
    """Shorter absences leave accepted leads where they are. Left out: none is too short."""


def _each_once(steps: tuple[Relax, ...]) -> tuple[Relax, ...]:
    if len(set(steps)) < len(steps):
        raise problem("a step of relaxation stands here twice: name each once")
    return steps


def _nobody_form(value: Any) -> str | None:
    match value:
        case OverflowModel() | WatchModel():
            return "overflow" if isinstance(value, OverflowModel) else "watch"
        case "hold":
            return "hold"
        case dict():
            found = [key for key in ("overflow", "watch") if key in value]
            return found[0] if len(found) == 1 else None
    return None


Nobody = Annotated[
    Annotated[Literal["hold"], Tag("hold")]
    | Annotated[OverflowModel, Tag("overflow")]
    | Annotated[WatchModel, Tag("watch")],
    Discriminator(
        _nobody_form,
        custom_error_type="agreement",
        custom_error_message=(
            "when nobody is eligible, write hold, {overflow: another-pool} or {watch: a-person}"
        ),
    ),
]


class PoolModel(Section):
    """People who share a queue."""

    kind: PoolKind
    members: dict[Name, MemberModel]
    """People by id, with their weight, capacity and limit of offers."""
    calendar: Name | None = None
    """For members without one of their own, and for the queue's own clocks. Left out: the house
    calendar."""
    nobody: Nobody = "hold"
    """When nobody is eligible: ``hold`` until somebody is, ``{overflow: other-pool}`` or ``{watch:
    person}``."""
    ignore_hours: bool = False
    """Whether leads are handed out outside working hours too."""
    period: Period = Period.MONTH
    """Turns are counted anew each period."""
    changing: Changing = Changing.LEVEL
    owner_uses_turn: bool = False
    """Whether a lead that goes to its account's owner uses up a turn."""
    matches: Matches = Matches.KEEP
    """Whether a lead that is to go to somebody (its owner, a colleague's holder) keeps their hours
    and limits of offers and of days and weeks (``keep``: beyond them it is somebody else's turn),
    or passes them (``pass``)."""
    relax: Annotated[tuple[Relax, ...], AfterValidator(_each_once)] = ASK_AGAIN
    """Where nobody else will be free, this is given up, in this order: that a lead does not go back
    to those who let it pass (``let_pass``), who said no (``said_no``) or had it last
    (``had_it_last``), and the ``skills`` it needs."""
    absences: AbsencesModel = AbsencesModel()
    """What happens to the open work of whoever is away."""
    manager: Name | None = None
    """Who leads the pool: escalations and the manager's queue."""
