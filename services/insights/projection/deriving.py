"""Makes the derived rows of the leads that a transaction touched, and of the journeys they belong
to. Reads and writes one connection."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from baton.derived_ids import derived_id
from services.insights.derived.cycles import cycle_rows
from services.insights.derived.deal_standing import deal_rows, deals_of, standing_wins
from services.insights.derived.journeys import Journey, Won, journey_rows
from services.insights.derived.lead_rows import Surroundings, lead_row
from services.insights.derived.work import HELD, work_rows
from services.insights.facts.change import Put, put
from services.insights.facts.derived_tables import (
    CONVERSION,
    CREDIT,
    DEAL,
    JOURNEY,
    OPEN_CLOCK,
    WORK,
)
from services.insights.figures.attribution import NO_TOUCH, Touch
from services.insights.projection.kept_history import FactReader, LeadHistory, histories
from services.insights.projection.merged_families import families_of
from services.insights.projection.rows_of_many import Row, put_rows, replace_rows, rows_of_some
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


_JOURNEYS = "SELECT DISTINCT journey FROM lead WHERE lead_id IN ({these})"
_DIGESTS = "SELECT journey, digest FROM journey WHERE journey IN ({these})"


def derive(
    db: Any,
    touched: Iterable[str],
    *,
    zone: str,
    reader: FactReader,
    credited: Credited = _unnoted,
) -> None:
    """Make anew what the touched leads change, with every lead that ended in the same one: touches
    and accounts follow. ``credited``: is handed the credits that changed."""
    families = {tuple(family): root for root, family in families_of(db, touched).items()}
    leads = {lead_id for family in families for lead_id in family}
    known = histories(db, leads, reader)
    journeys = {name for (name,) in rows_of_some(db, _JOURNEYS, leads)}
    rows: list[Put] = []
    deals: list[Put] = []
    for family, root in families.items():
        account = _account(known, family)
        journeys.add(account or root)
        for lead_id in family:
            around = _surroundings(
                known, lead_id, family if lead_id == root else (lead_id,), root, account
            )
            rows.append(lead_row(lead_id, known[lead_id].facts, around))
        standing = deals_of([kept for lead_id in family for kept in known[lead_id].facts])
        wins = standing_wins(standing)
        for lead_id in family:
            rows += cycle_rows(lead_id, known[lead_id].facts, wins)
        deals += deal_rows(root, standing)
    put_rows(db, rows)
    replace_rows(db, DEAL, "root", leads, deals)
    put_work(db, leads)
    _credit(db, journeys, zone, credited)


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


def _account(known: Mapping[str, LeadHistory], family: Iterable[str]) -> str | None:
    """The account that a profile of any of them named last."""
    named = [found for lead_id in family if (found := known[lead_id].account) is not None]
    return max(named)[2] if named else None


def _surroundings(
    known: Mapping[str, LeadHistory],
    lead_id: str,
    parts: Iterable[str],
    root: str,
    account: str | None,
) -> Surroundings:
    """``parts``: the leads whose history is the lead's."""
    histories = [known[part] for part in parts]
    seen = [at_ms for history in histories for at_ms in history.seen]
    acts = [history.last_act_ms for history in histories if history.last_act_ms is not None]
    return Surroundings(
        account_id=account,
        root=root,
        journey=account or root,
        seen=(min(seen, default=0), max(seen, default=0)),
        last_act_ms=max(acts, default=None),
        erased=known[lead_id].forgotten,
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
