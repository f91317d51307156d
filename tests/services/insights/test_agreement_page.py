"""The page Agreement: who signed which version, from when it holds, and how versions differ, in
words; the moments of another year have their year."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from baton.agreement.canonical import canonical_text, version_of
from baton.agreement.source.read import read_agreement
from baton.contracts.public_record import PublicRecord
from baton.contracts.reference_records import AgreementRecord
from services.insights.board.charts import curve
from services.insights.board.words import moment
from services.insights.projection.dialect import StorePlace
from services.insights.reports.lead import Point
from tests.services.insights.boards import board_with
from tests.services.insights.stores import fill

ROOT = Path(__file__).resolve().parents[3]
DAY_MS = 86_400_000
FIRST_MS = int(datetime(2025, 11, 30, 8, 39, tzinfo=UTC).timestamp() * 1000)
NOW_MS = FIRST_MS + 365 * DAY_MS
ZONE = ZoneInfo("UTC")


def published(source: str, at_ms: int, folder: Path) -> list[PublicRecord]:
    """A version that both sides signed and that is in force from then on."""
    path = folder / f"{at_ms}.yaml"
    path.write_text(source)
    text = canonical_text(read_agreement(path))
    version = version_of(text)
    signed = [
        AgreementRecord(
            record_id=f"{version}-{side}",
            kind="approved",
            version=version,
            side=side,
            by=f"{side}-lead",
        )
        for side in ("marketing", "sales")
    ]
    out = AgreementRecord(
        record_id=version,
        kind="published",
        version=version,
        effective_at_ms=at_ms + 60_000,
        text=text,
        source=source,
    )
    return [
        PublicRecord(
            topic="baton.agreements.v1",
            partition=0,
            offset=at_ms // 1_000 + number,
            id=record.record_id,
            key=record.record_id,
            value=record,
            at_ms=at_ms + number,
        )
        for number, record in enumerate((*signed, out))
    ]


def test_two_versions_are_compared_in_words_and_say_who_signed_and_when(
    place: StorePlace, tmp_path: Path
) -> None:
    source = (ROOT / "examples" / "agreements" / "demo.yaml").read_text()
    later = source.replace("name: Tern Software, demonstration", "name: Tern Software, spring")
    assert later != source
    changed = later.replace("weight: 2", "weight: 3", 1)
    records = published(source, FIRST_MS, tmp_path)
    records += published(changed, NOW_MS - 20 * DAY_MS, tmp_path)
    board = board_with(fill(place, records), tmp_path / "board", NOW_MS)
    page = board.visitor().get("/agreement").text
    assert page.count("in force</span>") == 1
    said = re.sub(r"<[^>]+>", "", page)
    assert said.count("signed for marketing by marketing-lead") == 2
    assert "Sun 30 Nov 2025, 08:39" in said
    assert "Tue 10 Nov, 08:40" in said
    (listed,) = page.split('<ul class="list">')[1:]
    words = listed.split("</ul>")[0]
    assert "spring" in words
    assert "weight" in words


@pytest.mark.parametrize(
    ("at_ms", "text"),
    [
        (NOW_MS, "Mon 30 Nov, 08:39"),
        (FIRST_MS, "Sun 30 Nov 2025, 08:39"),
        (None, "—"),
    ],
)
def test_a_moment_of_another_year_has_its_year(at_ms: int | None, text: str) -> None:
    assert moment(at_ms, ZONE, NOW_MS) == text


@pytest.mark.parametrize(
    ("days", "first", "last"),
    [
        (0.5, "29 Nov 20:39", "30 Nov 08:39"),
        (40, "21 Oct", "30 Nov"),
        (365, "30 Nov 2025", "30 Nov 2026"),
    ],
)
def test_no_two_marks_below_a_curve_have_the_same_name(days: float, first: str, last: str) -> None:
    begin = Point(at_ms=NOW_MS - int(days * DAY_MS), fit=1, engagement=1, grade="A1", level="hot")
    drawn = curve([begin], NOW_MS, ZONE)
    assert drawn is not None
    names = [name for _, name in drawn.ticks_x]
    assert (names[0], names[-1], len(set(names))) == (first, last, len(names))
