"""Section ``engagement``: what each act is worth."""

from typing import Final

from pydantic import Field, model_validator

from baton.agreement.model.base import Duration, Name, Points, Section, problem
from baton.agreement.model.definitions import ContentStage
from baton.agreement.quantities import DAY_MS

DEFAULT_PER_DAY: Final = 20
"""So many acts of a group count a day where it sets no limit of its own."""


class GroupModel(Section):
    """Acts that decay together and share a cap."""

    half_life: Duration | None = None
    """After this time an act is worth half. Left out: it keeps its worth inside the window."""
    window: Duration | None = None
    """Older acts do not count. Left out: ten half-lives."""
    cap: Points | None = None
    """The group's positive points count up to this; negative ones are outside the cap."""
    per_day: int = Field(default=DEFAULT_PER_DAY, ge=1, le=1000)
    """At most so many acts of the group count a day."""

    @model_validator(mode="after")
    def _bounded(self) -> "GroupModel":
        if self.half_life is None and self.window is None:
            raise problem("a group needs a half_life or a window, or its ledger grows for ever")
        if self.half_life == 0 or self.window == 0:
            raise problem("a half_life or window of no time would make every act worth nothing")
        if self.cap is not None and self.cap <= 0:
            raise problem(
                "a cap of no points would make every act worth nothing: leave cap out for none"
            )
        return self


class ExceptionModel(Section):
    """Other points for the same act where the content is of a stage or about a topic. The first
    that fits counts."""

    stage: ContentStage | None = None
    topics: tuple[Name, ...] = ()
    points: Points

    @model_validator(mode="after")
    def _narrower(self) -> "ExceptionModel":
        if self.stage is None and not self.topics:
            raise problem("an exception names a stage or topics, otherwise it is no exception")
        return self


class ActModel(Section):
    """What one act is worth."""

    points: Points
    group: Name
    per_day: int | None = Field(default=None, ge=1, le=1000)
    """At most so many of this act count a day, the earliest first."""
    fast_track: bool = False
    """Qualifies at once, whatever the sum."""
    max_age: Duration = 7 * DAY_MS
    """A fast-track act older than this no longer qualifies at once."""
    exceptions: tuple[ExceptionModel, ...] = ()


class ScannerModel(Section):
    """Mail scanners click every link of a message within seconds: none of these clicks counts."""

    acts: tuple[Name, ...] = Field(min_length=1)
    clicks: int = Field(default=3, ge=2, le=100)
    within: Duration = 10_000


class EngagementModel(Section):
    """How warm a lead is now."""

    groups: dict[Name, GroupModel] = Field(min_length=1)
    acts: dict[Name, ActModel] = Field(min_length=1)
    scanner: ScannerModel | None = None
    count_automatic: bool = False
    """Whether acts marked automatic (bots, auto-responders) count."""


def groups_without_limit(engagement: EngagementModel) -> tuple[str, ...]:
    """The groups of acts that leave the daily limit to the default."""
    return tuple(
        name for name, group in engagement.groups.items() if "per_day" not in group.model_fields_set
    )
