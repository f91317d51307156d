"""Attribution: which touches get how much of a conversion's amount, by model, to the minor unit.

Promises: the credits of one conversion add up to its amount exactly; the order of the input changes
nothing; a touch after the conversion changes nothing. What a model wants and the journey does not
have is left out, and the rest renormalised. A conversion without any touch in the model's window is
credited to :data:`NO_TOUCH`. Does not decide which touches belong to a journey.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal
from enum import StrEnum
from fractions import Fraction
from math import lcm
from typing import Final

NO_TOUCH: Final = "(none)"
DAY_MS: Final = 86_400_000
DEFAULT_HALF_LIFE_MS: Final = 7 * DAY_MS
_DECIMALS: Final = Context(prec=34)


class Model(StrEnum):
    """Models of attribution; :data:`DEFINITIONS` says what each means."""

    FIRST = "first"
    LAST = "last"
    LINEAR = "linear"
    POSITION = "position"
    U = "u"
    W = "w"
    FULL_PATH = "full_path"
    DECAY = "decay"


DEFINITIONS: Final[Mapping[Model, str]] = {
    Model.FIRST: "All of it to the first touch.",
    Model.LAST: "All of it to the last touch at or before won.",
    Model.LINEAR: "The same share to every touch.",
    Model.POSITION: "40 % to the first touch, 40 % to the last, 20 % shared by those between.",
    Model.U: "40 % to the first touch, 40 % to the one that made the lead known, 20 % shared by the other touches up to the opportunity.",
    Model.W: "30 % each to the first touch, the one that made the lead known and the last before the opportunity; 10 % shared by"
    " the other touches up to the opportunity.",
    Model.FULL_PATH: "22.5 % each to the first touch, the one that made the lead known, the last before the opportunity and the last"
    " before won; 10 % shared by the others.",
    Model.DECAY: "Half the weight for every 7 days before the last touch.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Touch:
    """One engagement of a journey. ``campaign`` is what the credit is shown by; ``day`` the day in
    the agreement's time zone."""

    event_id: str
    lead_id: str
    occurred_at_ms: int
    received_at_ms: int
    campaign: str = NO_TOUCH
    day: str = ""

    @property
    def order(self) -> tuple[int, int, str]:
        """The total order of touches, so that a rebuild gives the same cents."""
        return (self.occurred_at_ms, self.received_at_ms, self.event_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """What is credited: ``amount_minor`` at ``won_at_ms``. ``known_at_ms`` (lead creation) and
    ``opportunity_at_ms`` are milestones; None where it is not known when."""

    amount_minor: int
    won_at_ms: int
    known_at_ms: int | None = None
    opportunity_at_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Credit:
    """``touch`` None: nobody touched the journey before it converted."""

    touch: Touch | None
    amount_minor: int

    @property
    def campaign(self) -> str:
        """What the credit is shown by."""
        return NO_TOUCH if self.touch is None else self.touch.campaign


def collapsed(touches: Iterable[Touch]) -> list[Touch]:
    """Touches in their order, repeated ones of one (lead, campaign, day) as the first of them; the
    same event counts once."""
    kept: dict[tuple[str, str, str], Touch] = {}
    for touch in sorted(
        {touch.event_id: touch for touch in sorted(touches, key=lambda t: t.order)}.values(),
        key=lambda t: t.order,
    ):
        kept.setdefault((touch.lead_id, touch.campaign, touch.day or touch.event_id), touch)
    return list(kept.values())


def credits_of(
    model: Model,
    touches: Iterable[Touch],
    conversion: Conversion,
    *,
    half_life_ms: int = DEFAULT_HALF_LIFE_MS,
) -> tuple[Credit, ...]:
    """The credits of one conversion, in the order of the touches; touches that get nothing are left
    out."""
    return credits_of_collapsed(model, collapsed(touches), conversion, half_life_ms=half_life_ms)


def credits_of_collapsed(
    model: Model,
    touches: Iterable[Touch],
    conversion: Conversion,
    *,
    half_life_ms: int = DEFAULT_HALF_LIFE_MS,
) -> tuple[Credit, ...]:
    """The same for touches that :func:`collapsed` made: several models share them. The earliest of
    repeated touches stays, so it makes no difference that the window is applied afterwards."""
    until_ms = _window_end(model, conversion)
    journey = [touch for touch in touches if touch.occurred_at_ms <= until_ms]
    if not journey:
        return (Credit(touch=None, amount_minor=conversion.amount_minor),)
    weights = _weights(model, journey, conversion, half_life_ms)
    shares = allocate(conversion.amount_minor, weights)
    return tuple(
        Credit(touch=touch, amount_minor=share)
        for touch, share, weight in zip(journey, shares, weights, strict=True)
        if weight
    )


def _window_end(model: Model, conversion: Conversion) -> int:
    if model in (Model.U, Model.W) and conversion.opportunity_at_ms is not None:
        return min(conversion.opportunity_at_ms, conversion.won_at_ms)
    return conversion.won_at_ms


def allocate(amount: int, weights: Sequence[Fraction]) -> list[int]:
    """``amount`` in whole units by ``weights``: the largest remainders get the rest, the earlier
    one where they are equal.

    Raises ValueError unless some weight is positive and none is negative.
    """
    scale = lcm(*(weight.denominator for weight in weights))
    parts = [weight.numerator * (scale // weight.denominator) for weight in weights]
    total = sum(parts)
    if total <= 0 or min(parts) < 0:
        raise ValueError("weights must not be negative, and one must be positive")
    sign, whole = (-1, -amount) if amount < 0 else (1, amount)
    divided = [divmod(whole * part, total) for part in parts]
    shares = [share for share, _ in divided]
    rest = whole - sum(shares)
    by_remainder = sorted(range(len(divided)), key=lambda number: (-divided[number][1], number))
    for number in by_remainder[:rest]:
        shares[number] += 1
    return [sign * share for share in shares]


def _weights(
    model: Model, journey: Sequence[Touch], conversion: Conversion, half_life_ms: int
) -> list[Fraction]:
    if model is Model.DECAY:
        return _decayed(journey, half_life_ms)
    if model is Model.LINEAR:
        return [Fraction(1)] * len(journey)
    marks = _MILESTONES[model](journey, conversion)
    middle = _MIDDLE[model]
    weights = [Fraction(0)] * len(journey)
    for place, weight in marks:
        if place is not None:
            weights[place] += weight
    others = [
        number for number in range(len(journey)) if number not in {place for place, _ in marks}
    ]
    for number in others:
        weights[number] += middle / len(others)
    return weights


def _decayed(journey: Sequence[Touch], half_life_ms: int) -> list[Fraction]:
    """2^(-(t_last - t) / h), to 34 digits, so that every machine has the same."""
    last = journey[-1].occurred_at_ms
    powers = (Decimal(touch.occurred_at_ms - last) / half_life_ms for touch in journey)
    return [Fraction(_DECIMALS.power(Decimal(2), power)) for power in powers]


Marks = tuple[tuple[int | None, Fraction], ...]


def _last_until(journey: Sequence[Touch], until_ms: int | None) -> int | None:
    """The place of the last touch at or before ``until_ms``; None where there is none, or the
    moment is not known."""
    if until_ms is None:
        return None
    return next(
        (n for n in reversed(range(len(journey))) if journey[n].occurred_at_ms <= until_ms), None
    )


def _ends(journey: Sequence[Touch], _: Conversion) -> Marks:
    return ((0, Fraction(40)), (len(journey) - 1, Fraction(40)))


def _first(journey: Sequence[Touch], _: Conversion) -> Marks:
    return ((0, Fraction(1)),)


def _last(journey: Sequence[Touch], _: Conversion) -> Marks:
    return ((len(journey) - 1, Fraction(1)),)


def _u(journey: Sequence[Touch], conversion: Conversion) -> Marks:
    return ((0, Fraction(40)), (_last_until(journey, conversion.known_at_ms), Fraction(40)))


def _w(journey: Sequence[Touch], conversion: Conversion) -> Marks:
    known = _last_until(journey, conversion.known_at_ms)
    return (
        (0, Fraction(30)),
        (known, Fraction(30)),
        (_last_until(journey, conversion.opportunity_at_ms), Fraction(30)),
    )


def _full_path(journey: Sequence[Touch], conversion: Conversion) -> Marks:
    weight = Fraction(45, 2)
    moments = (conversion.known_at_ms, conversion.opportunity_at_ms, conversion.won_at_ms)
    return ((0, weight), *((_last_until(journey, moment), weight) for moment in moments))


_MILESTONES: Final[Mapping[Model, Callable[[Sequence[Touch], Conversion], Marks]]] = {
    Model.FIRST: _first,
    Model.LAST: _last,
    Model.POSITION: _ends,
    Model.U: _u,
    Model.W: _w,
    Model.FULL_PATH: _full_path,
}
_MIDDLE: Final[Mapping[Model, Fraction]] = {
    Model.FIRST: Fraction(0),
    Model.LAST: Fraction(0),
    Model.POSITION: Fraction(20),
    Model.U: Fraction(20),
    Model.W: Fraction(10),
    Model.FULL_PATH: Fraction(10),
}
