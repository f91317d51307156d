"""What is wrong with an agreement: each problem with its place, its reason and the way out."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum

Path = tuple[str | int, ...]
"""Where in the agreement: keys and indices from the root."""


class Severity(StrEnum):
    """An error keeps the agreement from being published; a warning is something to look at."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """``line`` and ``column`` count from 1; 0 where the place is the whole file. ``file``: another
    one than the agreement's."""

    message: str
    path: Path = ()
    line: int = 0
    column: int = 0
    severity: Severity = Severity.ERROR
    file: str | None = None

    def described(self, file: str) -> str:
        """``agreement.yaml:41: pool "emea-sdr" is not defined; did you mean "emea_sdr"?``"""
        file = self.file or file
        place = f"{file}:{self.line}" if self.line else file
        kind = "warning: " if self.severity is Severity.WARNING else ""
        return f"{place}: {kind}{self.message}"


def path_words(path: Path) -> str:
    """The path as people write it: ``pools.dach-sdr.members`` or ``slas.promises[2]``."""
    words = ""
    for step in path:
        words += f"[{step + 1}]" if isinstance(step, int) else f".{step}" if words else step
    return words


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """``; did you mean "x"?``, or a short list of what there is."""
    choices = sorted(set(known))
    close = _closest(word, choices)
    if close:
        return f'; did you mean "{close}"?'
    if not choices:
        return ""
    shown = ", ".join(choices[:8]) + (" ..." if len(choices) > 8 else "")
    return f"; there is {shown}"


def _closest(word: str, choices: list[str]) -> str | None:
    folded = {choice.casefold().replace("-", "_"): choice for choice in choices}
    found = get_close_matches(word.casefold().replace("-", "_"), folded, n=1, cutoff=0.6)
    return folded[found[0]] if found else None
