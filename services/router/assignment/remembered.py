"""What was packed a moment ago, unpacked: a large pool is stored as text and read back with the
next lead.

Pure for its users: a value is remembered under the whole text that it was packed into, and is never
changed. It saves work and decides nothing; what is not remembered is read from the text.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Final, Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

KEPT: Final = 64
"""So many values are kept, the latest used ones."""


class Remembered(Generic[K, V]):
    """The latest values, by the text that they are packed into."""

    def __init__(self, unpack: Callable[[K], V]) -> None:
        self._unpack = unpack
        self._values: OrderedDict[K, V] = OrderedDict()

    def of(self, text: K) -> V:
        """The value of the text; not to be changed."""
        found = self._values.get(text)
        return self.keep(text, self._unpack(text)) if found is None else self.keep(text, found)

    def keep(self, text: K, value: V) -> V:
        """Remember what ``text`` unpacks to."""
        self._values[text] = value
        self._values.move_to_end(text)
        if len(self._values) > KEPT:
            self._values.popitem(last=False)
        return value


def numbers_of(packed: str) -> list[int]:
    """Numbers with blanks between them."""
    return list(map(int, packed.split()))


def packed_of(numbers: list[int]) -> str:
    """The numbers with blanks between them."""
    # The list's own text is made several times as fast as one text for each number.
    return str(numbers)[1:-1].replace(",", "")
