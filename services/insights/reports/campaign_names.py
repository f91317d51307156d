"""Names of campaigns that differ in capitals and blanks alone are one campaign: people type them
into links. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

Value = TypeVar("Value")


def folded(name: str) -> str:
    """What the spellings of one campaign have in common."""
    return " ".join(name.casefold().split())


def spellings(used: Iterable[Mapping[str, int]]) -> dict[str, str]:
    """By every folded name the spelling that is shown: the most used, then the first by
    alphabet."""
    counted: Counter[str] = Counter()
    for names in used:
        counted.update(names)
    shown: dict[str, str] = {}
    for name in sorted(counted, key=lambda name: (-counted[name], name)):
        shown.setdefault(folded(name), name)
    return shown


def as_one(
    found: Mapping[str, Value], shown: Mapping[str, str], added: Callable[[Value, Value], Value]
) -> dict[str, Value]:
    """What was found by names, the spellings of one campaign together."""
    together: dict[str, Value] = {}
    for name, value in found.items():
        key = shown[folded(name)]
        together[key] = added(together[key], value) if key in together else value
    return together
