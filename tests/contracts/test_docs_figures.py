"""The sizing guide repeats what the benchmarks page measured, and nothing else."""

import re
from pathlib import Path

DOCS = Path(__file__).resolve().parents[2] / "docs"
_NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")


def figures(sizing: str) -> list[str]:
    """The numbers in the column *figure* of the table below "What a part costs"."""
    table = sizing.partition("## What a part costs\n")[2].strip().split("\n\n")[1]
    rows = [row.split("|")[2] for row in table.splitlines()[2:]]
    assert len(rows) > 10, "the table is not there"
    return [number for row in rows for number in _NUMBER.findall(row)]


def chain_rows(text: str) -> set[tuple[str, ...]]:
    """The rows of a table of the whole chain: who, and the three mixes."""
    names = ["gateway", "ingest", "scorer", "router", "sla_watcher", "insights", "delivery"]
    rows = ([cell.strip(" *") for cell in line.split("|")] for line in text.splitlines())
    return {
        ("all" if row[1].startswith("all") else row[1], *row[2:5])
        for row in rows
        if len(row) == 6 and (row[1] in names or row[1] in ("all services", "all of them"))
    }


def not_measured(sizing: str, benchmarks: str) -> list[str]:
    """The figures of the guide that the run in the benchmarks does not have."""
    run = benchmarks.partition("## A run\n")[2].partition("\nWhat the figures say:")[0]
    found = {number.replace(",", "") for number in _NUMBER.findall(run)}
    return [number for number in figures(sizing) if number.replace(",", "") not in found]


def test_each_figure_of_the_sizing_guide_stands_in_the_run_of_the_benchmarks() -> None:
    sizing, benchmarks = ((DOCS / name).read_text() for name in ("SIZING.md", "BENCHMARKS.md"))
    assert not_measured(sizing, benchmarks) == []


def test_the_whole_chain_costs_the_same_on_both_pages() -> None:
    sizing, benchmarks = ((DOCS / name).read_text() for name in ("SIZING.md", "BENCHMARKS.md"))
    measured = benchmarks.partition("## The whole chain\n")[2].partition("\n## ")[0]
    assert len(chain_rows(sizing)) == 8
    assert chain_rows(sizing) == chain_rows(measured)
    assert chain_rows(sizing.replace("| 740 |", "| 704 |")) != chain_rows(measured)


def test_a_figure_that_was_changed_on_one_page_only_is_found() -> None:
    sizing, benchmarks = ((DOCS / name).read_text() for name in ("SIZING.md", "BENCHMARKS.md"))
    assert "10,543" in not_measured(sizing.replace("10,534", "10,543"), benchmarks)
