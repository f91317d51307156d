"""The pieces every section is made of: strict values with words for errors, read the same from YAML
and canonical JSON."""

from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema
from pydantic_core import PydanticCustomError

from baton.agreement.quantities import (
    TargetWords,
    duration_words,
    micro_of,
    parse_duration_ms,
    parse_target,
    points_words,
)

MAX_POINTS = 10_000


class Section(BaseModel):
    """A part of the agreement: frozen, and a key it does not know is an error."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        validate_default=False,
        use_attribute_docstrings=True,
    )


def problem(text: str) -> PydanticCustomError:
    """An error whose words are meant for the person who wrote the file."""
    return PydanticCustomError("agreement", "{text}", {"text": text})


def _duration(value: Any) -> int:
    if isinstance(value, str):
        try:
            return parse_duration_ms(value)
        except ValueError as error:
            raise problem(str(error)) from error
    raise problem(
        f'{_shown(value)} has no unit: write a duration such as "14 days", "8 hours" or "30 '
        'minutes"'
    )


def _target(value: Any) -> TargetWords:
    if isinstance(value, TargetWords):
        return value
    if isinstance(value, str):
        try:
            return parse_target(value)
        except ValueError as error:
            raise problem(str(error)) from error
    raise problem(
        f'{_shown(value)} is not a target: write "4 business hours", "2 working days" or "30 '
        'minutes elapsed"'
    )


def points_micro(value: Any) -> int:
    """Points as millionths. Raises a problem in words for what is no number of points."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise problem(
            f"{_shown(value)} is not a number of points: write a plain number such as 15 or -20"
        )
    points = Decimal(str(value))
    if not points.is_finite() or abs(points) > MAX_POINTS:
        raise problem(f"{value} points is too much: from -{MAX_POINTS} to {MAX_POINTS}")
    try:
        return micro_of(points)
    except ValueError as error:
        raise problem(f"{error}: points are counted in millionths") from error


def _percent(value: Any) -> int:
    text = str(value).strip()
    digits = text.removesuffix("%").strip()
    if (
        not isinstance(value, str)
        or not text.endswith("%")
        or not digits.isdigit()
        or not 0 < int(digits) < 100
    ):
        raise problem(f'{_shown(value)} is not a share: write "50%", from 1% to 99%')
    return int(digits)


def _shown(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)


def _points_out(micro: int) -> int | float:
    """A JSON number that reads back to the same millionths."""
    return int(micro // 1_000_000) if micro % 1_000_000 == 0 else float(points_words(micro))


Duration = Annotated[
    int,
    BeforeValidator(_duration),
    PlainSerializer(duration_words, return_type=str, when_used="json"),
    WithJsonSchema(
        {
            "type": "string",
            "description": 'Elapsed time: "14 days", "8 hours", "1 hour 30 minutes".',
        }
    ),
]
"""Elapsed time, in milliseconds once read."""

TargetText = Annotated[
    TargetWords,
    BeforeValidator(_target),
    PlainSerializer(lambda target: target.words, return_type=str, when_used="json"),
    WithJsonSchema(
        {
            "type": "string",
            "description": '"4 business hours", "2 working days" or "30 minutes elapsed".',
        }
    ),
]

Points = Annotated[
    int,
    BeforeValidator(points_micro),
    PlainSerializer(_points_out, return_type=int | float, when_used="json"),
    WithJsonSchema({"type": "number", "description": "Points, with at most six decimals."}),
]
"""Points, in millionths once read."""

Percent = Annotated[
    int,
    BeforeValidator(_percent),
    PlainSerializer(lambda percent: f"{percent}%", return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": "^[0-9]{1,2} ?%$"}),
]

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
"""A word that other parts of the agreement, topics and keys refer to."""

Label = Annotated[str, Field(min_length=1, max_length=200)]
"""Text for people."""
