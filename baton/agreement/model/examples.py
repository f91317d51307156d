"""Section ``examples``: the two teams' own acceptance tests, run by ``baton agreement test``."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema

from baton.agreement.model.base import Label, Name, Section, points_micro, problem
from baton.agreement.model.definitions import ContentStage, LevelName
from baton.agreement.quantities import MICRO, points_words


def _moment(value: Any) -> datetime:
    try:
        return datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise problem(
            f'"{value}" is not a moment: write it as 2026-03-02 14:30 (in the agreement\'s time '
            "zone)"
        ) from None


Moment = Annotated[
    datetime,
    BeforeValidator(_moment),
    WithJsonSchema({"type": "string", "description": "2026-03-02 14:30"}),
]


@dataclass(frozen=True, slots=True)
class ExpectedPoints:
    """Points in millionths, and with how many decimals they are compared."""

    micro: int
    decimals: int


def _expected_points(value: Any) -> ExpectedPoints:
    if isinstance(value, ExpectedPoints):
        return value
    text = str(value)
    try:
        number: Any = Decimal(text) if isinstance(value, str) else value
    except InvalidOperation:
        number = value
    micro = points_micro(number)
    return ExpectedPoints(micro, max(_decimals(text), _decimals(points_words(micro))))


def _decimals(text: str) -> int:
    fraction = text.partition(".")[2]
    return len(fraction) if fraction.isdigit() else 0


def _expected_out(points: ExpectedPoints) -> int | float | str:
    """A number where it says how exact it is, as it is written where trailing zeros do."""
    words = points_words(points.micro)
    if points.decimals == _decimals(words):
        return float(words) if points.decimals else int(words)
    return f"{Decimal(points.micro) / MICRO:.{points.decimals}f}"


WrittenPoints = Annotated[
    ExpectedPoints,
    BeforeValidator(_expected_points),
    PlainSerializer(_expected_out, return_type=int | float | str, when_used="json"),
    WithJsonSchema(
        {
            "type": ["number", "string"],
            "description": "Points, with at most six decimals: compared with those that are "
            "written.",
        }
    ),
]


class ExampleEvent(Section):
    """One act of the lead."""

    at: Moment
    """In the agreement's time zone, unless an offset is written."""
    act: Name
    stage: ContentStage | None = None
    topics: tuple[Name, ...] = ()
    automatic: bool = False
    """Done by a machine: a bot, an auto-responder."""


class Expected(Section):
    """What the two teams expect. What is left out is not compared; points are compared with the
    decimals that are written: ``8`` is met by 8.2, ``8.0`` is not."""

    fit: WrittenPoints | None = None
    engagement: WrittenPoints | None = None
    grade: Name | None = None
    level: LevelName | None = None
    segment: Name | None = None
    qualified: bool | None = None
    queue: Name | None = None
    pool: Name | None = None
    deadline: Moment | None = None
    """Until when the lead is to be accepted."""


class ExampleModel(Section):
    """A lead, what it did, and what is expected."""

    name: Label
    profile: dict[Name, str] = Field(default_factory=dict)
    account: str | None = None
    consents: dict[str, bool] = Field(default_factory=dict)
    """``sales/phone: true``."""
    events: tuple[ExampleEvent, ...] = Field(min_length=1)
    at: Moment | None = None
    """When it is looked at. Left out: at the last event."""
    expect: Expected
