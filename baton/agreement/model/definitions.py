"""Section ``definitions``: the words both sides use, and where the levels lie."""

from enum import StrEnum
from typing import Literal

from pydantic import Field

from baton.agreement.model.base import Duration, Label, Name, Points, Section
from baton.agreement.model.condition import ConditionModel

ContentStage = Literal["awareness", "consideration", "decision"]
LevelName = Literal["cold", "warm", "hot"]


class ProfileKind(StrEnum):
    """Kinds of profile field. A ``set`` is text with its members separated by ``;``."""

    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    SET = "set"


class SegmentModel(Section):
    """A part of the market that promises and goals are counted by."""

    name: Name
    when: ConditionModel
    """Who belongs to it; the profile only."""
    label: Label | None = None


class BandModel(Section):
    """A band is entered at ``enter`` points and left below ``exit`` points."""

    enter: Points
    exit: Points | None = None
    """Left out: the same as ``enter``."""

    @property
    def leaves(self) -> int:
        """The exit threshold, in millionths."""
        return self.enter if self.exit is None else self.exit


class LevelsModel(Section):
    """Fit band by engagement band gives the level."""

    fit: dict[Name, BandModel] = Field(min_length=1, max_length=6)
    """Fit bands, such as A to D."""
    engagement: dict[Name, BandModel] = Field(min_length=1, max_length=6)
    """Engagement bands, such as 1 to 4."""
    matrix: dict[Name, dict[Name, LevelName]]
    """For each fit band and engagement band: cold, warm or hot."""
    dwell: Duration = 0
    """How long a lead keeps a level at least before it may fall."""

    def best_first(self, which: Literal["fit", "engagement"]) -> tuple[tuple[str, BandModel], ...]:
        """The bands by their enter thresholds, highest first."""
        bands = self.fit if which == "fit" else self.engagement
        return tuple(sorted(bands.items(), key=lambda band: (-band[1].enter, band[0])))


class SynonymsModel(Section):
    """What others say for a word of the agreement; it is read as that word from then on."""

    acts: dict[Label, Name] = Field(default_factory=dict, max_length=500)
    """Events by the names that their senders give them: ``Demo Requested: demo_request``."""
    profile: dict[Label, Name] = Field(default_factory=dict, max_length=500)
    """Fields likewise: ``title: role``."""


class Definitions(Section):
    """The words of the agreement."""

    acts: dict[Name, Label] = Field(min_length=1)
    """What a lead can do, each in words: ``demo_request: Asked for a demo``."""
    topics: dict[Name, Label] = Field(default_factory=dict)
    """What content is about."""
    profile: dict[Name, ProfileKind]
    """The fields of a profile that rules may look at, and their kind."""
    synonyms: SynonymsModel = Field(default_factory=SynonymsModel)
    """Other words for these acts and fields."""
    roles: tuple[Label, ...] = ()
    """Roles by seniority, most senior first; an account shows its most senior one."""
    role_field: Name | None = None
    """The profile field that holds a person's role."""
    segments: tuple[SegmentModel, ...] = ()
    """Parts of the market; a lead is in the first that fits."""
    levels: LevelsModel
