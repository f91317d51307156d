"""Numbers and lengths as Avro writes them: at every border of the tables, whatever was written and
read before."""

from dataclasses import dataclass
from io import BytesIO

import pytest
from fastavro import schemaless_reader

from baton.contracts import avro_numbers
from baton.contracts.avro_binary import decoder, encoder, written_once
from baton.contracts.avro_schema import avro_schema_of

BORDERS = sorted(
    {
        sign * ((1 << bits) + step)
        for bits in (6, 7, 12, 13, 14, 20, 27, 28, 34, 40, 41, 42, 48, 55, 62)
        for step in (-1, 0, 1)
        for sign in (1, -1)
    }
    | {0, (1 << 63) - 1, -(1 << 63)}
)
LENGTHS = (0, 1, 63, 64, 127, 128, 8_191, 8_192, 70_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbered:
    number: int
    maybe: int | None
    text: str
    perhaps: str | None
    raw: bytes | None
    many: tuple[int, ...]
    last: int


def _by_fastavro(encoded: bytes) -> object:
    return schemaless_reader(BytesIO(encoded), avro_schema_of(Numbered), None)


def _round_trip(record: Numbered) -> None:
    encoded = encoder(Numbered)(record)
    assert decoder(Numbered)(encoded, 0) == record
    assert _by_fastavro(encoded) == {
        "number": record.number,
        "maybe": record.maybe,
        "text": record.text,
        "perhaps": record.perhaps,
        "raw": record.raw,
        "many": list(record.many),
        "last": record.last,
    }


@pytest.mark.parametrize("number", BORDERS)
def test_a_number_at_a_border_is_what_fastavro_reads_and_comes_back(number: int) -> None:
    record = Numbered(
        number=number, maybe=number, text="", perhaps=None, raw=None, many=(number, 1), last=number
    )
    for _ in range(2):  # the second time from what is kept
        _round_trip(record)


@pytest.mark.parametrize("length", LENGTHS)
def test_a_text_of_any_length_is_what_fastavro_reads_and_comes_back(length: int) -> None:
    _round_trip(
        Numbered(
            number=0,
            maybe=None,
            text="a" * length,
            perhaps="ü" * (length // 2),
            raw=b"\x80" * length,
            many=(7,) * length,
            last=1,
        )
    )


def test_what_is_kept_of_numbers_has_a_bound_and_changes_no_byte() -> None:
    begins_ms = 1_700_000_000_000
    encode, decode = encoder(Numbered), decoder(Numbered)
    for number in range(begins_ms, begins_ms + 40_000):
        record = Numbered(
            number=number, maybe=None, text="", perhaps=None, raw=None, many=(), last=0
        )
        assert decode(encode(record), 0) == record
    assert len(avro_numbers.LONGS) <= avro_numbers.KEPT
    assert len(avro_numbers.MOMENTS) <= avro_numbers.KEPT


@pytest.mark.parametrize("end", range(1, 8))
def test_a_number_that_is_cut_off_is_refused(end: int) -> None:
    whole = encoder(Numbered)(
        Numbered(
            number=1_700_000_000_000, maybe=None, text="", perhaps=None, raw=None, many=(), last=0
        )
    )
    with pytest.raises((IndexError, avro_numbers.Malformed)):
        decoder(Numbered)(whole[:end], 0)


@written_once
@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    number: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Carrying:
    name: str
    shared: Shared | None
    others: tuple[Shared, ...]


def test_a_record_inside_another_has_the_bytes_of_its_own_whichever_was_written_before() -> None:
    one, two = Shared(number=1, text="one"), Shared(number=1_700_000_000_000, text="two")
    alone, carried = encoder(Shared, b"frame"), encoder(Carrying)
    record = Carrying(name="c", shared=two, others=(one, two, one))
    for before in (one, two, Shared(number=1_700_000_000_000, text="two")):
        first = alone(before, b"prefix")
        assert first == b"prefix" + b"frame" + encoder(Shared)(before)
        encoded = carried(record)
        assert decoder(Carrying)(encoded, 0) == record
        body = b"".join(encoder(Shared)(shared) for shared in (one, two, one))
        assert encoded.endswith(b"\x06" + body + b"\0")
        assert encoded[2:].startswith(b"\2" + encoder(Shared)(two))
