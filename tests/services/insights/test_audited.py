"""The demonstration's company: what the pages show adds up to what the audit counts from the log
itself, to the lead and to the cent."""

from __future__ import annotations

from collections import Counter
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
from services.insights.projection.dialect import reader
from services.insights.projection.files import BoardFiles
from services.insights.projection.reference import book_in
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


@dataclass(frozen=True, slots=True)
class Company:
    audited: Report
    context: Context

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
    return Company(audit.run(), context)


def test_the_audit_finds_nothing_and_has_something_to_add_up(company: Company) -> None:
    assert company.audited.sound, company.audited.findings[:3]
    assert company.audited.sums["qualified"] > 20
    assert company.audited.sums["won"] > 3


def test_every_qualification_is_on_the_page_funnel(company: Company) -> None:
    report = funnel(company.context)
    found, _ = report["acceptance"]
    counted = company.context.counted(
        "SELECT sum(number) number FROM qualified_by_span WHERE {spans} AND became = 'withdrawn'",
        company.context.from_ms,
        company.context.until_ms,
    )
    withdrawn = counted[0]["number"] or 0
    shown = found.accepted + found.rejected + found.expired + found.waiting + withdrawn
    assert shown == company.audited.sums["qualified"]
    assert report["win_rate"].won == company.audited.sums["won"]


def test_every_hand_off_is_on_the_page_fairness(company: Company) -> None:
    report = fairness(company.context)
    assert {row["pool"]: row["handed"] for row in report["pools"]} == company.sums("handed over, ")
    by_person: Counter[str] = Counter()
    for row in report["people"]:
        by_person[row["pool"]] += row["handed"]
    assert by_person == company.sums("handed over, ")


def test_every_end_of_a_cycle_is_on_the_page_recycling(company: Company) -> None:
    shown: Counter[str] = Counter()
    for row in recycling(company.context)["reasons"]:
        shown[row["reason"]] += row["ended"]
    assert shown == company.sums("ended, ")


def test_every_clock_is_on_the_page_sla(company: Company) -> None:
    shown: Counter[str] = Counter()
    for (_, clock), found in sla(company.context)["by_clock"].items():
        shown[clock] += sum(found.counts.values())
    audited: Counter[str] = Counter()
    for name, number in company.sums("clock ").items():
        audited[name.split(", ")[0]] += number
    assert shown == audited


@pytest.mark.parametrize("model", Model)
def test_what_was_won_is_on_the_page_sources_to_the_cent(company: Company, model: Model) -> None:
    context = replace(company.context, filters=replace(company.context.filters, model=model))
    report: dict[str, Any] = sources(context)
    assert {row["currency"]: row["amount"] for row in report["won"]} == company.sums("won, ")
    assert {report["currency"]: report["total"]} | report["others"] == company.sums("won, ")
    assert sum(row["amount"] for row in report["rows"]) == report["total"]
