"""How two values of an agreement are compared, and what is said of the difference: names of a
mapping, rules of a list, fields of a section, single values."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from baton.agreement.describe import (
    absence_words,
    condition_words,
    go_on_words,
    ladder_words,
    value_words,
    wait_words,
    week_changes,
)
from baton.agreement.model.base import Section
from baton.agreement.model.calendars import hours_words
from baton.agreement.model.condition import All, Any_, Not, Test
from baton.agreement.model.people import PersonModel
from baton.agreement.model.recycling import When
from baton.agreement.model.slas import GoOnModel, PromiseModel, StepModel, WaitModel
from baton.agreement.quantities import TargetWords, duration_words, points_words


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change; ``kind`` is added, removed, changed or moved."""

    section: str
    kind: str
    text: str


def presence_changes(
    section: str, what: str, old: Mapping[str, Any], new: Mapping[str, Any]
) -> Iterator[Change]:
    for name in new:
        if name not in old:
            yield Change(
                section=section,
                kind="added",
                text=f"{what} {_quote(name)} added{_about(new[name])}",
            )
    for name in old:
        if name not in new:
            yield Change(
                section=section,
                kind="removed",
                text=f"{what} {_quote(name)} removed{_about(old[name])}",
            )


def named_changes(
    section: str, what: str, old: Mapping[str, Any], new: Mapping[str, Any]
) -> Iterator[Change]:
    yield from presence_changes(section, what, old, new)
    for name, after in new.items():
        if name in old and old[name] != after:
            yield from section_changes(section, _subject(what, name), old[name], after)


def listed_changes(
    section: str, what: str, old: Sequence[Any], new: Sequence[Any], name_of: Callable[[Any], str]
) -> Iterator[Change]:
    before, after = ({name_of(item): item for item in listed} for listed in (old, new))
    yield from named_changes(section, what, before, after)
    kept = [name for name in before if name in after]
    order = [name for name in after if name in before]
    if kept != order:
        moved = next(name for name, former in zip(order, kept, strict=True) if name != former)
        rest = ", ".join(_quote(name) for name in order)
        yield Change(
            section=section,
            kind="moved",
            text=f"the order of {what}s changed from {_quote(moved)} on: now {rest}",
        )


def section_changes(section: str, subject: str, old: Any, new: Any) -> Iterator[Change]:
    """A value of a name: field by field where it is a section of its own, else old -> new."""
    if not (isinstance(old, Section) and type(old) is type(new)) or isinstance(
        new, Test | All | Any_ | Not
    ):
        yield from value_change(section, subject, old, new)
        return
    for field in type(new).model_fields:
        one, two = getattr(old, field), getattr(new, field)
        if one == two or (field == "name" and one and not isinstance(new, PersonModel)):
            continue
        if field == "members" and isinstance(one, Mapping):
            yield from named_changes(section, f"{subject}: member", one, two)
        else:
            yield from _field(section, subject, field, one, two)


def _field(section: str, subject: str, field: str, old: Any, new: Any) -> Iterator[Change]:
    match field:
        case "points":
            yield from points_change(section, f"{subject}:", old, new, unit=" points")
        case "hours":
            for text in week_changes(old, new):
                yield Change(section=section, kind="changed", text=f"{subject}: {text}")
        case "open":
            days = [
                {str(day): hours_words(spans) for day, spans in opened.items()}
                for opened in (old, new)
            ]
            yield from named_changes(section, f"{subject}: open on", *days)
        case "ladder_name":
            yield from value_change(section, f"{subject}: ladder", old, new)
        case _ if field in _PHRASES:
            label, words = _PHRASES[field]
            text = f"{subject}: {label} {words(old)} -> {words(new)}"
            yield Change(section=section, kind="changed", text=text)
        case _:
            yield from value_change(section, f"{subject}: {field.replace('_', ' ')}", old, new)


def _duration(value: int | None) -> str:
    return "none" if value is None else duration_words(value)


def _cap(value: int | None) -> str:
    return "no cap" if value is None else points_words(value)


def _shares(value: Sequence[int]) -> str:
    return ", ".join(f"{share}%" for share in value) or "none"


def _waiting(value: Any) -> str:
    return "as the clock does" if value is None else _shown(value)


def _steps(value: Sequence[str]) -> str:
    return ", then ".join(value) or "nothing"


_DURATIONS: Final = (
    "half_life",
    "window",
    "max_age",
    "cool_off",
    "may_last",
    "if_unknown",
    "evidence_grace",
    "apart",
)
_PHRASES: Final[Mapping[str, tuple[str, Callable[[Any], str]]]] = {
    **{field: (field.replace("_", " "), _duration) for field in _DURATIONS},
    "cap": ("cap", _cap),
    "warn": ("warn at", _shares),
    "pause_when": ("pauses", _waiting),
    "resume_when": ("resumes", _waiting),
    "absences": ("accepted leads of whoever is away", absence_words),
    "relax": ("gives up", _steps),
}
"""Fields that are said as a phrase of their own, with how their values read."""


def points_change(
    section: str, subject: str, old: int, new: int, *, unit: str = ""
) -> Iterator[Change]:
    if old != new:
        yield Change(
            section=section,
            kind="changed",
            text=f"{subject} {points_words(old)} -> {points_words(new)}{unit}",
        )


def value_change(section: str, subject: str, old: Any, new: Any) -> Iterator[Change]:
    if old != new:
        yield Change(
            section=section, kind="changed", text=f"{subject}: {_shown(old)} -> {_shown(new)}"
        )


def _shown(value: Any) -> str:
    match value:
        case Test() | All() | Any_() | Not():
            return condition_words(value)
        case TargetWords() | When():
            return value.words
        case WaitModel():
            return wait_words(value)
        case GoOnModel():
            return go_on_words(value)
        case tuple() if value and all(isinstance(step_model, StepModel) for step_model in value):
            return ladder_words(value)
        case Section():
            return value_words(value.model_dump(mode="json", by_alias=True, exclude_defaults=True))
        case tuple() | list() if value and all(isinstance(section, Section) for section in value):
            return "; ".join(_shown(section) for section in value)
        case Mapping():
            return ", ".join(f"{name} {_shown(inner)}" for name, inner in value.items()) or "none"
    return value_words(value)


def _about(value: Any) -> str:
    """What is worth saying of something that came or went."""
    if isinstance(value, PromiseModel):
        return f": {value.within.words}"
    points = getattr(value, "points", None)
    if isinstance(points, int):
        return f" ({points_words(points)} points)"
    return f": {value}" if isinstance(value, str) and value else ""


def _subject(what: str, name: str) -> str:
    return f"{what} {_quote(name)}"


def _quote(name: str) -> str:
    return name if name.replace("_", "").replace("-", "").isalnum() else f'"{name}"'
