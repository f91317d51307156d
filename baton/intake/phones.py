"""Telephone numbers as people, forms and spreadsheets write them, as E.164 where there is one
reading. Pure.

A number is what a person will dial, not an identifier: one that cannot be read never costs the
lead. What a spreadsheet has destroyed (``4.91712E+11``) is no number any more.
"""

from __future__ import annotations

import re
from functools import lru_cache

import phonenumbers

_SCIENTIFIC = re.compile(r"[+-]?\d+(?:[.,]\d+)?[eE][+-]?\d+\Z")
_DECIMAL = re.compile(r"(\+?\d{6,})[.,]0*\Z")
# What forms and spreadsheets put before a number: tel:, p: (lead forms), an apostrophe or = against
# formulas.
_BEFORE = re.compile(
    r"(?:tel|phone|fon|mobil|mobile|p|t|m|w|h|c|o)?\s*[:.]\s*|[='\"’]+", re.IGNORECASE
)
_SEVERAL = re.compile(r"\s*(?::::|[;,|\n]|\s/\s|\bor\b|\boder\b|\bund\b|\band\b)\s*", re.IGNORECASE)
_MIN_DIGITS = 5


@lru_cache(maxsize=4096)
def phone(text: str, country: str | None) -> str | None:
    """E.164 where the number can be read (``country``: ISO code, for national ones), else the text
    as it is, trimmed; None for what is no number."""
    trimmed = " ".join(text.split())
    bare = _bare(trimmed)
    if _SCIENTIFIC.match(bare) or _is_filler(bare):
        return None
    if match := _DECIMAL.match(bare):
        bare = match[1]
    for part in (bare, *_parts(bare)):
        if number := _without_plus(part, country) or _read(part, country):
            return number
    return bare if bare != trimmed and _DECIMAL.match(_bare(trimmed)) else trimmed


def is_international_number(text: str) -> bool:
    """Whether a text without context is a telephone number: one with ``+``, or a possible one
    behind ``00`` that is no article's."""
    if text.startswith("+"):
        return True
    digits = re.sub(r"\D", "", text)
    if _is_article_number(digits) and digits == text:
        return False
    return _is_valid("+" + text[2:].lstrip())


def _bare(text: str) -> str:
    former = None
    while former != text:
        former, text = text, _BEFORE.sub("", text, count=1) if _BEFORE.match(text) else text
    return text.rstrip("\"'’ ")


def _parts(text: str) -> list[str]:
    parts = [part for part in _SEVERAL.split(text) if len(re.sub(r"\D", "", part)) >= _MIN_DIGITS]
    return parts if len(parts) > 1 else []


def _is_filler(text: str) -> bool:
    digits = re.sub(r"\D", "", text)
    return len(digits) >= _MIN_DIGITS and (len(set(digits)) == 1 or digits in "0123456789012")


def _without_plus(text: str, country: str | None) -> str | None:
    """A number that has only lost its plus: it begins with the code of its own country, and what
    follows is a number there.

    In Germany ``491712345678`` could also be a number in Leer without its zero; nobody writes that.
    """
    code = phonenumbers.country_code_for_region(country) if country else 0
    if not code or not text.isascii() or not text.isdigit() or not text.startswith(str(code)):
        return None
    return _read("+" + text, None) if _is_valid("+" + text) else None


def _is_valid(text: str) -> bool:
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(text, None))
    except phonenumbers.NumberParseException:
        return False


def _read(text: str, country: str | None) -> str | None:
    international = text.startswith("+") or (country is None and text.startswith("00"))
    plain = "+" + text[2:] if international and not text.startswith("+") else text
    try:
        number = phonenumbers.parse(plain, country)
    except phonenumbers.NumberParseException:
        return None
    # A national number has lost its country, and in a spreadsheet perhaps its first zero: it must
    # be one, not only look like one.
    right = (
        phonenumbers.is_possible_number if text.startswith("+") else phonenumbers.is_valid_number
    )
    if not right(number) or number.extension:
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _is_article_number(digits: str) -> bool:
    """Whether the last digit is the check digit of GS1 (EAN, GTIN)."""
    if len(digits) not in (8, 12, 13, 14):
        return False
    weighted = sum(
        int(digit) * (3, 1)[place % 2] for place, digit in enumerate(reversed(digits[:-1]))
    )
    return (10 - weighted % 10) % 10 == int(digits[-1])
