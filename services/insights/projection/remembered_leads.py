"""What the writer remembers of the leads that it was busy with last, so that most transactions read
nothing of them: a lead that does something mostly did something a moment ago.

It is what the store holds, and nothing is decided by it alone: whatever could make the two differ
(a transaction that failed, a row that was there already, another connection that wrote, a merge, a
retraction) is forgotten here, and read again from the store.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from baton.contracts.leads import LeadStaged
from baton.contracts.topic_names import LEADS_SCORED
from services.insights.derived.lead_rows import Kept
from services.insights.facts.change import Put
from services.insights.facts.derived_tables import CYCLE, DEAL, LEAD
from services.insights.facts.intake_tables import ACT, FACT, MEMBERSHIP, MERGE, RETRACTION, TOUCH
from services.insights.facts.table import Table
from services.insights.projection.kept_history import LeadHistory, histories
from services.insights.projection.merged_families import families_of, roots_of
from services.insights.projection.rows_of_many import Row, rows_of_some

_REMEMBERED: Final = 16_384
"""Leads and facts together: some tens of megabytes."""
_DERIVED: Final[tuple[tuple[Table, str], ...]] = (
    (LEAD, "lead_id"),
    (CYCLE, "lead_id"),
    (DEAL, "root"),
)
_RETRACTED: Final = "SELECT event_id FROM retraction WHERE event_id IN ({these})"
_OF_EVENTS: Final = (
    "SELECT lead_id FROM touch WHERE event_id IN ({these})",
    "SELECT lead_id FROM membership WHERE event_id IN ({these})",
)
_EVENT, _MOMENT, _AUTOMATIC, _CAMPAIGN = (
    TOUCH.names.index(name) for name in ("event_id", "occurred_at_ms", "automatic", "campaign")
)


@dataclass(slots=True)
class Family:
    """The lead ``root``, with those that ended in it. ``written``: the rows that the store has of
    them, by table; ``moved``: there are moves that are not in these yet."""

    root: str
    histories: dict[str, LeadHistory]
    written: dict[str, set[Row]]
    moved: bool = True

    @property
    def weight(self) -> int:
        """How much is remembered."""
        return sum(1 + len(history.facts) for history in self.histories.values())

    @property
    def has_ended_deals(self) -> bool:
        """Whether any deal was won or lost."""
        return any(row[_STATE] in ("won", "lost") for row in self.written[DEAL.name])


_STATE: Final = DEAL.names.index("state")


@dataclass(slots=True)
class RememberedLeads:
    """The families by each of their leads, those that were busy last at the end."""

    _families: dict[str, Family] = field(default_factory=dict)
    _version: int = 0
    _weight: int = 0
    _passing: set[str] = field(default_factory=set)

    def clear(self) -> None:
        """Forget all."""
        self._families.clear()
        self._passing.clear()
        self._weight = 0

    def follow(self, version: int) -> None:
        """``version`` differs from the one before where somebody else wrote."""
        if version != self._version:
            self.clear()
            self._version = version

    def of(self, lead_id: str) -> Family:
        """The family of a lead that was loaded."""
        return self._families[lead_id]

    def families(self, leads: Iterable[str]) -> list[Family]:
        """Those of leads that were loaded, each once, by their roots."""
        found = {family.root: family for lead in leads for family in (self._families[lead],)}
        return [found[root] for root in sorted(found)]

    def load(self, db: Any, leads: Iterable[str]) -> None:
        """Read what is not known of these leads, and of their families."""
        unknown = [lead for lead in leads if not self._again(lead)]
        if not unknown:
            return
        families = {tuple(family): root for root, family in families_of(db, unknown).items()}
        every = [lead for family in families for lead in family]
        found = histories(db, every)
        written = {table.name: _rows_by(db, table, column, every) for table, column in _DERIVED}
        for family, root in families.items():
            rows = {
                name: {row for lead in family for row in by_lead.get(lead, ())}
                for name, by_lead in written.items()
            }
            made = Family(root, {lead: found[lead] for lead in family}, rows)
            self._families |= dict.fromkeys(family, made)
            self._weight += made.weight
        self._passing |= _in_rings(db, families)

    def _again(self, lead_id: str) -> bool:
        """Put a lead behind the others; whether it is known."""
        family = self._families.pop(lead_id, None)
        if family is None:
            return False
        self._families[lead_id] = family
        return True

    def drop(self, leads: Iterable[str]) -> None:
        """Forget these leads, and their families."""
        for lead in leads:
            if (family := self._families.get(lead)) is not None:
                self._weight -= family.weight
                for one in family.histories:
                    del self._families[one]

    def trim(self) -> None:
        """At the end of a transaction: forget those that have been quiet longest."""
        self.drop(self._passing)
        self._passing.clear()
        while self._weight > _REMEMBERED:
            self.drop((next(iter(self._families)),))

    # ------------------------------------------------------------------ what was written

    def take(
        self, db: Any, puts: Iterable[Put], there: Iterable[str], retracted: Container[str]
    ) -> None:
        """Rows that were written. ``there``: tables of which some had been there already, in this
        transaction or before; ``retracted``: events that were taken back."""
        by_table: dict[str, list[Put]] = {}
        for one in puts:
            by_table.setdefault(one.table.name, []).append(one)
        self.drop(self._in_doubt(db, by_table, set(there)))
        for one in by_table.get(FACT.name, ()):
            self._take_fact(one)
        for one in by_table.get(TOUCH.name, ()):
            if (history := self._history(one.row[1])) is not None:
                history.see(one.row[_MOMENT])
                if not one.row[_AUTOMATIC] and one.row[_EVENT] not in retracted:
                    history.add_first(one.row[_CAMPAIGN] or "", one.row[_MOMENT])
        for one in by_table.get(ACT.name, ()):
            if (history := self._history(one.row[1])) is not None and not one.row[_ACT_AUTOMATIC]:
                history.add_act(one.row[_ACT_MOMENT])
        for one in by_table.get(MEMBERSHIP.name, ()):
            event_id, lead, at_ms, account = one.row
            if (history := self._history(lead)) is not None and event_id not in retracted:
                history.add_account((at_ms, event_id, account))

    def forget(self, leads: Iterable[str]) -> None:
        """Every name of these is gone."""
        for lead in leads:
            if (history := self._history(lead)) is not None:
                history.forgotten = True

    def _history(self, lead_id: str) -> LeadHistory | None:
        family = self._families.get(lead_id)
        return family.histories[lead_id] if family is not None else None

    def _take_fact(self, one: Put) -> None:
        lead, topic, fact_id, log_ms, offset, _ = one.row
        family = self._families.get(lead)
        if family is None:
            return
        history = family.histories[lead]
        history.see(log_ms)
        if topic == LEADS_SCORED:
            history.add_score(one.keeps, (log_ms, offset, fact_id))
            return
        self._weight += 1
        history.add_fact(
            Kept(topic=topic, log_ms=log_ms, log_offset=offset, value=one.keeps, fact_id=fact_id)
        )
        family.moved = family.moved or isinstance(one.keeps, LeadStaged)

    def _in_doubt(self, db: Any, by_table: dict[str, list[Put]], there: set[str]) -> Iterator[str]:
        for table, column in _LEAD_OF.items():
            if table in there:
                yield from (one.row[column] for one in by_table[table])
        for one in by_table.get(MERGE.name, ()):
            yield from one.row[:2]
        taken_back = by_table.get(RETRACTION.name, ())
        yield from (one.row[1] for one in taken_back)
        for statement in _OF_EVENTS if taken_back else ():
            yield from (lead for (lead,) in rows_of_some(db, statement, _ids(taken_back)))


_LEAD_OF: Final = {
    table.name: table.names.index("lead_id") for table in (FACT, TOUCH, ACT, MEMBERSHIP)
}
_ACT_MOMENT, _ACT_AUTOMATIC = (ACT.names.index(name) for name in ("occurred_at_ms", "automatic"))
assert TOUCH.names[:2] == ACT.names[:2] == RETRACTION.names[:2] == ("event_id", "lead_id")
assert MERGE.names[:2] == ("loser", "survivor")


def retracted_of(db: Any, puts: Iterable[Put]) -> set[str]:
    """Events of these touches and memberships that were taken back before, and those that are taken
    back with them."""
    found: set[str] = set()
    asked: set[str] = set()
    for one in puts:
        if one.table is RETRACTION:
            found.add(one.row[0])
        elif one.table is TOUCH or one.table is MEMBERSHIP:
            asked.add(one.row[0])
    return found | {event for (event,) in rows_of_some(db, _RETRACTED, asked)}


def _in_rings(db: Any, families: Iterable[tuple[str, ...]]) -> set[str]:
    """Leads that merges lead back to: of these it depends on who asks where they ended."""
    some = [family for family in families if len(family) > 1]
    ends = roots_of(db, [lead for family in some for lead in family])
    return {lead for family in some for lead in family if len({ends[one] for one in family}) > 1}


def _ids(puts: Iterable[Put]) -> set[str]:
    return {one.row[0] for one in puts}


def _rows_by(db: Any, table: Table, column: str, leads: Iterable[str]) -> dict[str, list[Row]]:
    statement = f"SELECT {', '.join(table.names)} FROM {table.name} WHERE {column} IN ({{these}})"
    place = table.names.index(column)
    found: dict[str, list[Row]] = {}
    for row in rows_of_some(db, statement, leads):
        found.setdefault(row[place], []).append(row)
    return found
