"""Tables of people as text, a row each, and what was packed a moment ago, unpacked: of a large pool
only the rows that changed are written anew, and none is read twice.

Pure for its users: a value is remembered under the whole text that it was packed into, and is never
changed. It saves work and decides nothing; what is not remembered is read from the text.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from typing import Final, Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

KEPT: Final = 64
"""So many values are kept, the latest used ones."""

Rows = Mapping[str, str]
"""By person, in the order of names: fields with blanks between them, the name first."""


class Remembered(Generic[K, V]):
    """The latest values, by the text that they are packed into."""

    def __init__(self, unpack: Callable[[K], V]) -> None:
        self._unpack = unpack
        self._values: OrderedDict[K, V] = OrderedDict()

    def of(self, text: K) -> V:
        """The value of the text; not to be changed."""
        found = self._values.get(text)
        return self.keep(text, self._unpack(text)) if found is None else found

    def keep(self, text: K, value: V) -> V:
        """Remember what ``text`` unpacks to."""
        self._values[text] = value
        self._values.move_to_end(text)
        if len(self._values) > KEPT:
            self._values.popitem(last=False)
        return value


def rows_after(
    rows: Rows, changed: Iterable[str], row_of: Callable[[str], str | None]
) -> dict[str, str]:
    """The rows with those of ``changed`` written anew; None: the person has none."""
    after, newcomers = dict(rows), False
    for person in changed:
        row = row_of(person)
        if row is None:
            after.pop(person, None)
        else:
            newcomers = newcomers or person not in after
            after[person] = row
    return dict(sorted(after.items())) if newcomers else after


def table_of(rows: Rows) -> str:
    """All rows as one text."""
    return " ".join(rows.values())


def fields_of(table: str, size: int) -> Iterator[tuple[str, ...]]:
    """Row by row, ``size`` fields each."""
    fields = table.split()
    return zip(*(fields[place::size] for place in range(size)), strict=True)
