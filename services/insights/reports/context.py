"""What every report is handed: the store, the moment, the agreement, who looks, and the filters of
the address.

Also the rule of names: a lead is a pseudonym, but for its holder and for managers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Any, Final
from zoneinfo import ZoneInfo

from baton.agreement.compiled.agreement import CompiledAgreement
from services.insights.figures.attribution import Model
from services.insights.rollups.spans import spans_between

DAY_MS = 86_400_000
Rows = list[dict[str, Any]]
LONGEST_PERIOD_DAYS = 800
_DEFAULT_DAYS = 28


class Role(StrEnum):
    """What somebody is, by the agreement: whose manager they are, and which pools they belong
    to."""

    MANAGER = "manager"
    SALES = "sales"
    SDR = "sdr"
    MARKETING = "marketing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewer:
    """Who looks. ``person`` is an id of the agreement; None: somebody on this machine who came by
    the one-time link, and can only look. ``session`` distinguishes one visit from another."""

    role: Role
    person: str | None = None
    session: str = ""

    @property
    def may_act(self) -> bool:
        """Whether acts can be signed with a name."""
        return self.person is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What the address asks for; everything else there is refused. ``segment``: an empty one asks
    for what has none."""

    from_day: date
    until_day: date
    pool: str | None = None
    segment: str | None = None
    person: str | None = None
    model: Model = Model.W
    given: Mapping[str, str] = field(default_factory=dict)


class WrongFilter(ValueError):
    """The address asks for something that there is not; the text names it and says what there
    is."""


NO_SEGMENT: Final = "(none)"
"""In the address: what has no segment."""
_KNOWN = frozenset({"from", "until", "pool", "segment", "person", "model"})


def filters_of(query: Mapping[str, str], today: date) -> Filters:
    """The filters of a query string; days are inclusive in the address, ``until_day`` is the day
    after. Raises WrongFilter."""
    if unknown := sorted(query.keys() - _KNOWN):
        raise WrongFilter(
            f'"{unknown[0][:40]}" is no filter; there are {", ".join(sorted(_KNOWN))}'
        )
    until = _day(query, "until", today) + timedelta(days=1)
    begins = _day(query, "from", until - timedelta(days=_DEFAULT_DAYS))
    if not begins < until or (until - begins).days > LONGEST_PERIOD_DAYS:
        raise WrongFilter(
            f"from {begins} until {until - timedelta(days=1)} is no period of 1 to "
            f"{LONGEST_PERIOD_DAYS} days"
        )
    model = query.get("model", Model.W.value)
    if model not in tuple(Model):
        raise WrongFilter(
            f'"{model[:40]}" is no model of attribution; there are {", ".join(Model)}'
        )
    words = {name: query[name][:200] for name in ("pool", "segment", "person") if query.get(name)}
    if words.get("segment") == NO_SEGMENT:
        words["segment"] = ""
    given = {name: value for name, value in query.items() if value}
    return Filters(from_day=begins, until_day=until, model=Model(model), given=given, **words)


def _day(query: Mapping[str, str], name: str, default: date) -> date:
    text = query.get(name)
    if not text:
        return default
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise WrongFilter(f'{name}: "{text[:20]}" is no day; write 2026-11-30') from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """Everything a report depends on."""

    db: Any
    now_ms: int
    viewer: Viewer
    filters: Filters
    agreement: CompiledAgreement | None = None
    per_person: bool = False

    @property
    def zone(self) -> ZoneInfo:
        """The agreement's time zone."""
        return ZoneInfo(self.agreement.timezone if self.agreement else "UTC")

    @property
    def today(self) -> date:
        """The day it is there."""
        return self.day_of(self.now_ms)

    def day_of(self, at_ms: int) -> date:
        """The day of a moment in the agreement's zone."""
        return datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(self.zone).date()

    def start_of(self, day: date) -> int:
        """When a day begins there, ms."""
        return int(datetime.combine(day, time(), self.zone).timestamp() * 1000)

    @property
    def from_ms(self) -> int:
        """When the period begins."""
        return self.start_of(self.filters.from_day)

    @property
    def until_ms(self) -> int:
        """When it ends, exclusive."""
        return self.start_of(self.filters.until_day)

    def counted(self, statement: str, from_ms: int, until_ms: int, **values: Any) -> Rows:
        """The rows of a query over counts: ``{spans}`` in it is the condition that ``span`` is one
        of those that make up the period, which begins and ends with a day."""
        names = spans_between(self.day_of(from_ms), self.day_of(until_ms))
        spans = {f"span_{number}": span for number, span in enumerate(names)}
        marks = ", ".join(f":{name}" for name in spans) or "''"
        return self.rows(statement.replace("{spans}", f"span IN ({marks})"), **spans, **values)

    def filtered(self, **columns: str) -> str:
        """The condition that the address asks for, of these filters by column; one that it does not
        ask for costs no row anything."""
        asked = [
            f"{column} = :{name}"
            for name, column in columns.items()
            if getattr(self.filters, name) is not None
        ]
        return " AND ".join(asked) or "1 = 1"

    def rows(self, statement: str, **values: Any) -> list[dict[str, Any]]:
        """The rows of a query; every value is a parameter."""
        cursor = self.db.execute(statement, values)
        names: list[str] | None = None
        found = []
        for row in cursor:
            if names is None:
                names = _names(cursor)
            found.append(dict(zip(names, row, strict=True)))
        return found

    def value(self, statement: str, **values: Any) -> Any:
        """The first value of a query, or None."""
        return next((next(iter(row.values())) for row in self.rows(statement, **values)), None)

    def person_name(self, person: str | None) -> str:
        """The name that the agreement has for a member of the two teams."""
        rule = self.agreement.people.get(person or "") if self.agreement else None
        return rule.name if rule else person or "—"

    def label_of_reason(self, reason: str | None) -> str:
        """The agreement's label of a reason, or the word as it is written."""
        rule = self.agreement.recycling.reasons.get(reason or "") if self.agreement else None
        return (rule.label if rule else "") or (reason or "not said").replace("_", " ")

    def may_name(self, holder: str | None) -> bool:
        """Whether the person behind a lead may be named to whoever looks."""
        return self.viewer.role is Role.MANAGER or (
            self.viewer.person is not None and self.viewer.person == holder
        )

    def named(self, leads: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """Rows with ``lead_id`` and ``holder``, each with a ``label`` for people to read."""
        allowed = [lead["lead_id"] for lead in leads if self.may_name(lead.get("holder"))]
        names = dict(_names_of(self, allowed))
        return [
            lead | {"label": names.get(lead["lead_id"]) or pseudonym(lead["lead_id"])}
            for lead in leads
        ]


def _names(cursor: Any) -> list[str]:
    return [column[0] for column in cursor.get_description()]


def pseudonym(lead_id: str) -> str:
    """What a lead is called where its person is not to be named."""
    return f"Lead {lead_id[:6]}"


def _names_of(context: Context, leads: Sequence[str]) -> Iterator[tuple[str, str]]:
    for start in range(0, len(leads), 500):
        part = leads[start : start + 500]
        marks = ",".join("?" * len(part))
        reported: dict[str, dict[str, str]] = {}
        for lead, first, last, company in context.db.execute(
            "SELECT lead_id, first_name, last_name, company FROM person WHERE lead_id IN "
            f"({marks}) ORDER BY occurred_at_ms, event_id",
            tuple(part),
        ):
            known = reported.setdefault(lead, {})
            known |= {
                k: v for k, v in (("first", first), ("last", last), ("company", company)) if v
            }
        for lead, known in reported.items():
            name = " ".join(known[part] for part in ("first", "last") if part in known)
            text = ", ".join(part for part in (name, known.get("company")) if part)
            if text:
                yield lead, text
