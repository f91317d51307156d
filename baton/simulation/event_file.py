"""A file of event lines in the order of their arrival, read again line by line while it is
simulated: in memory are the moment and the place of a line, not the line.

What cannot be read twice (a pipe) and a JSON array are held whole. What is refused, and in which
words, is as in :mod:`.lines`.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from baton.simulation.input_lines import BOM, SPACE, Arrival, moment_of, read_lines


class EventFile:
    """The lines of ``path`` that arrive up to ``until_ms`` (None: all). ``first_ms``: of the whole
    file, None where it has no line; ``latest_ms``: of what is not ``left_out``, the number of those
    that come later. Raises :class:`~baton.simulation.input_lines.LinesRefused`."""

    def __init__(self, path: Path, until_ms: int | None = None) -> None:
        self._path = path
        self._held: Sequence[Arrival] | None = None
        self._moments, self._places, self._numbers = array("q"), array("q"), array("q")
        self._look_through()
        found = self._moments
        order: Sequence[int] = range(len(found))
        if any(found[at] < found[at - 1] for at in order[1:]):
            order = sorted(order, key=found.__getitem__)
        self.first_ms = found[order[0]] if found else None
        self._order = [at for at in order if until_ms is None or found[at] <= until_ms]
        self.left_out = len(found) - len(self._order)
        self.latest_ms = found[self._order[-1]] if self._order else 0

    def __len__(self) -> int:
        return len(self._order)

    def __iter__(self) -> Iterator[Arrival]:
        if self._held is not None:
            yield from (self._held[at] for at in self._order)
            return
        with self._path.open("rb") as file:
            for at in self._order:
                file.seek(self._places[at])
                yield Arrival(
                    at_ms=self._moments[at],
                    line=file.readline().removeprefix(BOM).strip(SPACE),
                    place=f"{self._path.name}:{self._numbers[at]}",
                )

    def _look_through(self) -> None:
        with self._path.open("rb") as file:
            if not file.seekable() or not _has_lines(file):
                self._hold(file)
                return
            place = 0
            for number, raw in enumerate(file, start=1):
                line = raw.removeprefix(BOM).strip(SPACE)
                if line:
                    try:
                        self._moments.append(moment_of(line))
                    except ValueError:
                        file.seek(0)
                        self._hold(file)  # refuses it, with every line that is wrong
                        return
                    self._places.append(place)
                    self._numbers.append(number)
                place += len(raw)

    def _hold(self, file: BinaryIO) -> None:
        self._held = read_lines(file.read(), self._path.name)
        self._moments = array("q", (arrival.at_ms for arrival in self._held))


def _has_lines(file: BinaryIO) -> bool:
    """Whether it begins as an object does, so that it is no array."""
    begins = b""
    for raw in file:
        begins = raw.removeprefix(BOM).lstrip(SPACE)[:1]
        if begins:
            break
    file.seek(0)
    return begins == b"{"
