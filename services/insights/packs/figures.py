"""The figures of a week, line by line, as known at a moment. Pure but for the reading.

A pack names no lead's person: it is made as somebody sees it who may know no names, so an erasure
has nothing to reach in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from typing import Any, Final

from services.insights.figures.compliance import Compliance, Verdict
from services.insights.reports.context import DAY_MS, Context, Role, Viewer
from services.insights.reports.data import complete_since
from services.insights.reports.monday import monday

OF_THE_MOMENT: Final = frozenset({"Goals", "Open on Monday", "Coverage", "Decisions"})
"""Sections of what stands as the pack is made; the others are of the week."""


class WrongWeek(ValueError):
    """The week does not exist, or is not over; the text says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One line. ``value``: a whole number in ``unit`` (``count``, ``ms``, ``ppm``, a currency's
    minor unit, ``milli``), None where there is none to give; ``note`` in words."""

    section: str
    name: str
    value: int | None
    unit: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pack:
    """``week`` as ISO 8601 writes it, ``2026-W48``; ``since_ms``: the board has not all of the
    week, but everything since then."""

    week: str
    known_at_ms: int
    zone: str
    agreement: str
    figures: tuple[Figure, ...]
    since_ms: int | None = None

    def as_json(self) -> dict[str, Any]:
        """The pack as it is kept."""
        return asdict(self)


def pack_of(kept: dict[str, Any]) -> Pack:
    """The inverse of :meth:`Pack.as_json`."""
    figures = tuple(Figure(**figure) for figure in kept["figures"])
    return Pack(**{**kept, "figures": figures})


def week_of(day: date) -> str:
    """The week that a day is in."""
    year, number, _ = day.isocalendar()
    return f"{year}-W{number:02d}"


def last_week(context: Context) -> str:
    """The last week that is over."""
    return week_of(context.today - timedelta(days=7))


def week_bounds(context: Context, week: str) -> tuple[int, int]:
    """When a week begins and when the following one does; raises WrongWeek."""
    try:
        begins = date.fromisoformat(f"{week}-1")
    except ValueError:
        raise WrongWeek(f'"{week[:20]}" is no week; write 2026-W48') from None
    return context.start_of(begins), context.start_of(begins + timedelta(days=7))


def make_pack(context: Context, week: str) -> Pack:
    """The pack of a week that is over, by what is known now; raises WrongWeek. Figures of the
    moment are those of the last week alone: of an earlier one nobody knows them any more."""
    begins_ms, following = week_bounds(context, week)
    if following > context.now_ms:
        raise WrongWeek(f"{week} is not over yet")
    seen = replace(
        context,
        now_ms=min(context.now_ms, following + DAY_MS - 1),
        viewer=Viewer(role=Role.MARKETING),
        per_person=False,
    )
    since_ms = complete_since(context)
    is_last = week == last_week(context)
    return Pack(
        week=week,
        known_at_ms=context.now_ms,
        zone=context.zone.key,
        agreement=context.agreement.version if context.agreement else "",
        figures=tuple(
            figure
            for figure in _figures(seen, monday(seen))
            if is_last or figure.section not in OF_THE_MOMENT
        ),
        since_ms=since_ms if since_ms is not None and since_ms > begins_ms else None,
    )


def differences(frozen: Pack, now: Pack) -> list[tuple[Figure | None, Figure | None]]:
    """What is not as it was frozen: late events restate a week. What only the moment of freezing
    knew is not compared with a pack that is made later."""
    known = {figure.section for figure in now.figures}
    before = {
        (figure.section, figure.name): figure
        for figure in frozen.figures
        if figure.section in known or figure.section not in OF_THE_MOMENT
    }
    after = {(figure.section, figure.name): figure for figure in now.figures}
    return [
        (before.get(key), after.get(key))
        for key in dict.fromkeys((*before, *after))
        if before.get(key) != after.get(key)
    ]


def _figures(context: Context, report: dict[str, Any]) -> Iterator[Figure]:
    yield from _goals(report)
    _, sides = report["weeks"][-1]
    for side, found in sides.items():
        yield from _compliance(side.replace("_", " "), found)
    yield from _speed(report)
    for name in ("accepted", "rejected", "expired", "waiting"):
        yield _count("Handed over", name, getattr(report["acceptance"], name))
    for reason, number in report["reasons"]:
        yield _count("Handed over", f"rejected: {context.label_of_reason(reason)}", number)
    for name, words in (("nobody", "nobody holds it"), ("queue", "waiting in queues")):
        yield _count("Open on Monday", words, report["counts"][name])
    for name, words in (("late", "late"), ("hot", "hot, untouched")):
        yield _count("Open on Monday", words, report["counts"][name])
    yield from _ended(report)
    yield from _coverage(report)
    for row in report["decisions"]:
        state = "done" if row["done"] else "late" if row["late"] else "open"
        note = f"{context.person_name(row['owner'])}, until {row['due']}, {state}"
        yield Figure(section="Decisions", name=row["text"], value=None, unit="", note=note)


def _count(section: str, name: str, value: int | None, note: str = "") -> Figure:
    return Figure(section=section, name=name, value=value, unit="count", note=note)


def _goals(report: dict[str, Any]) -> Iterator[Figure]:
    for row in report["goals"]:
        if row["metric"] != "coverage":
            note = f"target {row['target']}, day {row['working_days_gone']}/{row['working_days']}"
            yield _count("Goals", f"{row['label']} ({row['side']})", row["achieved"], note)


def _compliance(side: str, found: Compliance) -> Iterator[Figure]:
    share = found.share
    rate = round(share.rate * 1_000_000) if share.rate is not None else None
    note = f"{found.met} of {found.due}"
    yield Figure(section="Promises kept", name=side, value=rate, unit="ppm", note=note)
    yield _count("Promises kept", f"{side}, overdue", found.count(Verdict.OVERDUE))


def _speed(report: dict[str, Any]) -> Iterator[Figure]:
    speed = report["speed"]
    for share, words in ((0.5, "half were tried within"), (0.9, "nine of ten within")):
        value = speed.attempt.quantile(share)
        note = "" if value is not None else "not reached"
        yield Figure(section="Speed to lead", name=words, value=value, unit="ms", note=note)
    yield _count("Speed to lead", "hands raised", speed.hands, f"{speed.untouched} untouched")


def _ended(report: dict[str, Any]) -> Iterator[Figure]:
    for row in report["ended"]:
        yield Figure(
            section="Won and lost",
            name=f"{row['event']}: {row['label']} {row['opportunity_id'] or ''}".strip(),
            value=row["amount_minor"],
            unit=row["currency"] or "",
            note=f"first touch {row['first_touch'] or 'not known'}",
        )


def _coverage(report: dict[str, Any]) -> Iterator[Figure]:
    for goal, found in report["coverages"]:
        ratio = None if found.done or found.ratio is None else round(found.ratio * 1000)
        note = "quota won" if found.done else f"{found.counted} deals"
        yield Figure(section="Coverage", name=goal.label, value=ratio, unit="milli", note=note)
