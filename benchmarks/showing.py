"""The rows for people: a table on a terminal, the same in Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table

from benchmarks.report import Row

_VERDICT = {True: "met", False: "missed", None: ""}
_COLOUR = {True: "green", False: "red", None: "default"}


def table_of(rows: Sequence[Row]) -> Table:
    """Every row."""
    table = Table(title="What things cost", title_justify="left")
    for name in ("measure", "figure", "target", "", "what it does"):
        table.add_column(name, overflow="fold")
    for row in rows:
        verdict = f"[{_COLOUR[row.met]}]{_VERDICT[row.met]}[/]"
        table.add_row(row.label, row.shown, _target(row), verdict, row.does)
    return table


def markdown_of(rows: Sequence[Row], machine: Mapping[str, Any]) -> str:
    """The table, and the machine it was measured on."""
    lines = [
        machine_words(machine),
        "",
        "| measure | figure | target | | what it does |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| {row.label} | {row.shown.replace('|', '/')} | {_target(row)} | {_VERDICT[row.met]} | "
        f"{row.does} |"
        for row in rows
    ]
    return "\n".join(lines) + "\n"


def machine_words(machine: Mapping[str, Any]) -> str:
    """The machine in a sentence."""
    packages = ", ".join(f"{name} {number}" for name, number in machine["packages"].items())
    return (
        f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_gb']} GB, "
        f"{machine['system']}; Python {machine['python']}, "
        f"Kafka and Kafka Streams {machine['kafka']} on {machine['java']}; {packages}; "
        f"load average before {machine['load_before'][0]}."
    )


def _target(row: Row) -> str:
    return "" if row.target is None else f"<= {row.target:g} {row.unit}".strip()
