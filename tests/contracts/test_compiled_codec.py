"""The compiled codec against the one in Python: the same bytes, records and refusals, on every
record there is and on data that is none."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from enum import StrEnum
from random import Random
from types import ModuleType
from typing import Any, get_args, get_origin, get_type_hints

import pytest

from baton.contracts import avro_binary, avro_codec
from baton.contracts.avro_numbers import Malformed
from tests.contracts.compiled_codec import compiled_codec
from tools.compiled_tests import ROOT, TESTS
from tools.compiled_wheel import is_asked
from tools.schemas import records

RECORDS = sorted({record for _, record in records()}, key=lambda record: record.__name__)
REFUSALS = (Malformed, IndexError, ValueError)
NUMBERS = (0, 1, -1, 63, 64, 8_191, 8_192, 1_700_000_000_000, (1 << 63) - 1, -(1 << 63))
TEXTS = ("", "a", "Grüße", "\0", "🎈" * 40, "x" * 200)

Pair = tuple[Callable[..., Any], Callable[..., Any]]


@pytest.fixture(scope="module")
def module(request: pytest.FixtureRequest) -> ModuleType:
    return compiled_codec(request.config.cache.mkdir("compiled_codec"))


def _encoders(module: ModuleType, record: Any, frame: bytes = b"") -> Pair:
    node = avro_codec.node_of(record, module.Node)
    return avro_binary.encoder(record, frame), module.encoder(node, frame)


def _decoders(module: ModuleType, record: Any) -> Pair:
    node = avro_codec.node_of(record, module.Node)
    return avro_binary.decoder(record), module.decoder(node)


def value_of(hint: Any, draw: Random) -> Any:
    """Some value of a type."""
    hint = getattr(hint, "__supertype__", hint)
    origin, arguments = get_origin(hint), get_args(hint)
    if isinstance(hint, type) and is_dataclass(hint):
        hints = get_type_hints(hint)
        return hint(**{field.name: value_of(hints[field.name], draw) for field in fields(hint)})
    if origin is tuple:
        return tuple(value_of(arguments[0], draw) for _ in range(draw.randrange(4)))
    if origin is Mapping:
        return {draw.choice(TEXTS): value_of(arguments[1], draw) for _ in range(draw.randrange(4))}
    if arguments:
        some = next(argument for argument in arguments if argument is not type(None))
        return None if draw.random() < 0.3 else value_of(some, draw)
    if issubclass(hint, StrEnum):
        return draw.choice(list(hint))
    drawn = {int: NUMBERS, bool: (True, False), bytes: (b"", b"\x80\xff", b"z" * 130)}
    return draw.choice(drawn.get(hint, TEXTS))


def outcome(act: Callable[..., Any], *arguments: Any) -> Any:
    """What comes of it; every refusal of data is the same."""
    try:
        return act(*arguments)
    except REFUSALS:
        return "refused"


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.__name__)
def test_both_codecs_write_and_read_the_same(module: ModuleType, record: Any) -> None:
    (python_encode, encode), (python_decode, decode) = (
        _encoders(module, record, b"frame"),
        _decoders(module, record),
    )
    draw = Random(record.__name__)
    for _ in range(20):
        value = value_of(record, draw)
        encoded = python_encode(value, b"prefix")
        assert encode(value, b"prefix") == encoded
        assert decode(encoded, 11) == python_decode(encoded, 11) == value
        assert type(decode(encoded, 11)) is record


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.__name__)
def test_both_codecs_make_the_same_of_damaged_data(module: ModuleType, record: Any) -> None:
    python_decode, decode = _decoders(module, record)
    encode, draw = avro_binary.encoder(record), Random(record.__name__)
    for _ in range(10):
        data = encode(value_of(record, draw))
        for _ in range(20):
            damaged = bytearray(
                data[: draw.randrange(len(data) + 1)] if draw.random() < 0.3 else data
            )
            for _ in range(draw.randrange(3)):
                if damaged:
                    damaged[draw.randrange(len(damaged))] = draw.choice((0, 1, 2, 127, 128, 255))
            found = outcome(python_decode, bytes(damaged), 0)
            assert outcome(decode, bytes(damaged), 0) == found, damaged.hex()


@dataclass(frozen=True, slots=True)
class Whole:
    number: int
    sure: bool
    text: str
    raw: bytes
    maybe: int | None
    many: tuple[str, ...]
    by_name: Mapping[str, int]


WHOLE = Whole(7, True, "text", b"raw", 5, ("a", "b"), {"k": 1})
OPEN_END = b"\xff" * 9
"""Nine bytes of a number that goes on."""


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("number", 1 << 63),
        ("number", -(1 << 63) - 1),
        ("number", "7"),
        ("number", 7.0),
        ("number", None),
        ("text", None),
        ("text", 7),
        ("text", "\ud800"),
        ("raw", "text"),
        ("raw", None),
        ("many", 7),
        ("many", (None,)),
        ("by_name", {7: 1}),
        ("by_name", {"k": None}),
        ("by_name", ("k",)),
    ],
)
def test_neither_codec_writes_what_is_no_such_record(
    module: ModuleType, name: str, value: Any
) -> None:
    wrong = {field.name: getattr(WHOLE, field.name) for field in fields(Whole)} | {name: value}
    for encode in _encoders(module, Whole):
        with pytest.raises((AttributeError, TypeError, OverflowError, UnicodeEncodeError)):
            encode(Whole(**wrong))


@pytest.mark.parametrize("value", [None, 7, "text", object(), object.__new__(Whole)])
def test_neither_codec_writes_something_else(module: ModuleType, value: Any) -> None:
    for encode in _encoders(module, Whole):
        with pytest.raises((AttributeError, TypeError)):
            encode(value)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(OPEN_END + b"\x02", id="a number of more than 64 bits"),
        pytest.param(OPEN_END + b"\xff\x01", id="a number that does not end"),
        pytest.param(b"\x02\x02", id="no truth value"),
        pytest.param(b"\x02\x01\x01", id="a negative length"),
        pytest.param(b"\x02\x01" + OPEN_END + b"\x01", id="the largest negative length"),
        pytest.param(b"\x02\x01\xfe" + OPEN_END[1:] + b"\x01", id="the largest length"),
        pytest.param(b"\x02\x01\x04a", id="a text that is cut"),
        pytest.param(b"\x02\x01\x02\xff", id="no UTF-8"),
        pytest.param(b"\x02\x01\x00\x00\x04", id="no such branch"),
        pytest.param(b"\x02\x01\x00\x00\x00\xfe" + OPEN_END[1:] + b"\x01", id="an endless array"),
        pytest.param(b"\x02\x01\x00\x00\x00\x01", id="a block without its size"),
        pytest.param(b"\x02\x01\x00\x00\x00\x00\x02\x02k", id="a map that is cut"),
        pytest.param(b"\x02\x01\x00\x00\x00\x00\x00\x00", id="a byte too many"),
    ],
)
def test_both_codecs_refuse_data_that_is_no_record(module: ModuleType, data: bytes) -> None:
    for decode in _decoders(module, Whole):
        with pytest.raises(REFUSALS):
            decode(data, 0)


def test_a_place_outside_of_the_data_is_refused(module: ModuleType) -> None:
    _, decode = _decoders(module, Whole)
    data = avro_binary.encoder(Whole)(WHOLE)
    for place in (-1, len(data), len(data) + 1, 1 << 40):
        with pytest.raises(REFUSALS):
            decode(data, place)


def test_blocks_with_their_sizes_are_read(module: ModuleType) -> None:
    data = b"\x02\x01\x00\x00\x00" + b"\x01\x04\x02a" + b"\x80\x00" + b"\x02\x02b\x00" + b"\x00"
    for decode in _decoders(module, Whole):
        assert decode(data, 0).many == ("a", "b")


@dataclass(frozen=True)
class Unslotted:
    number: int
    inner: Whole


@dataclass(frozen=True, slots=True)
class Checked:
    number: int

    def __post_init__(self) -> None:
        if self.number < 0:
            raise ValueError("below zero")


@dataclass(frozen=True, slots=True)
class Longer(Whole):
    more: str = ""


def test_records_of_every_build_come_back(module: ModuleType) -> None:
    longer = Longer(**{field.name: getattr(WHOLE, field.name) for field in fields(Whole)}, more="m")
    for value in (Unslotted(1, WHOLE), Checked(1), longer):
        python_encode, encode = _encoders(module, type(value))
        _, decode = _decoders(module, type(value))
        assert encode(value) == python_encode(value)
        assert decode(encode(value), 0) == value
    _, decode = _decoders(module, Checked)
    with pytest.raises(ValueError, match="below zero"):
        decode(b"\x01", 0)
    python_encode, encode = _encoders(module, Whole)
    assert encode(longer) == python_encode(longer)


def test_nothing_is_left_of_records_that_were_written_read_or_refused(module: ModuleType) -> None:
    _, encode = _encoders(module, Whole)
    _, decode = _decoders(module, Whole)
    data = encode(WHOLE)
    counted = (Whole, WHOLE, WHOLE.text, WHOLE.raw, WHOLE.many, WHOLE.by_name, data)
    before = [sys.getrefcount(counted_object) for counted_object in counted]
    for _ in range(1_000):
        encode(WHOLE)
        decode(data, 0)
        for end in range(len(data)):
            assert outcome(decode, data[:end], 0) == "refused"
    assert [sys.getrefcount(counted_object) for counted_object in counted] == before


def test_a_build_has_compiled_modules_only_where_it_is_asked_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for value, asked in (("1", True), ("0", False), ("", False)):
        monkeypatch.setenv("BATON_COMPILE", value)
        assert is_asked() is asked
    monkeypatch.setenv("BATON_COMPILE", "yes")
    with pytest.raises(SystemExit, match="BATON_COMPILE=yes: 1 builds"):
        is_asked()


def test_what_is_run_against_the_compiled_wheel_is_there() -> None:
    assert [name for name in TESTS if not (ROOT / name).exists()] == []
