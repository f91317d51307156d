"""Section ``examples``: the two teams' own acceptance tests, run by ``baton agreement test``."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Final, Self

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema, model_validator

from baton.agreement.model.base import Label, Name, Section, points_micro, problem
from baton.agreement.model.definitions import ContentStage, LevelName
from baton.agreement.quantities import MICRO, points_words
from baton.contracts.acts import ActKind
from baton.contracts.leads import Stage

NOBODY: Final = "none"
"""Who has a lead that no person has."""


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
            "description": "Points, with at most six decimals: compared with those that are written.",
        }
    ),
]


class ExampleEvent(Section):
    """One thing that happened: what the lead did (``act``), what somebody of staff did with it
    (``does``), a visitor who turns out to be the lead (``links``), or an event that never happened
    after all (``retracts``)."""

    at: Moment
    """In the agreement's time zone, unless an offset is written."""
    arrives: Moment | None = None
    """When Baton learns of it. Left out: at once."""
    act: Name | None = None
    stage: ContentStage | None = None
    topics: tuple[Name, ...] = ()
    automatic: bool = False
    """Done by a machine: a bot, an auto-responder."""
    visitor: Name | None = None
    """Done by this visitor, of whom nobody knows yet who it is."""
    name: Name | None = None
    """What ``retracts`` calls it."""
    does: ActKind | None = None
    by: Name | None = None
    reason: Name | None = None
    outcome: Name | None = None
    contract_end: str | None = Field(default=None, pattern=r"^\d{4}-\d{2}-\d{2}$")
    links: Name | None = None
    retracts: Name | None = None

    @model_validator(mode="after")
    def _one_thing(self) -> Self:
        given = [word for word in _HAPPENINGS if getattr(self, word) is not None]
        if len(given) != 1:
            raise problem(f"says {_one_of(given)}: give one of {', '.join(_HAPPENINGS)}")
        belonging = _BELONGING[given[0]]
        for word, owners in _OWNERS.items():
            if word in self.model_fields_set and word not in belonging:
                raise problem(f"{word} belongs to {owners}, not to {given[0]}")
        if self.does is not None and self.by is None:
            raise problem(f"{self.does.value} by whom? add by: with the person's id")
        return self


_HAPPENINGS: Final = ("act", "does", "links", "retracts")
_BELONGING: Final = {
    "act": frozenset({"stage", "topics", "automatic", "visitor", "name"}),
    "does": frozenset({"by", "reason", "outcome", "contract_end", "automatic", "name"}),
    "links": frozenset({"name"}),
    "retracts": frozenset[str](),
}
_OWNERS: Final = {
    word: " and ".join(owner for owner in _HAPPENINGS if word in _BELONGING[owner])
    for word in sorted(frozenset[str]().union(*_BELONGING.values()))
}


def _one_of(given: list[str]) -> str:
    return " and ".join(given) if given else "nothing that happened"


class ExampleAbsence(Section):
    """Somebody is away. ``known``: when Baton learns of it; left out: before all else."""

    person: Name
    starts: Moment = Field(alias="from")
    until: Moment
    known: Moment | None = None


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
    stage: Stage | None = None
    """Where the lead is in its cycle when it is looked at."""
    owner: Name | None = None
    """Who has it when it is looked at; ``none``: no person."""
    returns: Moment | None = None
    """When a recycled lead comes back."""
    refused: Name | None = None
    """Why the last act that was refused was: ``unknown_person``, ``held_by_another`` ..."""


class ExampleModel(Section):
    """A lead, what it did, and what is expected."""

    name: Label
    profile: dict[Name, str] = Field(default_factory=dict)
    account: str | None = None
    consents: dict[str, bool] = Field(default_factory=dict)
    """``sales/phone: true``."""
    events: tuple[ExampleEvent, ...] = Field(min_length=1)
    away: tuple[ExampleAbsence, ...] = ()
    at: Moment | None = None
    """When it is looked at. Left out: at the last event."""
    expect: Expected
