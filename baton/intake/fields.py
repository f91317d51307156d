"""The bounded field types that the event line is made of. Every one has a limit and says what is
wrong without the value."""

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Final

from pydantic import AfterValidator, Field, PlainValidator, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError

from baton.intake.phones import is_international_number
from baton.number_text import written

EARLIEST_MS = 631_152_000_000  # 1990
LATEST_MS = 4_102_444_800_000  # 2100
MAX_PROFILE_FIELDS = 64
MAX_PROPERTIES = 32
MAX_VALUE_CHARACTERS = 200
MAX_SEVERAL = 16

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
# Half of a surrogate pair is no text either; nothing in JSON is one, so only a caller could hand it
# in.
_CONTROL_OR_BREAK = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_FIELD_NAME = re.compile(r"[a-z][a-z0-9_]{0,47}\Z")
_ADDRESS = re.compile(r"[^\s@]@[^\s@]+\.[^\s@]")
_PHONE = re.compile(r"(?:\+|00)[\d\s()./-]{8,}\Z")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}\Z")
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}")

# Fields that name a person: they belong in "person", which travels only where personal data may.
_PERSONAL = frozenset(
    """address birth_date birthday comment comments date_of_birth email email_address e_mail fax first_name full_name
    given_name family_name ip ip_address last_name message mobile mobile_phone name note notes person phone phone_number street
    surname user_agent username""".split()  # noqa: SIM905 - a list to be read
)


def wrong(reason: str) -> PydanticCustomError:
    """A validation error whose whole text is ``reason``."""
    return PydanticCustomError("baton", "{reason}", {"reason": reason})


def instant_ms(value: Any) -> int:
    """ISO 8601 with a time zone, or an integer of milliseconds, as milliseconds since the epoch
    (UTC)."""
    if isinstance(value, str) and _ISO.match(value) and len(value) <= 40:
        try:
            read = datetime.fromisoformat(value.upper().replace("Z", "+00:00"))
        except ValueError:
            raise wrong("is not a date and time of ISO 8601, as 2026-03-02T10:00:00Z") from None
        if read.tzinfo is None:
            raise wrong("needs a time zone, as in 2026-03-02T10:00:00Z or ...+01:00")
        milliseconds = (read - _EPOCH) // _MILLISECOND
    elif isinstance(value, int) and not isinstance(value, bool):
        milliseconds = value
    else:
        raise wrong(
            "must be a date and time of ISO 8601 with a time zone, or an integer of milliseconds "
            "since 1970"
        )
    if not EARLIEST_MS <= milliseconds < LATEST_MS:
        raise wrong("must lie between 1990 and 2100")
    return milliseconds


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = datetime(1970, 1, 1, 0, 0, 0, 1000) - datetime(1970, 1, 1)  # noqa: DTZ001 - a duration


def _one_line(value: str) -> str:
    # What can be printed has neither; asking that takes a tenth of the search.
    if not value.isprintable() and _CONTROL_OR_BREAK.search(value):
        raise wrong("must not have control characters or line breaks")
    return value


def _text(value: str) -> str:
    return value if value.isprintable() else _CONTROL.sub(" ", value.replace("\x00", "")).strip()


def _line(value: str) -> str:
    """One line of text: NUL is left out, line breaks and other control characters become spaces."""
    return value if value.isprintable() else " ".join(_text(value).split())


def _day(value: str) -> str:
    try:
        return datetime.strptime(value if _DAY.match(value) else "", "%Y-%m-%d").date().isoformat()  # noqa: DTZ007 - a day
    except ValueError:
        raise wrong("must be a day, as 2026-12-31") from None


def _label(value: str) -> str:
    value = _line(value)
    if not value:
        raise wrong("has no character that can be read")
    if "@" in value and _ADDRESS.search(value):
        raise wrong(
            'must not hold an e-mail address; personal data belongs in "person" and "identifiers"'
        )
    return value


def profile_text(name: str, value: Any) -> str | None:
    """One profile value as text; None says nothing. Raises ValueError where it cannot be taken."""
    if value is None or value == "":
        return None
    if isinstance(value, list):
        return _several(name, value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        if abs(value) >= 1 << 53:
            raise ValueError("is too large a number")
        return str(value)
    if isinstance(value, float):
        if not abs(value) < 1 << 53:
            raise ValueError("is too large a number")
        return str(int(value)) if value.is_integer() else written(Decimal(repr(value)))
    if not isinstance(value, str):
        raise ValueError("must be text, a number, true or false")
    return _profile_text(name, _line(" ".join(value.split())))


def _profile_text(name: str, text: str) -> str | None:
    if len(text) > MAX_VALUE_CHARACTERS:
        raise ValueError(f"must have at most {MAX_VALUE_CHARACTERS} characters")
    if not text.isprintable() and _SURROGATE.search(text):
        raise ValueError("must not have control characters")
    if name not in ("domain", "website") and _is_personal(text):
        raise ValueError('looks like personal data, which belongs in "person"')
    return text or None


def _is_personal(text: str) -> bool:
    if "@" in text and _ADDRESS.search(text):
        return True
    return bool(_PHONE.match(text)) and is_international_number(text)


def _several(name: str, values: list[Any]) -> str | None:
    """A set, as the agreement reads it: separated by semicolons."""
    if len(values) > MAX_SEVERAL or any(isinstance(part, list | dict) for part in values):
        raise ValueError(
            f"must be a text, a number, true or false, or a list of at most {MAX_SEVERAL} of these"
        )
    texts = [text.replace(";", ",") for part in values if (text := profile_text(name, part))]
    return profile_text(name, ";".join(dict.fromkeys(texts)))


def _fields(value: Any, limit: int) -> dict[str, str]:
    if not isinstance(value, dict):
        raise wrong("must be an object of names and values")
    if len(value) > limit:
        raise wrong(f"must have at most {limit} fields")
    taken: dict[str, str] = {}
    for name, content in value.items():
        if not isinstance(name, str) or not _FIELD_NAME.match(name):
            raise wrong(
                "has a field whose name is not lower-case letters, digits and _ (at most 48)"
            )
        if name in _PERSONAL:
            raise wrong(f'has "{name}", which is personal data and belongs in "person"')
        try:
            text = profile_text(name, content)
        except ValueError as error:
            raise wrong(f'"{name}" {error}') from None
        if text is not None:
            taken[name] = text
    return taken


def profile_fields(value: Any) -> dict[str, str]:
    """A profile: what is known of a lead that does not name the person."""
    return _fields(value, MAX_PROFILE_FIELDS)


def property_fields(value: Any) -> dict[str, str]:
    """Properties of an engagement, under the same rules."""
    return _fields(value, MAX_PROPERTIES)


_SCALAR = {"type": ["string", "number", "boolean", "null"], "maxLength": MAX_VALUE_CHARACTERS}
_SCALARS = {"anyOf": [_SCALAR, {"type": "array", "maxItems": MAX_SEVERAL, "items": _SCALAR}]}


def _map_schema(limit: int) -> WithJsonSchema:
    names = {"pattern": "^[a-z][a-z0-9_]{0,47}$", "not": {"enum": sorted(_PERSONAL)}}
    return WithJsonSchema(
        {
            "type": "object",
            "maxProperties": limit,
            "propertyNames": names,
            "additionalProperties": _SCALARS,
        }
    )


Instant = Annotated[
    int,
    PlainValidator(instant_ms),
    WithJsonSchema(
        {
            "oneOf": [
                {"type": "string", "format": "date-time"},
                {"type": "integer", "minimum": EARLIEST_MS, "exclusiveMaximum": LATEST_MS},
            ],
            "description": "ISO 8601 with a time zone, or milliseconds since 1970 (UTC)",
        }
    ),
]


def _moment(value: object) -> str:
    at_ms = instant_ms(value)
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds")


Moment = Annotated[
    str, PlainValidator(_moment), WithJsonSchema({"type": "string", "format": "date-time"})
]
"""A moment that is passed on as text, in UTC."""
_SOURCE: Final = r"^[A-Za-z0-9/][A-Za-z0-9._~:/?#!$&'()*+,;=%-]*$"
_WORD: Final = r"^[a-z0-9][a-z0-9_]{0,63}$"
_PERSON: Final = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
_HEX: Final = r"^[0-9a-f]{32}$"
_CURRENCY: Final = r"^[A-Z]{3}$"
ACTOR: Final = r"^(system|marketing|sdr|sales|manager)?$"
FORMS: Final = {
    ACTOR: "system, marketing, sdr, sales or manager",
    _SOURCE: "letters, digits and the signs of a URL, without blanks, such as webshop",
    _WORD: "up to 64 lower-case letters, digits and underscores, such as demo_request",
    _PERSON: "an id of the agreement's people: up to 64 letters, digits, dots, _ and -",
    _HEX: "32 hexadecimal digits in lower case",
    _CURRENCY: "three capital letters, such as EUR",
}
"""What a text that does not have the form of its field should have been."""

SourceName = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=_SOURCE)]
Word = Annotated[str, StringConstraints(pattern=_WORD)]
PersonId = Annotated[str, StringConstraints(pattern=_PERSON)]
OwnId = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=256),
    AfterValidator(_one_line),
]
HexId = Annotated[str, StringConstraints(pattern=_HEX)]
Label = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=256),
    AfterValidator(_label),
]
Name = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=200), AfterValidator(_line)
]
Prose = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=2000), AfterValidator(_text)
]
Day = Annotated[str, AfterValidator(_day), WithJsonSchema({"type": "string", "format": "date"})]
Currency = Annotated[str, StringConstraints(pattern=_CURRENCY)]
AmountMinor = Annotated[int, Field(ge=0, lt=1 << 53)]
Profile = Annotated[dict[str, str], PlainValidator(profile_fields), _map_schema(MAX_PROFILE_FIELDS)]
Properties = Annotated[dict[str, str], PlainValidator(property_fields), _map_schema(MAX_PROPERTIES)]
