"""Section ``recycling``: the reasons, where each leads, and when a lead comes back."""

import re
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema, model_validator

from baton.agreement.model.base import Duration, Label, Name, Section, problem
from baton.agreement.model.definitions import ContentStage
from baton.agreement.quantities import DAY_MS, duration_words, parse_duration_ms

_BEFORE_END = re.compile(r"contract_end\s*-\s*(.+)")
_AFTER = re.compile(r"after\s+(.+)")


class Outcome(StrEnum):
    """What a reason leads to: back later, never back, or at once to somebody else."""

    RECYCLE = "recycle"
    DISQUALIFY = "disqualify"
    REASSIGN = "reassign"


class When(Section):
    """A return date: ``after_ms`` from now, or ``before_end_ms`` before the end of the contract."""

    after_ms: int | None = None
    before_end_ms: int | None = None

    @property
    def words(self) -> str:
        """As written."""
        if self.before_end_ms is not None:
            return f"contract_end - {duration_words(self.before_end_ms)}"
        return f"after {duration_words(self.after_ms or 0)}"


def _when(value: Any) -> When:
    if isinstance(value, When):
        return value
    advice = 'write "after 90 days" or "contract_end - 60 days"'
    if not isinstance(value, str):
        raise problem(f"{value} is not a return date: {advice}")
    try:
        if found := _BEFORE_END.fullmatch(value.strip()):
            ms = parse_duration_ms(found[1])
            if ms % DAY_MS:
                raise problem(
                    f'"{value}": the end of a contract is a day, so count whole days before it'
                )
            return When(before_end_ms=ms)
        if found := _AFTER.fullmatch(value.strip()):
            return When(after_ms=parse_duration_ms(found[1]))
    except ValueError as error:
        raise problem(f'"{value}" is not a return date: {error}') from error
    raise problem(f'"{value}" is not a return date: {advice}')


WhenText = Annotated[
    When,
    BeforeValidator(_when),
    PlainSerializer(lambda when: when.words, return_type=str, when_used="json"),
    WithJsonSchema(
        {"type": "string", "description": '"after 90 days" or "contract_end - 60 days".'}
    ),
]


class TrackModel(Section):
    """A nurture track."""

    label: Label | None = None
    topics: tuple[Name, ...] = ()
    stage: ContentStage | None = None
    may_last: Duration | None = None
    """How long a lead may stay on it before somebody gives a verdict."""


class ReasonModel(Section):
    """One reason why a lead leaves the cycle, or a person."""

    outcome: Outcome
    """``recycle`` comes back, ``disqualify`` does not, ``reassign`` goes to somebody else at
    once."""
    label: Label | None = None
    track: Name | None = None
    """The nurture track of a recycled lead."""
    comes_back: WhenText | None = None
    """``after 90 days``, or ``contract_end - 60 days``."""
    if_unknown: Duration | None = None
    """When it comes back where the end of the contract is not known (which is then asked for)."""
    cool_off: Duration = 0
    """So long only a raised hand brings the lead back."""
    turn_back: bool = False
    """Whether a rejection for this reason gives the person's turn back (nobody's fault)."""

    @model_validator(mode="after")
    def _whole(self) -> "ReasonModel":
        recycles = self.outcome is Outcome.RECYCLE
        if recycles and (self.comes_back is None or self.track is None):
            raise problem(
                'a recycled lead needs a track and a date: write track: ... and comes_back: "after '
                '90 days"'
            )
        if not recycles and (self.comes_back or self.track or self.cool_off or self.if_unknown):
            raise problem(
                f"{self.outcome.value} knows no track, cool_off or way back: leave them out, or "
                "recycle"
            )
        by_contract = self.comes_back is not None and self.comes_back.before_end_ms is not None
        if by_contract and self.if_unknown is None:
            raise problem(
                "comes back by the end of a contract that may not be known: add if_unknown: 180 "
                "days"
            )
        if not by_contract and self.if_unknown is not None:
            raise problem("if_unknown is for reasons that come back by contract_end")
        return self


class LongTermModel(Section):
    """Where leads go that were recycled too often."""

    track: Name
    comes_back: Duration


class RecyclingModel(Section):
    """Leaving the cycle, and coming back."""

    limit: int = Field(default=3, ge=0, le=100)
    """After so many recyclings a lead goes to ``long_term``."""
    long_term: LongTermModel
    tracks: dict[Name, TrackModel] = Field(min_length=1)
    reasons: dict[Name, ReasonModel] = Field(min_length=1)
    fallback: Name
    """The reason taken where a tool sends one that is not listed."""
