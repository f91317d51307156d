"""Section ``examples``: the two teams' own acceptance tests, run by ``baton agreement test``."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema

from baton.agreement.model.base import Label, Name, Points, Section, problem
from baton.agreement.model.definitions import ContentStage, LevelName


def _moment(value: Any) -> datetime:
    try:
        return datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise problem(f'"{value}" is not a moment: write it as 2026-03-02 14:30 (in the agreement\'s time zone)') from None


Moment = Annotated[datetime, BeforeValidator(_moment), WithJsonSchema({"type": "string", "description": "2026-03-02 14:30"})]


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
    """What the two teams expect. What is left out is not compared; points are compared with the decimals that are written."""

    fit: Points | None = None
    engagement: Points | None = None
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
