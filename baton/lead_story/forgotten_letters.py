"""Whether a dead letter names somebody who was erased after it came: then nothing of it is shown or
sent again.

Kafka cannot take one record out of a topic before its retention ends, so the bytes stay there as
long as those of the inbox, from which the letter came. Only identifiers that the erasure itself
gave are known; a letter that names the person by another is not recognised.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from baton.lead_story.reports import Erasure

_SHORTEST = 5
"""Characters of an identifier that is looked for: a shorter one would be found in anything."""
_NO_DIGIT = re.compile(r"\D+")


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What to look for, each with the moment (ms) of its erasure; numbers are digits alone."""

    texts: tuple[tuple[str, int], ...]
    numbers: tuple[tuple[str, int], ...]

    def names(self, letter: Iterable[bytes | None], at_ms: int) -> bool:
        """Whether any of the parts of a letter that came at ``at_ms`` names somebody who was erased
        since."""
        text = " ".join(part.decode("utf-8", "replace") for part in letter if part).casefold()
        if any(at_ms <= erased_ms and word in text for word, erased_ms in self.texts):
            return True
        numbers = [(number, erased_ms) for number, erased_ms in self.numbers if at_ms <= erased_ms]
        digits = _NO_DIGIT.sub("", text) if numbers else ""
        return any(number in digits for number, _ in numbers)


def forgotten(erasures: Iterable[Erasure]) -> Forgotten:
    """Whom the erasures forgot, as far as their identifiers are kept."""
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
    )
