"""The file of a simulated quarter: who comes by, how often, and how people work. Checked against
the agreement it is played with; all names are the file's own."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError

from baton.agreement.compiled.agreement import CompiledAgreement
from baton.agreement.model.base import Duration, Section, problem
from baton.agreement.model.calendars import Day
from baton.agreement.source.yaml import read_yaml
from baton.contracts.intake import Engagement
from baton.sources.validation_words import problem_of


class DemandWrong(ValueError):
    """The file cannot be used; the text has one line for each problem."""


_LARGEST_FACTOR = 20.0


def _percent(value: Any) -> float:
    text = str(value).strip()
    try:
        return float(text.removesuffix("%")) / 100 if text.endswith("%") else float("nan")
    except ValueError:
        return float("nan")


def _share(value: Any) -> float:
    share = _percent(value)
    if not 0 <= share <= 1:
        raise problem(f'"{value}" is no share: write a number from 0% to 100%, such as 30%')
    return share


def _factor(value: Any) -> float:
    factor = _percent(value)
    if not 0 <= factor <= _LARGEST_FACTOR:
        raise problem(f'"{value}" is no season: write it against an ordinary month, such as 120%')
    return factor


def _month(months: dict[str, Any]) -> dict[str, Any]:
    for month in months:
        if month not in {str(number) for number in range(1, 13)}:
            raise problem(f'"{month}" is no month: write its number, 1 to 12, in quotes')
    return months


Percent = Annotated[float, BeforeValidator(_share)]
Factor = Annotated[float, BeforeValidator(_factor)]


class Habits(Section):
    """How a person works leads. Times are of their own open hours, drawn around what is said."""

    answers_after: Duration = 15 * 60_000
    """Until a free person has opened the lead that is next."""
    works_for: Duration = 30 * 60_000
    """The work on one lead that they accept; a rejection takes a fifth of it."""
    verdict_after: Duration = 16 * 3_600_000
    """From the first call to the verdict; the person is free meanwhile."""
    deal_after: Duration = 80 * 3_600_000
    """In sales, from the verdict to the deal's end: the lead takes up their capacity meanwhile."""
    never: Percent = 0.03
    """Leads that they let lie."""
    rejects: Percent = 0.1
    recycles: Percent = 0.35
    """Of the accepted ones, how many come to nothing for now."""
    wins: Percent = 0.3
    """Of the deals."""


class Behaviour(Section):
    """What a share of a segment's leads does, in this order, an hour or more apart."""

    share: Percent
    acts: tuple[str, ...] = Field(min_length=1, max_length=50)
    stage: str | None = None
    """The stage of the content of these acts, such as ``decision``."""


class SegmentDemand(Section):
    """Leads alike."""

    per_week: float = Field(ge=0, le=100_000)
    """New leads in an ordinary week."""
    profile: dict[str, str | int | bool] = Field(default_factory=dict)
    does: tuple[Behaviour, ...] = Field(min_length=1)


class Demand(Section):
    """The whole file."""

    begins: Day
    weeks: int = Field(default=13, ge=1, le=104)
    weekend: Percent = 0.3
    """What a Saturday or Sunday brings, against a working day."""
    seasons: Annotated[dict[str, Factor], AfterValidator(_month)] = Field(default_factory=dict)
    """By month, against an ordinary one: ``"12": 60%``."""
    segments: dict[str, SegmentDemand] = Field(min_length=1)
    habits: Habits = Habits()
    people: dict[str, Habits] = Field(default_factory=dict)
    """Whose habits differ: all of theirs."""

    def habits_of(self, person: str) -> Habits:
        """The person's own, else everybody's."""
        return self.people.get(person, self.habits)

    def season(self, day: date) -> float:
        """The day's month against an ordinary one."""
        return self.seasons.get(str(day.month), 1.0)


def read_demand(path: Path, agreement: CompiledAgreement) -> Demand:
    """The file, fit for the agreement; raises :class:`DemandWrong`."""
    try:
        document = read_yaml(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise DemandWrong(f"{path} cannot be read: {error}") from None
    problems = [one.described(str(path)) for one in document.problems]
    if not problems:
        try:
            demand = Demand.model_validate(document.data, strict=False)
        except ValidationError as error:
            problems = [
                problem_of(found, document).described(str(path))
                for found in error.errors(include_url=False)
            ]
        else:
            problems = [f"{path}: {text}" for text in _contradictions(demand, agreement)]
            if not problems:
                return demand
    raise DemandWrong("\n".join(problems))


def _contradictions(demand: Demand, agreement: CompiledAgreement) -> list[str]:
    found = [
        f"people.{person} is not in the agreement: its people are {', '.join(agreement.people)}"
        for person in demand.people
        if person not in agreement.people
    ]
    for name, segment in demand.segments.items():
        total = sum(one.share for one in segment.does)
        if abs(total - 1) > 1e-6:
            found.append(f"segments.{name}.does: the shares are {total:.0%} together, not 100%")
        for act in dict.fromkeys(act for one in segment.does for act in one.acts):
            if agreement.engagement.rule_for(Engagement(act=act)) is None:
                known = ", ".join(sorted(agreement.engagement.acts))
                found.append(f'segments.{name}: "{act}" is no act of the agreement: it has {known}')
    return found
