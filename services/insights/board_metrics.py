"""Metrics of the board: how fresh it is, how long its pages take, whether it follows the topics. No
label names a person or a lead."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Final

from prometheus_client import Counter, Gauge, Histogram

from baton.contracts.public_record import PublicRecord

FRESHNESS: Final = Histogram(
    "baton_board_freshness_seconds",
    "From a record's append time to its being visible on the pages, while the board is live",
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 120),
)
RECORDS: Final = Counter("baton_board_records", "Records that the board has taken")
FOLLOWS: Final = Gauge(
    "baton_board_follows", "1: the board has everything and follows, or another board writes for it"
)
PAGE_SECONDS: Final = Histogram(
    "baton_board_page_seconds",
    "How long a page takes, from the request to its HTML",
    ["page"],
    buckets=(0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 10),
)


def note_records(batch: Iterable[PublicRecord], *, live: bool) -> None:
    """Count what was committed; its age counts only where the board had caught up before."""
    now = time.time()
    for taken in batch:
        RECORDS.inc()
        if live:
            FRESHNESS.observe(max(0.0, now - taken.at_ms / 1000))
