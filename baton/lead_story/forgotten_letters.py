"""Whether a dead letter names somebody who was erased after it came: then nothing of it is shown or
sent again.

Kafka cannot take one record out of a topic before its retention ends, so the bytes stay there as
long as those of the inbox, from which the letter came. A letter is recognised by the identifiers
that the erasure gave, however they are written in it (as a form, JSON or XML escapes them), and by
its own where they belonged to the person who was erased; of those identity keeps digests only. One
that names a person by nothing but a name is not recognised.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from html import unescape
from urllib.parse import unquote

from baton.contracts.intake import AliasKind, IdentifierScheme, IdentityAlias
from baton.intake.identifiers import canonical, identity_key
from baton.lead_story.reports import Erasure

_SHORTEST = 5
"""Characters of an identifier that is looked for: a shorter one would be found in anything."""
_NO_DIGIT = re.compile(r"\D+")
_ESCAPED = re.compile(r"\\(?:u([0-9a-f]{4})|(.))", re.IGNORECASE | re.DOTALL)
_BLANKS = frozenset("bfnrt")
_ADDRESS = re.compile(r"[^\s\"'<>()\[\]{},;:=&|\\/@]+@[^\s\"'<>()\[\]{},;:=&|\\/@]+")
_DEEPEST = 3
"""How often one way of writing may stand in another, as a form in a form."""


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What to look for, each with the moment (ms) of its erasure; numbers are digits alone,
    identities the digests of what belonged to whoever was erased."""

    texts: tuple[tuple[str, int], ...]
    numbers: tuple[tuple[str, int], ...]
    identities: Mapping[str, int] = field(default_factory=dict)

    def names(self, letter: Iterable[bytes | None], at_ms: int) -> bool:
        """Whether any of the parts of a letter that came at ``at_ms`` names somebody who was erased
        since."""
        parts = [part.decode("utf-8", "replace") for part in letter if part]
        readings = _readings(" ".join(parts))
        words = [word for word, erased_ms in self.texts if at_ms <= erased_ms]
        if any(_stands_in(word, text) for word in words for text in readings):
            return True
        own = (identity for text in (*parts, *readings) for identity in _identities_in(text))
        if self.identities and any(self.identities.get(one, -1) >= at_ms for one in own):
            return True
        numbers = [number for number, erased_ms in self.numbers if at_ms <= erased_ms]
        digits = _NO_DIGIT.sub("", readings[0]) if numbers else ""
        return any(number in digits for number in numbers)


def forgotten(erasures: Iterable[Erasure], aliases: Iterable[tuple[int, object]] = ()) -> Forgotten:
    """Whom the erasures forgot, as far as their identifiers are kept. ``aliases``: what identities
    sent each other, with the log's time."""
    texts: list[tuple[str, int]] = []
    numbers: list[tuple[str, int]] = []
    for erasure in erasures:
        for scheme, values in (erasure.identifiers or {}).items():
            for value in values:
                if scheme == "phone":
                    numbers.append((_NO_DIGIT.sub("", value), erasure.at_ms))
                else:
                    texts.append((value.rsplit(":", 1)[-1].casefold(), erasure.at_ms))
    return Forgotten(
        tuple(found for found in texts if len(found[0]) >= _SHORTEST),
        tuple(found for found in numbers if len(found[0]) >= _SHORTEST),
        {
            alias.identity: at_ms
            for at_ms, alias in aliases
            if isinstance(alias, IdentityAlias)
            and alias.kind in (AliasKind.ERASE, AliasKind.ERASED)
        },
    )


def _readings(text: str) -> list[str]:
    """The text as it came, and as whoever takes it for a form, JSON or XML reads it; without
    capitals."""
    found = [text.casefold()]
    for _ in range(_DEEPEST):
        plain = unescape(unquote(_ESCAPED.sub(_meant, found[-1]))).casefold()
        if plain == found[-1]:
            break
        found.append(plain)
    return found


def _meant(escaped: re.Match[str]) -> str:
    number, letter = escaped.groups()
    if number:
        return chr(int(number, 16))
    return " " if letter in _BLANKS else str(letter)


def _stands_in(word: str, text: str) -> bool:
    """Whether it stands there by itself: not as a part of a longer address or id."""
    return word in text and bool(re.search(rf"(?<![\w.+-]){re.escape(word)}(?![\w-]|\.\w)", text))


def _identities_in(text: str) -> Iterator[str]:
    """The digests of the addresses in a text, and of all identifiers where it is an event line."""
    given = [(IdentifierScheme.EMAIL.value, found) for found in _ADDRESS.findall(text)]
    for scheme, value in (*given, *_identifiers_of(text)):
        try:
            yield identity_key(canonical(IdentifierScheme(scheme), value))
        except ValueError:
            continue


def _identifiers_of(text: str) -> Iterator[tuple[str, str]]:
    try:
        line = json.loads(text)
    except ValueError:
        return
    given = line.get("identifiers") if isinstance(line, dict) else None
    for scheme, values in given.items() if isinstance(given, dict) else ():
        for value in values if isinstance(values, list) else [values]:
            if isinstance(value, str):
                yield scheme, value
