"""Makes the derived rows of the leads that a transaction touched, and of the journeys they belong
to. Reads and writes one connection."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from baton.derived_ids import derived_id
from services.insights.derived.cycles import cycle_rows
from services.insights.derived.deal_standing import deal_rows, deals_of, standing_wins
from services.insights.derived.journeys import Journey, Won, journey_rows
from services.insights.derived.lead_rows import Surroundings, lead_row
from services.insights.derived.work import HELD, LEAD_COLUMNS, work_rows
from services.insights.facts.change import Put, put
from services.insights.facts.derived_tables import (
    CONVERSION,
    CREDIT,
    CYCLE,
    DEAL,
    JOURNEY,
    LEAD,
    OPEN_CLOCK,
    WORK,
)
from services.insights.figures.attribution import NO_TOUCH, Touch
from services.insights.projection.remembered_leads import Family, RememberedLeads
from services.insights.projection.rows_of_many import (
    Row,
    replace_rows,
    rows_of_some,
    write_difference,
)
from services.insights.rollups.spans import spans_of

Credited = Callable[[Iterable[Row], Iterable[Row]], None]
"""Is handed the rows of credits that went, and those that came."""


def _unnoted(_: Iterable[Row], __: Iterable[Row]) -> None:
    """For who counts everything anew anyway."""


# CROSS JOIN keeps the journey's few leads first: by event or by time alone the tables are long.
_TOUCHES = """SELECT t.event_id, COALESCE(l.survivor, l.lead_id), t.occurred_at_ms, t.received_at_ms, t.campaign, t.source
    FROM lead l CROSS JOIN touch t ON t.lead_id = l.lead_id WHERE l.journey = ?1 AND t.occurred_at_ms <= ?2 AND t.automatic = 0
    AND NOT (t.backfill = 1 AND t.occurred_at_ms = t.received_at_ms)
    AND NOT EXISTS (SELECT 1 FROM retraction r WHERE r.event_id = t.event_id)"""
_WON = """SELECT l.journey, d.ended_by, d.lead_id, d.ended_at_ms, d.opportunity_id, d.amount_minor, d.currency
    FROM lead l CROSS JOIN deal d ON d.root = l.lead_id WHERE l.journey IN ({these}) AND d.state = 'won'"""
_OPENED = """SELECT m.lead_id, m.opportunity_id, m.occurred_at_ms FROM lead l CROSS JOIN stage_move m ON m.lead_id = l.lead_id
    WHERE l.journey = ?1 AND m.occurred_at_ms <= ?2 AND ((+m.to_stage = 'opportunity' AND m.from_stage <> 'opportunity' AND m.event <> 'reopened')
    OR (';' || m.inferred || ';') LIKE '%;opportunity;%')"""
_KNOWN = """SELECT min(COALESCE(t.occurred_at_ms, q.qualified_at_ms)) FROM lead l CROSS JOIN qualification q ON q.lead_id = l.lead_id
    LEFT JOIN touch t ON t.event_id = q.cause_id WHERE l.journey = ?1"""


_DIGESTS = "SELECT journey, digest FROM journey WHERE journey IN ({these})"


def derive(
    db: Any,
    touched: Iterable[str],
    *,
    zone: str,
    known: RememberedLeads,
    credited: Credited = _unnoted,
) -> set[str]:
    """Make anew what the touched leads change, with every lead that ended in the same one: touches
    and accounts follow. ``credited``: is handed the credits that changed. Returns the leads whose
    work may have changed."""
    known.load(db, touched)
    families = known.families(touched)
    journeys: set[str] = set()
    gone: dict[str, list[Row]] = {}
    new: dict[str, list[Row]] = {}
    for family in families:
        journeys |= {row[_JOURNEY] for row in family.written[LEAD.name]}
        for name, rows in derived_rows(family).items():
            before = family.written[name]
            if rows != before:
                gone.setdefault(name, []).extend(before - rows)
                new.setdefault(name, []).extend(rows - before)
                family.written[name] = rows
        journeys |= {row[_JOURNEY] for row in family.written[LEAD.name]}
    for table in (LEAD, CYCLE, DEAL):
        write_difference(db, table, gone.get(table.name, ()), new.get(table.name, ()))
    _credit(db, journeys, zone, credited)
    return _worked(gone.get(LEAD.name, ()), new.get(LEAD.name, ()))


def _worked(gone: Iterable[Row], new: Iterable[Row]) -> set[str]:
    """Leads whose row changed in what their work is made from."""
    former = {row[_LEAD]: _WORKED(row) for row in gone}
    return {row[_LEAD] for row in new if former.get(row[_LEAD]) != _WORKED(row)}


_LEAD, _JOURNEY = LEAD.names.index("lead_id"), LEAD.names.index("journey")
_WORKED = itemgetter(*[LEAD.names.index(name) for name in LEAD_COLUMNS])


def derived_rows(family: Family) -> dict[str, set[Row]]:
    """The rows of the family that may differ from those that are written, by table."""
    account = _account(family)
    leads = family.histories
    found = {
        LEAD.name: {
            lead_row(
                lead_id, history.flow, history.rating, _surroundings(family, lead_id, account)
            ).row
            for lead_id, history in leads.items()
        }
    }
    if not family.moved:
        return found
    family.moved = False
    facts = {lead_id: history.kept for lead_id, history in leads.items()}
    standing = deals_of([kept for some in facts.values() for kept in some])
    wins = standing_wins(standing)
    found[CYCLE.name] = {
        one.row for lead_id, some in facts.items() for one in cycle_rows(lead_id, some, wins)
    }
    found[DEAL.name] = {one.row for one in deal_rows(family.root, standing)}
    return found


def put_work(db: Any, leads: Iterable[str]) -> None:
    """Make the rows of the leads' work anew, and those of their open clocks, from their rows and
    their clocks."""
    asked = set(leads)
    rows = list(work_rows(rows_of_some(db, HELD, asked)))
    for table in (WORK, OPEN_CLOCK):
        replace_rows(db, table, "lead_id", asked, [row for row in rows if row.table is table])


def credit_all(db: Any, *, zone: str) -> None:
    """Make the credits of every journey anew."""
    for (name,) in list(db.execute("SELECT DISTINCT journey FROM conversion")):
        _credit(db, [name], zone, _unnoted)


def _account(family: Family) -> str | None:
    """The account that a profile of any of them named last."""
    found: tuple[int, str, str | None] | None = None
    for history in family.histories.values():
        if history.account is not None and (found is None or history.account[:2] > found[:2]):
            found = history.account
    return found[2] if found is not None else None


def _surroundings(family: Family, lead_id: str, account: str | None) -> Surroundings:
    """The history of the root is that of every lead that ended in it."""
    own = family.histories[lead_id]
    seen, last_act_ms = own.seen, own.last_act_ms
    if lead_id == family.root and len(family.histories) > 1:
        parts = family.histories.values()
        seen = [at_ms for history in parts for at_ms in history.seen]
        acts = [history.last_act_ms for history in parts if history.last_act_ms is not None]
        last_act_ms = max(acts, default=None)
    return Surroundings(
        account_id=account,
        root=family.root,
        journey=account or family.root,
        seen=(min(seen), max(seen)) if seen else (0, 0),
        last_act_ms=last_act_ms,
        erased=own.forgotten,
    )


def _credit(db: Any, names: Iterable[str], zone: str, credited: Credited) -> None:
    """Make the credits of journeys anew where they differ, of all of them at once: a deal may have
    moved from one journey to another, and its rows are keyed by the deal."""
    won: dict[str, list[Row]] = {name: [] for name in names}
    for name, *deal in rows_of_some(db, _WON, won):
        won[name].append(tuple(deal))
    digests: dict[str, str] = dict(rows_of_some(db, _DIGESTS, won))
    changed: list[str] = []
    rows: list[Put] = []
    for name in sorted(won):
        basis = _basis(db, name, sorted(won[name])) if won[name] else None
        digest = derived_id("journey", zone, repr(basis)) if basis else ""
        if digest != digests.get(name, ""):
            changed.append(name)
            if basis:
                rows.append(put(JOURNEY, journey=name, digest=digest))
                rows += journey_rows(_journey(name, basis, zone))
    for table in (CONVERSION, CREDIT, JOURNEY):
        gone, new = replace_rows(
            db, table, "journey", changed, [row for row in rows if row.table is table]
        )
        if table is CREDIT:
            credited(gone, new)


@dataclass(frozen=True, slots=True)
class _Basis:
    """Rows that count for a journey's deals, in a fixed order; what came after the last of them
    does not."""

    won: list[Row]
    touches: list[Row]
    opened: list[Row]
    known_at_ms: int | None


def _basis(db: Any, name: str, won: list[Row]) -> _Basis:
    last_won_ms = max(at_ms for _, _, at_ms, *_ in won)
    return _Basis(
        won=won,
        touches=sorted(db.execute(_TOUCHES, (name, last_won_ms))),
        opened=sorted(db.execute(_OPENED, (name, last_won_ms)), key=repr),
        known_at_ms=db.execute(_KNOWN, (name,)).fetchall()[0][0],
    )


def _journey(name: str, basis: _Basis, zone: str) -> Journey:
    return Journey(
        name=name,
        touches=[
            Touch(
                event_id=event,
                lead_id=lead,
                occurred_at_ms=at,
                received_at_ms=received,
                campaign=campaign or NO_TOUCH,
                day=spans_of(at, zone)[0],
            )
            for event, lead, at, received, campaign, _ in basis.touches
        ],
        sources={event: source for event, *_, source in basis.touches},
        won=[
            Won(
                fact_id=fact,
                lead_id=lead,
                occurred_at_ms=at,
                opportunity_id=deal,
                amount_minor=amount,
                currency=currency,
            )
            for fact, lead, at, deal, amount, currency in basis.won
        ],
        opened=[(lead, opportunity, at) for lead, opportunity, at in basis.opened],
        known_at_ms=basis.known_at_ms,
    )
