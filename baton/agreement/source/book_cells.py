"""What a cell of a territory book asks, in the one way in which profiles are written: ``UK`` is
``GB``, ``D-80*`` is ``80*``. A cell that no profile can have is named."""

from functools import lru_cache

from baton.agreement.compiled.books import ANY_REST
from baton.intake.profile_values import POSTAL, normalised_profile

COUNTRY = "country"
_CODE = 2
"""The length of a country's code."""


@lru_cache(maxsize=16_384)
def as_in_profiles(column: str, cell: str) -> tuple[str, str | None]:
    """The cell as the field ``column`` of a profile has it, and why no profile has such a value."""
    if ANY_REST in cell:
        return _beginning(column, cell)
    found, unread = normalised_profile({column: cell})
    if column in found:
        return found[column], None
    why = "cannot be read as a value of that field" if unread else "is read as an empty value"
    return cell, f'"{cell}" {why}, so the row would fit no lead: mend the cell of {column}'


def _beginning(column: str, cell: str) -> tuple[str, str | None]:
    word = cell.removesuffix(ANY_REST)
    if column == COUNTRY and len(word) > _CODE:
        reason = "fits no lead: countries are read as codes of two letters (GB); write the code"
        return cell, f'"{cell}" {reason}, a row for each country'
    if column in POSTAL and word:
        return normalised_profile({column: word})[0].get(column, word) + ANY_REST, None
    return cell, None
