"""Rows of a territory book that are never reached, since rows before them take all of their leads.

A row takes every lead of another where each word it asks is asked by the other too, in full or at
more length. Sound, not complete: rows that only together take all leads of another are not seen.
The rows are not compared with one another: only the shapes of what they ask are.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from baton.agreement.compiled.books import KINDS, Shape

_Key = tuple[str, ...]
_Cut = tuple[tuple[int, int], ...]
"""How a row's key becomes that of a wider shape: the place of each word, and how many of its
characters are compared (0: all)."""
_Lines = tuple[int, ...]
"""For each of the kinds of pools, a line of the file; 0 for none."""
_NO_LINES: _Lines = (0,) * len(KINDS)


@dataclass(slots=True)
class _Wider:
    """The shapes that may take the leads of one shape, as far as they have been looked through."""

    looked: int = 0
    cuts: list[tuple[Shape, _Cut]] = field(default_factory=list)


@dataclass(slots=True)
class Coverage:
    """The rows so far: by what they ask, the first line that has a pool of each kind."""

    _lines: dict[Shape, dict[_Key, _Lines]] = field(default_factory=dict)
    _shapes: list[Shape] = field(default_factory=list)
    _wider: dict[Shape, _Wider] = field(default_factory=dict)

    def add(self, shape: Shape, key: _Key, kinds: Sequence[str], line: int) -> None:
        """File the row of ``line`` (they count from 1)."""
        if shape not in self._lines:
            self._lines[shape] = {}
            self._shapes.append(shape)
        lines = self._lines[shape]
        known = lines.get(key, _NO_LINES)
        lines[key] = tuple(
            first or (line if kind in kinds else 0)
            for first, kind in zip(known, KINDS, strict=True)
        )

    def takers_of(self, shape: Shape, key: _Key, kinds: Sequence[str]) -> Iterator[str]:
        """Why a row is never reached; nothing where it may be."""
        wanted = [place for place, kind in enumerate(KINDS) if kind in kinds]
        found = [
            self._lines[wider].get(
                tuple([key[at][:length] if length else key[at] for at, length in cut]), _NO_LINES
            )
            for wider, cut in self._cuts(shape)
        ]
        by_kind = [[lines[place] for lines in found if lines[place]] for place in wanted]
        if not by_kind or not all(by_kind):
            return
        alike = self._lines.get(shape, {}).get(key, _NO_LINES)
        if all(alike[place] for place in wanted):
            yield f"is never reached: line {min(alike[place] for place in wanted)} asks the same"
            return
        takers = sorted({min(lines) for lines in by_kind})
        named = " and ".join(str(line) for line in takers)
        what, takes = ("line", "takes") if len(takers) == 1 else ("lines", "take")
        yield (
            f"is never reached: {what} {named} before it {takes} every lead it would take; "
            f"move it above line {takers[0]}"
        )

    def _cuts(self, shape: Shape) -> list[tuple[Shape, _Cut]]:
        known = self._wider.setdefault(shape, _Wider())
        for wider in self._shapes[known.looked :]:
            if (cut := _cut(shape, wider)) is not None:
                known.cuts.append((wider, cut))
        known.looked = len(self._shapes)
        return known.cuts


def _cut(shape: Shape, wider: Shape) -> _Cut | None:
    """None where rows of the shape ``wider`` ask something that those of ``shape`` leave open."""
    asked = {name: (at, length) for at, (name, length) in enumerate(shape)}
    cut: list[tuple[int, int]] = []
    for name, length in wider:
        at, own = asked.get(name, (-1, 0))
        if at < 0 or (own and not 0 < length <= own):
            return None
        cut.append((at, length))
    return tuple(cut)
