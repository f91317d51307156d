"""Costs of campaigns from a CSV file, as the records that every board reads. Every wrong line is
named, and then nothing is sent."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import Decimal, InvalidOperation
from typing import IO, Final

from baton.contracts.currencies import minor_digits
from baton.contracts.meetings import CampaignRecord
from baton.derived_ids import derived_id
from services.insights.reports.campaign_names import folded

COLUMNS: Final = ("campaign", "month", "amount", "currency")
OPTIONAL: Final = ("channel", "owner")
_MONTH: Final = re.compile(r"\d{4}-(0[1-9]|1[0-2])")
_CURRENCY: Final = re.compile(r"[A-Z]{3}")
_LONGEST: Final = 200
_MOST_FAULTS: Final = 20
_MOST_MINOR: Final = 10**15


class WrongCosts(ValueError):
    """The file cannot be taken; the text names each line, what is wrong with it, and what is
    meant."""


def records_of(file: IO[str]) -> list[CampaignRecord]:
    """The records of a CSV with a heading line; raises WrongCosts."""
    rows = csv.DictReader(file, strict=True)
    if missing := [name for name in COLUMNS if name not in _heading(rows)]:
        raise WrongCosts(
            f"the heading line has no {', '.join(missing)}; it is "
            f"{','.join((*COLUMNS, *OPTIONAL))}, the last two may be left out"
        )
    if twice := [name for name, times in Counter(_heading(rows)).items() if times > 1]:
        raise WrongCosts(f"the heading line has {', '.join(twice)} more than once")
    found: dict[tuple[str, str], CampaignRecord] = {}
    faults = []
    for number, row in _lines(rows):
        wrong = list(_faults(row))
        faults += [f"line {number}: {words}" for words in wrong]
        if not wrong:
            record = _record(row)
            key = (folded(record.campaign), record.month)
            if key in found:
                faults.append(f"line {number}: this campaign and month stand in the file already")
            found[key] = record
    if faults:
        more = len(faults) - _MOST_FAULTS
        raise WrongCosts("\n".join(faults[:_MOST_FAULTS] + ([f"and {more} more"] * (more > 0))))
    return list(found.values())


def _heading(rows: csv.DictReader[str]) -> Sequence[str]:
    try:
        return rows.fieldnames or ()
    except csv.Error as error:
        raise WrongCosts(f"line 1: {_not_csv(error)}") from None


def _lines(rows: csv.DictReader[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows with the line where they begin. A quotation mark that is not closed would swallow
    the lines after it, so a file with one is refused as a whole."""
    begins = rows.line_num + 1
    try:
        for row in rows:
            if rows.line_num > begins:
                raise WrongCosts(
                    f"lines {begins} to {rows.line_num}: a value goes over several lines; is a "
                    "quotation mark not closed?"
                )
            yield begins, row
            begins = rows.line_num + 1
    except csv.Error as error:
        raise WrongCosts(f"line {begins}: {_not_csv(error)}") from None


def _not_csv(error: csv.Error) -> str:
    if "unexpected end" in str(error):
        return "a quotation mark is opened here, and nothing closes it"
    return f'this is no CSV ({error}); within quotation marks, one is written twice: ""'


def _faults(row: dict[str, str]) -> Iterator[str]:
    if None in row:
        yield "there are more values than columns; one with a comma in it needs quotation marks"
    campaign = (row["campaign"] or "").strip()
    if not 0 < len(campaign) <= _LONGEST:
        yield f"a campaign has 1 to {_LONGEST} characters"
    if not _MONTH.fullmatch((row["month"] or "").strip()):
        yield "a month is written 2026-11"
    currency = (row["currency"] or "").strip()
    if not _CURRENCY.fullmatch(currency):
        yield "a currency is three capital letters, such as EUR"
    elif _minor(row["amount"], currency) is None:
        yield f"the amount is a number such as 1250.50, not below zero, in units of {currency}"


def _minor(text: str | None, currency: str) -> int | None:
    try:
        minor = Decimal((text or "").strip()).scaleb(minor_digits(currency))
    except InvalidOperation:
        return None
    if not minor.is_finite() or minor != minor.to_integral_value() or not 0 <= minor <= _MOST_MINOR:
        return None
    return int(minor)


def _record(row: dict[str, str]) -> CampaignRecord:
    campaign, month, currency = (row[name].strip() for name in ("campaign", "month", "currency"))
    amount = _minor(row["amount"], currency)
    assert amount is not None
    more = {name: (row.get(name) or "").strip()[:_LONGEST] or None for name in OPTIONAL}
    return CampaignRecord(
        record_id=derived_id("campaign", campaign, month),
        campaign=campaign,
        month=month,
        amount_minor=amount,
        currency=currency,
        **more,
    )
