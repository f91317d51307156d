"""What a spreadsheet has taken from numbers that are no numbers: the first zeros of a postcode, the
plus of a telephone number. Pure.

A postcode gets its zeros back where its country says how many digits it has; a telephone number
without its plus is what it was, unless its country says that it is one. Both are noted.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from baton.intake.countries import country_code
from baton.intake.line_reading import Problem
from baton.intake.phones import is_international_number, phone

POSTAL_FIELDS: Final = ("postal", "postal_code", "postcode", "zip", "zip_code")
_DIGITS: Final = {
    **dict.fromkeys(("DE", "US", "FR", "IT", "ES", "FI", "MX", "TR"), 5),
    **dict.fromkeys(("NO", "DK", "AU", "ZA"), 4),
}
_MOST_LOST: Final = 2
_E164_DIGITS: Final = range(10, 16)
ZEROS_BACK: Final = "has lost zeros at its beginning, as in a spreadsheet, and was taken with them"
NO_PLUS: Final = (
    "may have lost its plus: it was taken as it is; write +, or name the country in a column"
)


def restored_postal(profile: Mapping[str, str], notes: list[Problem]) -> dict[str, str]:
    """The profile with the zeros of its postcode."""
    found = dict(profile)
    digits = _DIGITS.get(country_code(profile.get("country", "")) or "")
    for name in POSTAL_FIELDS:
        cell = profile.get(name, "")
        if digits and cell.isascii() and cell.isdigit() and 0 < digits - len(cell) <= _MOST_LOST:
            found[name] = cell.zfill(digits)
            notes.append(Problem(f"profile.{name}", ZEROS_BACK))
    return found


def note_lost_plus(
    person: Mapping[str, str], profile: Mapping[str, str], notes: list[Problem]
) -> None:
    """Note a telephone number that would be an international one with a plus, and is none as it
    stands."""
    number = person.get("phone", "")
    read = phone(number, country_code(profile.get("country", "")))
    if read is None or read.startswith("+") or not read.isascii() or not read.isdigit():
        return
    if len(read) in _E164_DIGITS and is_international_number("00" + read):
        notes.append(Problem("person.phone", NO_PLUS))
