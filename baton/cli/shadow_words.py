"""What a shadow found, for the terminal and for the board."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from baton.backtest.full_load_tables import Table
from baton.backtest.shadow_decisions import Decision, ShadowReport
from baton.cli.moments import written

IN_FORCE: Final = "in force"
OTHER_TOOL: Final = "the other tool"


def shadow_lines(
    found: ShadowReport, version: str, *, strangers: int = 0, limit: int = 40
) -> Iterator[str]:
    """The report for people: what is counted, then the latest differences."""
    yield f"shadow {version}: {found.leads:,} leads"
    for what, number in found.counted.items():
        yield f"  {what}: {number:,}"
    if strangers:
        yield f"! {strangers:,} assignments are of nobody that came in as an event"
    for name, number in found.unknown.items():
        yield f'! "{name}" got {number:,} leads and is neither a person nor a pool of the agreement'
    shown = found.differences[-limit:] if limit else ()
    if shown:
        yield ""
    for one in shown:
        yield f"{written(one.at_ms)}  {_lead(one)}  {one.what}: {_words(one)}"
    if len(shown) < len(found.differences):
        yield f"{len(found.differences) - len(shown):,} more; --limit or --json shows them"


def _words(one: Decision) -> str:
    own = "nobody" if one.pool is None else f"{one.pool}, {one.level}"
    when = f" at {written(one.other_at_ms)}" if one.other_at_ms not in (None, one.at_ms) else ""
    return f"shadow {own}; beside it {_other(one)}{when}"


def _lead(one: Decision) -> str:
    return one.lead_id if one.cycle == 1 else f"{one.lead_id}, again"


def shadow_tables(found: ShadowReport, *, limit: int = 40, other: str = IN_FORCE) -> list[Table]:
    """The same for the board: what is counted, and the latest differences, the last first."""
    latest = list(reversed(found.differences[-limit:] if limit else ()))
    return [
        Table(
            title="Decisions",
            headings=("of leads that either hands over", "number"),
            rows=[(what, f"{number:,}") for what, number in found.counted.items()],
        ),
        Table(
            title="The latest differences",
            headings=("moment", "lead", "what", "shadow", other),
            rows=[
                (
                    written(one.at_ms),
                    _lead(one),
                    one.what,
                    "nobody" if one.pool is None else f"{one.pool}, {one.level}",
                    _other(one),
                )
                for one in latest
            ],
            note="" if len(latest) == len(found.differences) else f"of {len(found.differences):,}",
        ),
    ]


def _other(one: Decision) -> str:
    level = f", {one.other_level}" if one.other_level else ""
    return "nobody" if one.other is None else f"{one.other}{level}"
