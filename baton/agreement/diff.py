"""What changes from one agreement to another, in words a manager reads.

Order is that of the agreement's sections. A mapping is compared name by name, a list of rules by
the rules' names (an order that changed is said, because the first rule that fits wins).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from baton.agreement.canonical import canonical_text
from baton.agreement.compile.sections import promise_name
from baton.agreement.describe import (
    condition_words,
    go_on_words,
    ladder_words,
    value_words,
    wait_words,
    week_changes,
)
from baton.agreement.model.agreement import Agreement
from baton.agreement.model.base import Section
from baton.agreement.model.calendar import hours_words
from baton.agreement.model.condition import All, Any_, Not, Test
from baton.agreement.model.definitions import LevelsModel
from baton.agreement.model.people import PersonModel
from baton.agreement.model.recycling import When
from baton.agreement.model.slas import GoOnModel, PromiseModel, StepModel, WaitModel
from baton.agreement.quantities import DIGEST_MS, TargetWords, duration_words, points_words


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change; ``kind`` is added, removed, changed or moved."""

    section: str
    kind: str
    text: str


def changes(old: Agreement, new: Agreement) -> tuple[Change, ...]:
    """Everything that is different; empty: the same version."""
    if canonical_text(old) == canonical_text(new):
        return ()
    return tuple(_all(old, new))


def summary(found: Sequence[Change]) -> str:
    """``3 added, 1 removed, 2 changed``."""
    counts = {
        kind: sum(each.kind == kind for each in found)
        for kind in ("added", "removed", "changed", "moved")
    }
    return (
        ", ".join(f"{count} {kind}" for kind, count in counts.items() if count) or "nothing changed"
    )


def _all(old: Agreement, new: Agreement) -> Iterator[Change]:
    for key in ("name", "timezone", "calendar", "effective_at"):
        yield from _value("agreement", key, getattr(old, key), getattr(new, key))
    one, two = old.definitions, new.definitions
    for what in ("acts", "topics", "profile"):
        yield from _named("definitions", what.rstrip("s"), getattr(one, what), getattr(two, what))
    yield from _value("definitions", "roles", one.roles, two.roles)
    yield from _value("definitions", "role_field", one.role_field, two.role_field)
    yield from _listed("definitions", "segment", one.segments, two.segments, lambda each: each.name)
    yield from _levels(one.levels, two.levels)
    yield from _named("fit", "criterion", old.fit, new.fit)
    yield from _engagement(old, new)
    yield from _lifecycle(old, new)
    for section, what in (("calendars", "calendar"), ("people", "person"), ("pools", "pool")):
        yield from _named(section, what, getattr(old, section), getattr(new, section))
    yield from _routing(old, new)
    yield from _slas(old, new)
    yield from _recycling(old, new)
    yield from _named("goals", "goal", old.goals, new.goals)
    yield from _section("consent", "hand-off", old.consent.hand_off, new.consent.hand_off)
    yield from _section("consent", "nurture", old.consent.nurture, new.consent.nurture)
    yield from _listed("examples", "example", old.examples, new.examples, lambda each: each.name)


def _levels(old: LevelsModel, new: LevelsModel) -> Iterator[Change]:
    for which in ("fit", "engagement"):
        before, after = getattr(old, which), getattr(new, which)
        yield from _presence("levels", f"{which} band", before, after)
        for name in (each for each in before if each in after):
            one, two = before[name], after[name]
            yield from _points("levels", f"{which} band {name} begins at", one.enter, two.enter)
            if two.enter != two.leaves or one.enter != one.leaves:
                yield from _points(
                    "levels", f"{which} band {name} is left below", one.leaves, two.leaves
                )
    for fit, row in new.matrix.items():
        for act, level in row.items():
            was = old.matrix.get(fit, {}).get(act)
            if was is not None and was != level:
                yield Change(section="levels", kind="changed", text=f"{fit}{act}: {was} -> {level}")
    yield from _value("levels", "dwell", duration_words(old.dwell), duration_words(new.dwell))


def _engagement(old: Agreement, new: Agreement) -> Iterator[Change]:
    one, two = old.engagement, new.engagement
    yield from _named("engagement", "group", one.groups, two.groups)
    yield from _named("engagement", "act", one.acts, two.acts)
    yield from _value("engagement", "scanner", one.scanner, two.scanner)
    yield from _value(
        "engagement", "automatic acts count", one.count_automatic, two.count_automatic
    )


def _lifecycle(old: Agreement, new: Agreement) -> Iterator[Change]:
    one, two = old.lifecycle, new.lifecycle
    yield from _value("lifecycle", "the bridge team takes", one.bridge.value, two.bridge.value)
    yield from _value("lifecycle", "poor fit", one.poor_fit, two.poor_fit)
    yield from _named("lifecycle", "gate", one.gates, two.gates)
    yield from _value("lifecycle", "drip a day", one.drip, two.drip)
    yield from _value(
        "lifecycle", "settles for at most", duration_words(one.settle), duration_words(two.settle)
    )


def _routing(old: Agreement, new: Agreement) -> Iterator[Change]:
    one, two = old.routing, new.routing
    yield from _listed("routing", "suppression", one.suppress, two.suppress, lambda each: each.name)
    yield from _named("routing", "named account", one.accounts, two.accounts)
    yield from _listed(
        "routing", "territory rule", one.territories, two.territories, lambda each: each.name
    )
    yield from _listed(
        "routing", "segment rule", one.segments, two.segments, lambda each: each.name
    )
    yield from _value("routing", "default", one.default, two.default)
    yield from _value("routing", "skills that every lead needs", one.needs, two.needs)
    yield from _value(
        "routing",
        "colleagues stay together",
        one.keep_colleagues_together,
        two.keep_colleagues_together,
    )


def _slas(old: Agreement, new: Agreement) -> Iterator[Change]:
    one, two = old.slas, new.slas
    yield from _listed("slas", "promise", one.promises, two.promises, promise_name)
    yield from _named("slas", "ladder", one.ladders, two.ladders)
    of_both = (one.evidence_grace, two.evidence_grace)
    graces = [{name: duration_words(ms) for name, ms in grace.items()} for grace in of_both]
    yield from _named("slas", "evidence grace", *graces)
    words = [duration_words(DIGEST_MS if of.digest is None else of.digest) for of in (one, two)]
    yield from _value("slas", "digest", *words)


def _recycling(old: Agreement, new: Agreement) -> Iterator[Change]:
    one, two = old.recycling, new.recycling
    yield from _named("recycling", "reason", one.reasons, two.reasons)
    yield from _named("recycling", "track", one.tracks, two.tracks)
    yield from _value("recycling", "limit", one.limit, two.limit)
    yield from _value("recycling", "long term", one.long_term, two.long_term)
    yield from _value("recycling", "fallback", one.fallback, two.fallback)


# ---------------------------------------------------------------------- the forms


def _presence(
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


def _named(
    section: str, what: str, old: Mapping[str, Any], new: Mapping[str, Any]
) -> Iterator[Change]:
    yield from _presence(section, what, old, new)
    for name, after in new.items():
        if name in old and old[name] != after:
            yield from _section(section, _subject(what, name), old[name], after)


def _listed(
    section: str, what: str, old: Sequence[Any], new: Sequence[Any], name_of: Callable[[Any], str]
) -> Iterator[Change]:
    before, after = ({name_of(each): each for each in listed} for listed in (old, new))
    yield from _named(section, what, before, after)
    kept = [name for name in before if name in after]
    order = [name for name in after if name in before]
    if kept != order:
        moved = next(name for name, former in zip(order, kept, strict=True) if name != former)
        rest = ", ".join(_quote(each) for each in order)
        yield Change(
            section=section,
            kind="moved",
            text=f"the order of {what}s changed from {_quote(moved)} on: now {rest}",
        )


def _section(section: str, subject: str, old: Any, new: Any) -> Iterator[Change]:
    """A value of a name: field by field where it is a section of its own, else old -> new."""
    if not (isinstance(old, Section) and type(old) is type(new)) or isinstance(
        new, Test | All | Any_ | Not
    ):
        yield from _value(section, subject, old, new)
        return
    for field in type(new).model_fields:
        one, two = getattr(old, field), getattr(new, field)
        if one == two or (field == "name" and one and not isinstance(new, PersonModel)):
            continue
        if field == "members" and isinstance(one, Mapping):
            yield from _named(section, f"{subject}: member", one, two)
        else:
            yield from _field(section, subject, field, one, two)


def _field(section: str, subject: str, field: str, old: Any, new: Any) -> Iterator[Change]:
    match field:
        case "points":
            yield from _points(section, f"{subject}:", old, new, unit=" points")
        case "cap":
            before, after = (
                "no cap" if each is None else points_words(each) for each in (old, new)
            )
            yield Change(
                section=section, kind="changed", text=f"{subject}: cap {before} -> {after}"
            )
        case (
            "half_life"
            | "window"
            | "max_age"
            | "cool_off"
            | "may_last"
            | "if_unknown"
            | "evidence_grace"
            | "apart"
        ):
            before, after = (
                "none" if each is None else duration_words(each) for each in (old, new)
            )
            yield Change(
                section=section,
                kind="changed",
                text=f"{subject}: {field.replace('_', ' ')} {before} -> {after}",
            )
        case "hours":
            for text in week_changes(old, new):
                yield Change(section=section, kind="changed", text=f"{subject}: {text}")
        case "open":
            days = [
                {str(day): hours_words(spans) for day, spans in each.items()} for each in (old, new)
            ]
            yield from _named(section, f"{subject}: open on", *days)
        case "warn":
            before, after = (
                ", ".join(f"{each}%" for each in shares) or "none" for shares in (old, new)
            )
            yield Change(
                section=section, kind="changed", text=f"{subject}: warn at {before} -> {after}"
            )
        case "pause_when" | "resume_when":
            before, after = (
                "as the clock does" if each is None else _shown(each) for each in (old, new)
            )
            yield Change(
                section=section,
                kind="changed",
                text=f"{subject}: {field.split('_')[0]}s {before} -> {after}",
            )
        case "ladder_name":
            yield from _value(section, f"{subject}: ladder", old, new)
        case _:
            yield from _value(section, f"{subject}: {field.replace('_', ' ')}", old, new)


def _points(section: str, subject: str, old: int, new: int, *, unit: str = "") -> Iterator[Change]:
    if old != new:
        yield Change(
            section=section,
            kind="changed",
            text=f"{subject} {points_words(old)} -> {points_words(new)}{unit}",
        )


def _value(section: str, subject: str, old: Any, new: Any) -> Iterator[Change]:
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
        case tuple() if value and all(isinstance(each, StepModel) for each in value):
            return ladder_words(value)
        case Section():
            return value_words(value.model_dump(mode="json", by_alias=True, exclude_defaults=True))
        case tuple() | list() if value and all(isinstance(each, Section) for each in value):
            return "; ".join(_shown(each) for each in value)
        case Mapping():
            return ", ".join(f"{name} {_shown(each)}" for name, each in value.items()) or "none"
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
