"""Yes and no of a list: each with its date, or as careful as it must be without one. Pure.

A yes without a date is older than any dated act, so it never overrules a no; a no without a date is
of today. A column of opt-outs knows only refusals: who has not opted out has not agreed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from baton.importing.cells import CellWrong, moment_ms, opted_out, said
from baton.importing.columns import CONSENT
from baton.importing.terms import UNDATED_MS, Cells, ImportTerms, RowWrong
from baton.intake.line_reading import Problem
from baton.intake.unknown import says_nothing


def consents_of(
    cells: Cells,
    line: Mapping[str, Any],
    own: str,
    dated_ms: int | None,
    terms: ImportTerms,
    notes: list[Problem],
) -> list[dict[str, Any]]:
    """Each yes and each no with its date. A yes without one is older than any dated act; a no
    without one is of today."""
    made: list[dict[str, Any]] = []
    for key in dict.fromkeys(name.partition(":")[2] for name in cells if CONSENT.match(name)):
        yes, no = _answers(cells, key)
        yes_ms, no_ms = (
            _date(cells, f"consent_at:{key}", terms, notes),
            _date(cells, f"optout_at:{key}", terms, notes),
        )
        purpose, _, channel = key.partition("/")
        stated = []
        if yes or (yes is None and not no and yes_ms is not None):
            stated.append((True, yes_ms if yes_ms is not None else dated_ms, UNDATED_MS))
        if no or no_ms is not None:
            stated.append((False, no_ms if no_ms is not None else dated_ms, terms.at_ms))
        for granted, at_ms, undated_ms in stated:
            dated = "" if at_ms is None else f"/{at_ms}"
            made.append(
                {
                    **line,
                    "id": f"{own}/{purpose}/{channel or 'any'}/{'yes' if granted else 'no'}{dated}",
                    "kind": "consent",
                    "occurred_at": undated_ms if at_ms is None else at_ms,
                    "consent": {
                        "purpose": purpose,
                        "channel": channel or "any",
                        "granted": granted,
                    },
                }
            )
    return made


def _answers(cells: Cells, key: str) -> tuple[bool | None, bool]:
    """Whether there is a yes (None: no answer) and whether there is a no."""
    words = _read(cells, f"consent:{key}", said)
    refused = any(_read(cells, f"optout:{key}", opted_out)) or False in words
    return (True in words) if any(word is not None for word in words) else None, refused


def _read(cells: Cells, name: str, read: Callable[[str], bool | None]) -> Sequence[bool | None]:
    try:
        return [read(cell) for cell in cells.get(name, ())]
    except CellWrong as error:
        raise RowWrong(name, str(error)) from None


def _date(cells: Cells, name: str, terms: ImportTerms, notes: list[Problem]) -> int | None:
    """When somebody agreed or refused. Of several columns the latest counts, whatever their order:
    a confirmation comes after the opt-in that it confirms. A date that cannot be read is none, and
    noted: the answer stands, by the other date or undated."""
    found: list[int] = []
    for cell in cells.get(name, ()):
        if says_nothing(cell):
            continue
        try:
            found.append(moment_ms(cell, terms.dates, terms.zone))
        except CellWrong as error:
            notes.append(Problem(name, str(error)))
    return max(found, default=None)
