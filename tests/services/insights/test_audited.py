"""The demonstration's company: what the pages show adds up to what the audit counts from the log
itself, to the lead and to the cent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from baton.flow import all_reducers
from baton.local.demo.past import simulate_past
from baton.local.up.preparing import example_agreement
from baton.proof.audit.audit import Audit
from baton.proof.audit.findings import Report
from baton.proof.audit.source import MemorySource
from services.insights.figures.attribution import Model
from services.insights.projection.board_stores import BoardFiles
from services.insights.projection.dialect import copy_of, reader, writer
from services.insights.projection.reference_state import book_in
from services.insights.reports.clocks import sla
from services.insights.reports.context import Context, Role, Viewer, filters_of
from services.insights.reports.fairness import fairness
from services.insights.reports.funnel import funnel
from services.insights.reports.recycling import recycling
from services.insights.reports.sources import sources
from services.insights.seeding import seed

UNTIL_MS = int(datetime(2026, 11, 30, 8, 40, tzinfo=UTC).timestamp() * 1000)
YEAR = {"from": "2025-11-28", "until": "2027-01-31"}
"""All of it, clocks that fall due after its end too."""


Compared = tuple[Any, Any]
"""What the page shows, and what the audit counts."""


@dataclass(frozen=True, slots=True)
class Company:
    audited: Report
    context: Context
    place: Path

    def sums(self, prefix: str) -> Counter[str]:
        """Those of the audit whose names begin so, by the rest of the name."""
        return Counter(
            {
                name.removeprefix(prefix): value
                for name, value in self.audited.sums.items()
                if name.startswith(prefix)
            }
        )


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Company:
    agreement = example_agreement().with_name("demo.yaml").read_text()
    past = simulate_past(agreement, until_ms=UNTIL_MS, leads=60, seed=1)
    audit = Audit(
        MemorySource(past.log), all_reducers(), recompute=False, buckets=1, until_ms=UNTIL_MS
    )
    files = BoardFiles(Path(tmp_path_factory.mktemp("demo")))
    seed(files, "baton", past.history, past.noted, until_ms=UNTIL_MS)
    place = files.current()
    assert place is not None
    db = reader(place)
    found = book_in(db).at(UNTIL_MS)
    assert found is not None
    context = Context(
        db=db,
        now_ms=UNTIL_MS,
        viewer=Viewer(role=Role.MANAGER, person="mgr-ines"),
        filters=filters_of(YEAR, date(2026, 11, 30)),
        agreement=found.agreement,
        per_person=True,
    )
    return Company(audit.run(), context, place)


def test_the_audit_finds_nothing_and_has_something_to_add_up(company: Company) -> None:
    assert company.audited.sound, company.audited.findings[:3]
    assert company.audited.sums["qualified"] > 20
    assert company.audited.sums["won"] > 3


def qualifications(company: Company) -> Compared:
    """The page Funnel: accepted, rejected, expired, waiting; withdrawn ones stand beside."""
    found, _ = funnel(company.context)["acceptance"]
    counted = company.context.counted(
        "SELECT sum(number) number FROM qualified_by_span WHERE {spans} AND became = 'withdrawn'",
        company.context.from_ms,
        company.context.until_ms,
    )
    withdrawn = counted[0]["number"] or 0
    shown = found.accepted + found.rejected + found.expired + found.waiting + withdrawn
    return shown, company.audited.sums["qualified"]


def deals_won(company: Company) -> Compared:
    """The page Funnel."""
    return funnel(company.context)["win_rate"].won, company.audited.sums["won"]


def hand_offs(company: Company) -> Compared:
    """The page Fairness, by pool."""
    pools = fairness(company.context)["pools"]
    return {row["pool"]: row["handed"] for row in pools}, company.sums("handed over, ")


def hand_offs_of_people(company: Company) -> Compared:
    """The page Fairness, by person, added up."""
    shown: Counter[str] = Counter()
    for row in fairness(company.context)["people"]:
        shown[row["pool"]] += row["handed"]
    return shown, company.sums("handed over, ")


def ends(company: Company) -> Compared:
    """The page Recycling, by reason."""
    shown: Counter[str] = Counter()
    for row in recycling(company.context)["reasons"]:
        shown[row["reason"]] += row["ended"]
    return shown, company.sums("ended, ")


def clocks(company: Company) -> Compared:
    """The page SLA, by kind of clock."""
    shown: Counter[str] = Counter()
    for (_, clock), found in sla(company.context)["by_clock"].items():
        shown[clock] += sum(found.counts.values())
    audited: Counter[str] = Counter()
    for name, number in company.sums("clock ").items():
        audited[name.split(", ")[0]] += number
    return shown, audited


def money(company: Company) -> Compared:
    """The page Sources: what was won, and what the campaigns are credited with."""
    report = sources(company.context)
    credited = {report["currency"]: sum(row["amount"] for row in report["rows"])}
    won = {row["currency"]: row["amount"] for row in report["won"]}
    audited = company.sums("won, ")
    return (won, credited | report["others"]), (audited, audited)


COMPARED: dict[Callable[[Company], Compared], str] = {
    qualifications: "UPDATE qualified_by_span SET number = number + 1",
    deals_won: "DELETE FROM deal WHERE deal = (SELECT min(deal) FROM deal WHERE state = 'won')",
    hand_offs: "DELETE FROM handoffs_by_span WHERE pool = (SELECT min(pool) FROM handoffs_by_span)",
    hand_offs_of_people: "UPDATE handoffs_by_span SET handed = handed + 1 WHERE owner > 'b'",
    ends: "UPDATE recycled_by_span SET ended = ended + 1",
    clocks: "UPDATE clocks_by_span SET number = number * 2 WHERE state = 'met'",
    money: "UPDATE credits_by_span SET amount_minor = amount_minor + 1 WHERE model = 'w'",
}
"""A figure of a page with the audit's, and a fault of the board that makes them differ."""


@pytest.mark.parametrize("compare", COMPARED)
def test_the_page_shows_what_the_audit_counts(
    company: Company, compare: Callable[[Company], Compared]
) -> None:
    shown, audited = compare(company)
    assert shown == audited
    assert shown


@pytest.mark.parametrize(("compare", "fault"), COMPARED.items())
def test_a_planted_fault_of_the_board_is_found(
    company: Company, tmp_path: Path, compare: Callable[[Company], Compared], fault: str
) -> None:
    copied = tmp_path / "board.sqlite"
    copy_of(company.place, copied)
    writing = writer(copied)
    writing.execute(fault)
    writing.close()
    faulty = replace(company, context=replace(company.context, db=reader(copied)))
    shown, audited = compare(faulty)
    assert shown != audited


@pytest.mark.parametrize("model", Model)
def test_what_was_won_is_on_the_page_sources_to_the_cent(company: Company, model: Model) -> None:
    context = replace(company.context, filters=replace(company.context.filters, model=model))
    report: dict[str, Any] = sources(context)
    assert {row["currency"]: row["amount"] for row in report["won"]} == company.sums("won, ")
    assert {report["currency"]: report["total"]} | report["others"] == company.sums("won, ")
    assert sum(row["amount"] for row in report["rows"]) == report["total"]
