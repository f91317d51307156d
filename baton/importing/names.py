"""A whole name in one cell, parted into first and last name. Pure.

Titles (Dr., Prof.) stay before the first name, or before the last one where there is no other;
salutations (Herr, Mrs.) are no part of a name. What else stands before or behind a name is left
where it is.
"""

from __future__ import annotations

from typing import Final

MAX_PART: Final = 200
_SALUTATIONS: Final = frozenset(
    "herr herrn frau mr mrs ms miss mx sir madam monsieur madame mme señor señora".split()  # noqa: SIM905
)
_TITLES: Final = frozenset(
    """
    dr prof professor pd priv-doz dipl-ing dipl-kfm dipl-kffr dipl-inf dipl-phys dipl-chem
    dipl-wirt-ing dipl mag ing drs ir dott dr-ing
    med dent vet rer nat rernat phil jur pol oec h c hc habil univ-prof
    """.split()  # noqa: SIM905 - a list to be read
)
_NEVER_FIRST: Final = frozenset("med dent vet rer nat rernat phil jur pol oec h c hc habil".split())  # noqa: SIM905


def split_name(full: str) -> dict[str, str]:
    """``Ann Maria Berg``, ``Berg, Ann Maria`` and ``Herr Dr. Jan Berg`` by ``first_name`` and
    ``last_name``."""
    last, comma, first = full.partition(",")
    if comma:
        before, bare = _titles(first.split())
        first, last = " ".join((*before, *bare)), " ".join(_without_salutation(last.split()))
    else:
        words = full.split()
        before, bare = _titles(words)
        if len(bare) > 1:
            first, last = " ".join((*before, bare[0])), " ".join(bare[1:])
        elif before or len(words) > 1:  # a title or a salutation and one name: it is the last
            first, last = "", " ".join((*before, *bare))
        else:
            first, last = full, ""
    parts = {"first_name": first.strip()[:MAX_PART], "last_name": last.strip()[:MAX_PART]}
    return {name: part for name, part in parts.items() if part}


def _titles(words: list[str]) -> tuple[list[str], list[str]]:
    """The titles that a name begins with, without its salutation, and the name behind them."""
    rest = _without_salutation(words)
    count = 0
    while count < len(rest) - 1 and _is_title(rest[count], follows=count > 0):
        count += 1
    return rest[:count], rest[count:]


def _without_salutation(words: list[str]) -> list[str]:
    is_one = len(words) > 1 and _plain(words[0]) in _SALUTATIONS
    return words[1:] if is_one else words


def _is_title(word: str, *, follows: bool) -> bool:
    """Whether the word is a title. One that could be a name (``Mag``, ``Ing``) needs its dot."""
    plain = _plain(word)
    if plain not in _TITLES or (plain in _NEVER_FIRST and not follows):
        return False
    return word.endswith(".") or plain in ("dr", "prof", "professor") or "-" in plain


def _plain(word: str) -> str:
    return word.casefold().replace(".", "")
