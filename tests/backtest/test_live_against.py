"""A live shadow beside another tool: only what both did since it began is compared, in the pools of
the shadow's agreement."""

from __future__ import annotations

from pathlib import Path

import pytest

from baton.backtest.live_against import beside_tool
from baton.backtest.live_shadow import Shadow
from baton.backtest.shadow_decisions import (
    AGREED,
    ONLY_OTHER,
    ONLY_SHADOW,
    OTHER_POOL,
    Handed,
    against_tool,
)
from baton.contracts.shadows import ShadowEvent, ShadowRecord
from tests.backtest.year import agreement_with

BEGAN_MS, ROUND_MS = 1_000_000, 9_000_000


def shadow_with(**pools: tuple[str, int]) -> Shadow:
    """Decisions by key: the pool and the moment."""
    decided = {
        key.replace("_again", "/2"): ShadowRecord(
            record_id=key,
            shadow_id="s",
            event=ShadowEvent.DECIDED.value,
            agreement="v",
            at_ms=at_ms,
            lead=key,
            level="warm",
            leg="sdr",
            pool=pool,
        )
        for key, (pool, at_ms) in pools.items()
    }
    return Shadow(
        id="s", agreement="v", from_ms=BEGAN_MS, until_ms=ROUND_MS, leads=9, decided=decided
    )


@pytest.mark.parametrize(
    ("decided", "handed", "found"),
    [
        ({"a": ("sdr", 2_000_000)}, [Handed(lead_id="a", to="sdr-anna", at_ms=3_000_000)], AGREED),
        ({"a": ("sdr", 2_000_000)}, [Handed(lead_id="a", to="sdr", at_ms=3_000_000)], AGREED),
        ({"a": ("sdr", 2_000_000)}, [Handed(lead_id="a", to="sdr-anna")], AGREED),
        ({"a": ("sales", 2_000_000)}, [Handed(lead_id="a", to="sdr-anna")], OTHER_POOL),
        ({"a": ("sdr", 2_000_000)}, [], ONLY_SHADOW),
        ({}, [Handed(lead_id="a", to="sdr-anna", at_ms=2_000_000)], ONLY_OTHER),
        # older than the shadow, by either; perhaps older; after its last round; its second cycle
        ({"a": ("sdr", 2_000_000)}, [Handed(lead_id="a", to="sdr", at_ms=900_000)], None),
        ({"a": ("sdr", 900_000)}, [Handed(lead_id="a", to="sdr", at_ms=2_000_000)], None),
        ({}, [Handed(lead_id="a", to="sdr-anna")], None),
        ({}, [Handed(lead_id="a", to="sdr-anna", at_ms=9_500_000)], None),
        ({"a_again": ("sdr", 2_000_000)}, [], None),
    ],
)
def test_what_is_compared(
    decided: dict[str, tuple[str, int]], handed: list[Handed], found: str | None, tmp_path: Path
) -> None:
    report = beside_tool(shadow_with(**decided), agreement_with(tmp_path, {}), handed)
    assert report.counted == ({} if found is None else {found: 1})
    assert report.leads == 9


def test_the_first_assignment_counts_and_a_row_without_a_moment_is_not_the_first(
    tmp_path: Path,
) -> None:
    """A tool that passes a lead on exports it twice."""
    rows = [
        Handed(lead_id="a", to="sdr"),
        Handed(lead_id="a", to="ae-hugo", at_ms=5_000_000),
        Handed(lead_id="a", to="sales", at_ms=4_000_000),
    ]
    agreement = agreement_with(tmp_path, {})
    decided = shadow_with(a=("sales", 2_000_000)).decided
    assert against_tool(1, agreement, decided, rows).counted == {AGREED: 1}


def test_somebody_whom_the_agreement_does_not_know_is_named(tmp_path: Path) -> None:
    report = beside_tool(
        shadow_with(a=("sdr", 2_000_000)),
        agreement_with(tmp_path, {}),
        [Handed(lead_id="a", to="zoe", at_ms=2_000_000)],
    )
    assert (report.counted, report.unknown) == ({OTHER_POOL: 1}, {"zoe": 1})
