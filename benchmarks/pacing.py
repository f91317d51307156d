"""A steady rate, and what delays come to."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator, Sequence
from typing import Any


def paced(rate: float, count: int, offset_s: float = 0.0) -> Iterator[int]:
    """Numbers, each handed over when it is due and not before; who falls behind gets the next ones
    at once."""
    began = time.perf_counter() + offset_s
    for number in range(count):
        if (wait_s := began + number / rate - time.perf_counter()) > 0:
            time.sleep(wait_s)
        yield number


def percentiles(delays_s: Sequence[float]) -> dict[str, Any]:
    """p50, p99 and the longest, in ms; None where there are too few to say."""
    if len(delays_s) < 2:
        return {"p50_ms": None, "p99_ms": None, "longest_ms": None}
    cuts = statistics.quantiles(delays_s, n=100, method="inclusive")
    return {
        "p50_ms": round(cuts[49] * 1e3),
        "p99_ms": round(cuts[98] * 1e3),
        "longest_ms": round(max(delays_s) * 1e3),
    }
