"""Avro's numbers: zigzag varints, those written and read last kept by their bytes.

What is kept changes the time that a number takes and nothing else. Nearly all of the longer numbers
are moments, and a moment stands in several records and fields.
"""

_PAIR = tuple(bytes((number & 127 | 128, number >> 7 | 128)) for number in range(1 << 14))
_LAST = tuple(
    bytes((number,)) if number < 128 else bytes((number & 127 | 128, number >> 7))
    for number in range(1 << 14)
)
SMALL = tuple(_LAST[number << 1] for number in range(1 << 13))
SOME = tuple(b"\2" + number for number in SMALL)
_LONGEST_VARINT = 10
KEPT = 16_384
MOMENT_BYTES = 6


class Malformed(ValueError):
    """Bytes that are no encoding of the record."""


def write_long(number: int) -> bytes:
    """A zigzag varint; fourteen bits at a time by a table."""
    if not -(1 << 63) <= number < 1 << 63:
        raise OverflowError("an Avro long has 64 bits")
    rest = (number << 1) ^ (number >> 63)
    if rest < 1 << 14:
        return _LAST[rest]
    if rest < 1 << 28:
        return _PAIR[rest & 16383] + _LAST[rest >> 14]
    if rest < 1 << 42:
        return _PAIR[rest & 16383] + _PAIR[rest >> 14 & 16383] + _LAST[rest >> 28]
    written = b""
    while rest >= 1 << 14:
        written += _PAIR[rest & 16383]
        rest >>= 14
    return written + _LAST[rest]


class _Longs(dict[int, bytes]):
    """:func:`write_long` of the numbers that were written last: nearly all of the longer ones are
    moments, and a moment stands in several records and fields."""

    def __missing__(self, number: int) -> bytes:
        written = write_long(number)
        if len(self) >= KEPT:
            self.clear()
        self[number] = written
        return written


LONGS = _Longs()
MOMENTS: dict[bytes, int] = {}
"""Numbers of six bytes that were read last, by these bytes: moments, as in :class:`_Longs`."""


def read_varint(data: bytes, at: int) -> tuple[int, int]:
    """An unsigned varint and the place behind it; raises :class:`Malformed` past 64 bits,
    IndexError past the end."""
    first, second = data[at], data[at + 1] if data[at] > 127 else 0
    if second < 128:
        return (first, at + 1) if first < 128 else (first & 127 | second << 7, at + 2)
    number, shift = first & 127 | (second & 127) << 7, 14
    for place in range(at + 2, at + _LONGEST_VARINT):
        byte = data[place]
        number |= (byte & 127) << shift
        if byte < 128 and number < 1 << 64:
            return number, place + 1
        shift += 7
    raise Malformed("a number has more than 64 bits")


def read_long(data: bytes, at: int) -> tuple[int, int]:
    """A zigzag varint and the place behind it; see :func:`read_varint`."""
    rest, end = read_varint(data, at)
    number = (rest >> 1) ^ -(rest & 1)
    if end - at == MOMENT_BYTES:
        if len(MOMENTS) >= KEPT:
            MOMENTS.clear()
        MOMENTS[data[at:end]] = number
    return number, end
