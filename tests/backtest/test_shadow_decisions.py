"""An agreement that decides silently: planted differences are found lead by lead, beside the one in
force and beside another tool."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from baton.agreement.compiled.agreement import CompiledAgreement
from baton.backtest.backtest_run import Replayed, replay_both
from baton.backtest.handed_elsewhere import AssignmentsUnreadable, read_handed
from baton.backtest.question import Question
from baton.backtest.replayed_facts import facts_of_lines
from baton.backtest.shadow_decisions import (
    AGREED,
    EARLIER,
    ONLY_OTHER,
    ONLY_SHADOW,
    OTHER_POOL,
    Handed,
    against_tool,
    beside_in_force,
)
from baton.cli.shadow_words import shadow_lines
from tests.backtest.year import Year, agreement_with

ENTER_20 = "3: {enter: 20, exit: 12}"
YEAR = Year(number=40)
TEN = len(YEAR.truths) // 4


class World:
    def __init__(self, tmp: Path) -> None:
        self.tmp, self.old = tmp, agreement_with(tmp, {})

    def replayed(self, changes: Mapping[str, str]) -> tuple[Replayed, CompiledAgreement]:
        new = agreement_with(self.tmp, changes)
        question = Question(old=self.old, new=new, since_ms=None, until_ms=YEAR.until_ms)
        facts = facts_of_lines(YEAR.arrivals, self.old)
        return replay_both(question, lambda: facts, self.tmp / "work", workers=1), new


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("shadow"))


@pytest.mark.parametrize(
    ("enter", "counted"),
    [
        (20, {AGREED: 3 * TEN}),
        (22, {AGREED: 2 * TEN, ONLY_OTHER: TEN}),
        (12, {AGREED: 2 * TEN, ONLY_SHADOW: TEN, EARLIER: TEN}),
    ],
)
def test_a_moved_threshold_differs_in_the_leads_whose_points_lie_between(
    world: World, enter: int, counted: Mapping[str, int]
) -> None:
    changes = {ENTER_20: f"3: {{enter: {enter}, exit: 8}}"} if enter != 20 else {}
    replayed, new = world.replayed(changes)
    found = beside_in_force(len(replayed.accounts), replayed.old, replayed.new)
    assert (found.leads, found.counted) == (len(YEAR.truths), dict(sorted(counted.items())))
    times = [one.at_ms for one in found.differences]
    assert times == sorted(times)
    lines = list(shadow_lines(found, new.version, limit=3))
    assert lines[0] == f"shadow {new.version}: {len(YEAR.truths)} leads"
    assert ("more; --limit or --json shows them" in lines[-1]) == (len(times) > 3)


def test_another_tool_is_compared_by_pool_and_whom_nobody_knows_is_said(world: World) -> None:
    replayed, new = world.replayed({})
    sales = [name for name, one in replayed.new.items() if one.pool == "sales"]
    sdr = [name for name, one in replayed.new.items() if one.pool == "sdr"]
    nobody = [name for name in replayed.accounts if name not in replayed.new]
    handed = [
        Handed(lead_id=sales[0], to="ae-greta"),
        Handed(lead_id=sales[1], to="sales"),
        Handed(lead_id=sdr[0], to="ae-greta", at_ms=5),
        Handed(lead_id=sdr[1], to="someone else"),
        Handed(lead_id=nobody[0], to="ae-greta", at_ms=9),
        Handed(lead_id=sdr[0], to="sdr", at_ms=8),
    ]
    found = against_tool(len(replayed.accounts), new, replayed.new, handed)
    ready = len(sales) + len(sdr)
    assert found.counted == {
        ONLY_SHADOW: ready - 4,
        ONLY_OTHER: 1,
        OTHER_POOL: 2,
        AGREED: 2,
    }
    assert found.unknown == {"someone else": 1}
    assert any(
        '"someone else"' in line for line in shadow_lines(found, new.version, strangers=0, limit=0)
    )


def test_a_file_of_assignments_is_read_by_lead_or_address_and_refused_with_its_line(
    tmp_path: Path,
) -> None:
    file = tmp_path / "handed.csv"
    file.write_text(
        "\ufeffEmail,to\n".replace("Email", "email")
        + "Ann@Acme.example ,ae-greta\nwho@x.example,ae-hugo\n",
        encoding="utf-8",
    )
    known = {"ann@acme.example": "lead-1"}
    found, strangers = read_handed(file, known.get)
    assert (found, strangers) == ([Handed(lead_id="lead-1", to="ae-greta")], 1)
    for text, said in (
        ("email\na@x.example\n", "needs the columns to, and lead or email; there are email"),
        ("", "there are none"),
        ("lead,to\nl1,\n", ":2: to is empty"),
        ("lead,to,at\nl1,ae-greta,soon\n", ":2: at is no ISO time"),
    ):
        file.write_text(text, encoding="utf-8")
        with pytest.raises(AssignmentsUnreadable, match=said):
            read_handed(file, known.get)


def test_a_file_of_a_spreadsheet_is_read_by_its_own_separator_and_capitals(tmp_path: Path) -> None:
    path = tmp_path / "handed.csv"
    path.write_bytes("\ufeffEmail; To ;At\r\nann@acme.example;ae-greta;2026-11-30\r\n".encode())
    handed, strangers = read_handed(path, {"ann@acme.example": "l1"}.get)
    assert (handed, strangers) == ([Handed(lead_id="l1", to="ae-greta", at_ms=1795996800000)], 0)
    path.write_bytes("email,to\nann@acme.example,Müller\n".encode("utf-16"))
    with pytest.raises(AssignmentsUnreadable, match="is not UTF-8"):
        read_handed(path, {}.get)
