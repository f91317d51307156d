"""Rows of the whole chain: what an event costs, as ratios to the bare loop and to Kafka Streams of
the same run, and what it writes. Pure."""

from __future__ import annotations

from typing import Any

from benchmarks.row import Results, Row, quotient, row_of

CHAIN_TO_LOOP, BROKER_TO_LOOP, COMPANY_TO_CHAIN = 20.0, 10.0, 2.0
AUDIT_S = 480.0


def chain_rows(results: Results, part: str, label: str, does: str) -> list[Row]:
    """What one mix cost."""

    def cost(found: Any) -> tuple[float, str]:
        shares = ", ".join(f"{name} {us}" for name, us in found["by_process_us"].items())
        return found["cpu_us"], f"{found['cpu_us']:,} us CPU an event ({shares})"

    def pace(found: Any) -> tuple[float, str]:
        return (
            found["per_second"],
            (
                f"{found['per_second']:,} events/s until nothing is left to do; the gateway took "
                f"{found['taken_per_second']:,}/s"
            ),
        )

    def written(found: Any) -> tuple[float, str]:
        most = list(found["by_topic"].items())[:6]
        topics = ", ".join(f"{name} {of['records']:.2f}" for name, of in most)
        return (
            found["records"],
            (
                f"{found['records']:.1f} records and {found['bytes']:,} bytes an event, "
                f"{found['transactions_per_second']:,} transactions/s; most: {topics}"
            ),
        )

    return [
        row_of(results, part, f"{part}_cpu", label, does, cost, unit="us"),
        row_of(results, part, f"{part}_pace", f"{label}: pace", "two cores, broker included", pace),
        *_ratios(results, part, label),
        row_of(
            results,
            part,
            f"{part}_written",
            f"{label}: written",
            "every topic, before packing; transactions: batches of all tasks",
            written,
        ),
    ]


def _ratios(results: Results, part: str, label: str) -> list[Row]:
    main = part == "chain"
    does = "CPU an event against CPU an event"
    against = [
        ("loop", "(a)", "cpu_us", CHAIN_TO_LOOP if main else None, ""),
        ("streams", "(e)", "cpu_us", None, ""),
        ("loop", "(a)", "broker_us", BROKER_TO_LOOP if main else None, " broker"),
    ]
    found = [
        quotient(
            results,
            part,
            other,
            lambda it, figure=figure: float(it.get(figure, it["cpu_us"])),
            name=f"{part}{what.replace(' ', '_')}_to_{other}",
            label=f"{label}{what} / {sign}",
            does=does,
            target=target,
        )
        for other, sign, figure, target, what in against
    ]
    if main:
        return found
    target = COMPANY_TO_CHAIN if part == "chain_company" else None
    return [
        *found,
        quotient(
            results,
            part,
            "chain",
            lambda it: float(it["cpu_us"]),
            name=f"{part}_to_chain",
            label=f"{label} / the whole chain",
            does=does,
            target=target,
        ),
    ]


def audit_row(results: Results) -> Row:
    """What the audit of the log of all these mixes took."""

    def make(found: Any) -> tuple[float, str]:
        shown = (
            f"{found['us']} s for a million events, two processes ({found['cpu_us']:,} us CPU an "
            f"event; {found['events']:,} events)"
        )
        return float(found["us"]), shown

    label, does = "baton audit", "of that log, every task computed again"
    return row_of(results, "audit", "audit", label, does, make, unit="s", target=AUDIT_S)
