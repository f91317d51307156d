"""What a profile's values mean, written in one way: countries as codes, counts as numbers or
ranges, ``N/A`` as nothing. Pure.

A value that has no certain reading is unknown, and its name is in what could not be read: ``1.200``
employees are 1200, a turnover of ``1.200`` is nobody's guess. It looks at no agreement: what is no
standard field stays the text that came.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import lru_cache

from baton.intake.countries import country_code, subdivision_code
from baton.intake.unknown import says_nothing
from baton.number_text import number_in, written

COUNTS = frozenset(
    {
        "employees",
        "employee_count",
        "headcount",
        "number_of_employees",
        "seats",
        "users",
        "licences",
        "licenses",
    }
)
AMOUNTS = frozenset({"annual_revenue", "budget", "revenue", "revenue_meur", "turnover"})
POSTAL = frozenset({"postal", "postal_code", "postcode", "zip", "zip_code"})
SUBDIVISION = "subdivision"

_PEOPLE = re.compile(
    r"\s*(?:employees?|people|persons?|staff|ftes?|users?|seats?|mitarbeiter(?:innen|:innen|\*innen)?|beschäftigte|personen|ma)\.?\Z",
    re.IGNORECASE,
)
_LETTER = re.compile(r"[A-I]\s*[:)]\s*(?=\d)")
_RANGE = re.compile(r"(\d.*?)\s*(?:-|–|—|−|\bto\b|\bbis\b|\.\.\.?|…)\s*(\d.*)\Z", re.IGNORECASE)
_FROM = re.compile(
    r"(?:(\d.*?)\s*(?:\+|or more|and more|und mehr|oder mehr|plus)|(?:>=|≥|from|ab|mind\.|min\.|at least)\s*(\d.*))\Z",
    re.IGNORECASE,
)
_ABOVE = re.compile(r"(?:>|over|more than|above|über|mehr als)\s*(\d.*)\Z", re.IGNORECASE)
_UP_TO = re.compile(r"(?:<=|≤|up to|bis(?: zu)?|max\.)\s*(\d.*)\Z", re.IGNORECASE)
_BELOW = re.compile(
    r"(?:<|under|below|less than|fewer than|unter|weniger als)\s*(\d.*)\Z", re.IGNORECASE
)
_CURRENCY = re.compile(r"(?:eur|usd|gbp|chf|us\$|[$€£¥])", re.IGNORECASE)
_SCALE = re.compile(
    r"\s*(k|tsd\.?|m|mn|mio\.?|millions?|millionen|b|bn|mrd\.?|billions?|milliarden)\Z",
    re.IGNORECASE,
)
_SCALES = {"k": 3, "t": 3, "m": 6, "b": 9}
_POSTAL_PREFIX = re.compile(r"[A-Z]{1,2}-(?=\d)")
_MAX_CHARACTERS = 80


def normalised_profile(given: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """The profile in one way of writing, and the names of the fields that could not be read for
    certain."""
    found: dict[str, str] = {}
    unread: list[str] = []
    for name, text in given.items():
        if says_nothing(text, name):
            continue
        read = _READERS.get(name)
        value = text if read is None else read(text)
        if value is None:
            unread.append(name)
        else:
            found[name] = value
    return found, unread


def subdivision_of(profile: Mapping[str, str]) -> str | None:
    """ISO 3166-2 of the region of a normalised profile, where its country is known."""
    country, region = profile.get("country", ""), profile.get("region") or profile.get("state")
    return subdivision_code(region, country) if region and len(country) == 2 else None


@lru_cache(maxsize=4096)
def count_of(text: str) -> str | None:
    """How many: ``1200``, ``51-200`` or ``250+``; None for what is neither for certain (a
    spreadsheet's ``10. Jan``)."""
    plain = _LETTER.sub("", _PEOPLE.sub("", text.strip()[: _MAX_CHARACTERS + 1]), count=1)
    return (
        _quantity(plain, lambda part: number_in(part, whole=True), step=1)
        if len(plain) <= _MAX_CHARACTERS
        else None
    )


@lru_cache(maxsize=4096)
def amount_of(text: str) -> str | None:
    """How much, without its currency: ``2500000`` for ``€ 2.5M``; None for what has two readings
    (``1.200``)."""
    plain = _CURRENCY.sub("", text).strip()
    return _quantity(plain, _scaled, step=0) if len(plain) <= _MAX_CHARACTERS else None


def _quantity(plain: str, read: Callable[[str], Decimal | None], *, step: int) -> str | None:
    """A number, or a range of them. ``step``: the distance of the next number above or below, 0
    where there is none."""
    if (number := read(plain)) is not None:
        return written(number) if number >= 0 else None
    if (match := _RANGE.match(plain)) and not _is_date(plain):
        if _SCALE.search(match[2]) and not _SCALE.search(match[1]):
            return None  # 10-50M: ten, or ten millions?
        low, high = read(match[1]), read(match[2])
        return (
            f"{written(low)}-{written(high)}"
            if low is not None and high is not None and low <= high
            else None
        )
    for pattern, shift, upper in (
        (_FROM, 0, False),
        (_ABOVE, step, False),
        (_UP_TO, 0, True),
        (_BELOW, -step, True),
    ):
        if match := pattern.match(plain):
            limit = read(next(group for group in match.groups() if group))
            if limit is None or limit + shift < 0:
                return None
            return f"0-{written(limit + shift)}" if upper else f"{written(limit + shift)}+"
    return None


def _scaled(text: str) -> Decimal | None:
    match = _SCALE.search(text)
    if match is None:
        return number_in(text)
    number = number_in(text[: match.start()])
    power = 9 if match[1].lower().startswith(("mrd", "milliard")) else _SCALES[match[1][0].lower()]
    return None if number is None else number * 10**power


def _is_date(text: str) -> bool:
    return text.count("-") > 1


def _country(text: str) -> str:
    return country_code(text) or text


def _postal(text: str) -> str:
    return _POSTAL_PREFIX.sub("", text.upper().strip(), count=1)


_READERS: Mapping[str, Callable[[str], str | None]] = {
    **dict.fromkeys(COUNTS, count_of),
    **dict.fromkeys(AMOUNTS, amount_of),
    **dict.fromkeys(POSTAL, _postal),
    "country": _country,
}
