"""A pack as text, HTML and CSV. Pure. What somebody else wrote is cleaned and escaped."""

from __future__ import annotations

import csv
import io
from itertools import groupby
from zoneinfo import ZoneInfo

from services.insights.board import words
from services.insights.board.rendering import environment
from services.insights.packs.figures import Figure, Pack

COLUMNS = ("week", "known_at", "section", "figure", "value", "unit", "note")


def shown(figure: Figure) -> str:
    """The value for people to read."""
    if figure.value is None:
        return ""
    match figure.unit:
        case "count":
            return words.number(figure.value)
        case "ms":
            return words.span(figure.value)
        case "ppm":
            return words.percent(figure.value / 1_000_000, 1)
        case "milli":
            return f"{figure.value / 1000:.1f}×"
    return words.money(figure.value, figure.unit)


def heading(pack: Pack) -> str:
    """What every form begins with."""
    known = words.moment(pack.known_at_ms, ZoneInfo(pack.zone))
    since = words.moment(pack.since_ms, ZoneInfo(pack.zone), pack.known_at_ms)
    return (
        f"Week {pack.week}, as known at {known} ({pack.zone}), agreement {pack.agreement[:10]}"
        f"{'' if pack.since_ms is None else f', complete only since {since}'}"
    )


def sections(pack: Pack) -> list[tuple[str, list[tuple[Figure, str]]]]:
    """The figures by section, with the value for people to read."""
    return [
        (section, [(figure, shown(figure)) for figure in figures])
        for section, figures in groupby(pack.figures, key=lambda figure: figure.section)
    ]


def as_text(pack: Pack) -> str:
    """Plain text, a line a figure."""
    lines = [heading(pack)]
    for section, figures in sections(pack):
        lines += ["", section]
        for figure, value in figures:
            name, note = words.clean(figure.name, 120), words.clean(figure.note, 120)
            lines.append(f"  {name}: {value}{f'  ({note})' if note else ''}".rstrip(": "))
    return "\n".join(lines) + "\n"


def as_html(pack: Pack) -> str:
    """One page that needs nothing else: no remote image, no script."""
    template = environment().get_template("pack.html")
    return template.render(pack=pack, heading=heading(pack), sections=sections(pack))


def as_csv(pack: Pack) -> str:
    """A line a figure, exact values; no spreadsheet takes its texts for formulas."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    known = words.machine_time(pack.known_at_ms)
    for figure in pack.figures:
        row = (pack.week, known, figure.section, figure.name, figure.value, figure.unit)
        writer.writerow([words.csv_cell(value) for value in (*row, figure.note)])
    return out.getvalue()


def csv_file(pack: Pack) -> bytes:
    """The same as a file that people open: with the mark by which a spreadsheet knows UTF-8."""
    return as_csv(pack).encode("utf-8-sig")


FORMS = {"txt": as_text, "html": as_html, "csv": as_csv}
"""By the ending of the file."""
