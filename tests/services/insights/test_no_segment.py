"""What has no segment can be asked for: with those of the segments it makes up all."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from baton.contracts.leads import LeadAmended, LeadQualified
from baton.contracts.public_record import PublicRecord
from baton.contracts.routing import LeadRouted
from baton.contracts.slas import SlaClock
from services.insights.projection.dialect import StorePlace, reader
from services.insights.reports.clocks import clock_groups, speed_to_lead
from services.insights.reports.context import NO_SEGMENT, Context, Role, Viewer, filters_of
from services.insights.reports.now import now
from tests.services.insights.stores import fill

Company = tuple[tuple[PublicRecord, ...], int]
_SEGMENTED = (LeadQualified, LeadAmended, LeadRouted, SlaClock)


def _unsegmented(taken: PublicRecord) -> PublicRecord:
    """Every other lead has none."""
    value = taken.value
    if isinstance(value, _SEGMENTED) and int(value.lead_id[-1], 16) % 2:
        return replace(taken, value=replace(value, segment=None))
    return taken


def test_the_segments_and_what_has_none_make_up_all(place: StorePlace, company: Company) -> None:
    records, until_ms = company
    db = reader(fill(place, [_unsegmented(taken) for taken in records]))

    def figures(segment: str | None) -> tuple[int, int, int]:
        query = {"from": "2026-06-01"} | ({} if segment is None else {"segment": segment})
        context = Context(
            db=db,
            now_ms=until_ms,
            viewer=Viewer(role=Role.MANAGER, person="mgr-ines"),
            filters=filters_of(query, date(2026, 7, 31)),
            agreement=None,
        )
        period = (context.from_ms, context.until_ms)
        clocks = sum(row["number"] for row in clock_groups(context, *period))
        held = sum(now(context)["counts"].values())
        return clocks, speed_to_lead(context, *period).hands, held

    named = [row[0] for row in db.execute("SELECT DISTINCT segment FROM clock")]
    assert None in named
    parts = [figures(segment or NO_SEGMENT) for segment in named]
    assert tuple(sum(part) for part in zip(*parts, strict=True)) == figures(None)
    assert all(figures(NO_SEGMENT))
