"""Attribution: the worked cases to the minor unit, and what holds whatever the journey."""

from collections import Counter
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.insights.figures.attribution import (
    DAY_MS,
    NO_TOUCH,
    Conversion,
    Model,
    Touch,
    allocate,
    credits_of,
)

AMOUNT = 100_000


def touch(name: str, day: int, *, lead: str = "lead") -> Touch:
    at = day * DAY_MS
    return Touch(
        event_id=name,
        lead_id=lead,
        occurred_at_ms=at,
        received_at_ms=at,
        campaign=name,
        day=str(day),
    )


def won(
    day: int, *, known: int | None = None, opportunity: int | None = None, amount: int = AMOUNT
) -> Conversion:
    return Conversion(
        amount_minor=amount,
        won_at_ms=day * DAY_MS,
        known_at_ms=None if known is None else known * DAY_MS,
        opportunity_at_ms=None if opportunity is None else opportunity * DAY_MS,
    )


def by_campaign(model: Model, touches: list[Touch], conversion: Conversion) -> dict[str, int]:
    found: Counter[str] = Counter()
    for credit in credits_of(model, touches, conversion):
        found[credit.campaign] += credit.amount_minor
    return {name: amount for name, amount in found.items() if amount}


FIVE = [
    touch("ad", 0),
    touch("paper", 10),
    touch("webinar", 20),
    touch("pricing", 30),
    touch("case", 35),
]
ONE = [touch("only", 3)]
AD_DEMO = [touch("ad", 0), touch("demo", 7)]
FORM_DEMO = [touch("form", 0), touch("demo", 14)]
SAME_MOMENT = [touch("b", 5), touch("a", 5)]
AFTER = [touch("ad", 30)]

A, B, C = (
    won(40, known=10, opportunity=30),
    won(9, known=3, opportunity=5),
    won(20, known=7, opportunity=7),
)
D, E, G = won(30, known=0, opportunity=14), won(9, known=5, opportunity=5), won(20)
WHOLE = {"only": AMOUNT}
NOBODY = {NO_TOUCH: AMOUNT}

CASES: tuple[tuple[str, list[Touch], Conversion, Mapping[Model, Mapping[str, int]]], ...] = (
    (
        "five touches",
        FIVE,
        A,
        {
            Model.FIRST: {"ad": 100_000},
            Model.LAST: {"case": 100_000},
            Model.LINEAR: dict.fromkeys(("ad", "paper", "webinar", "pricing", "case"), 20_000),
            Model.POSITION: {
                "ad": 40_000,
                "paper": 6_667,
                "webinar": 6_667,
                "pricing": 6_666,
                "case": 40_000,
            },
            Model.U: {"ad": 40_000, "paper": 40_000, "webinar": 10_000, "pricing": 10_000},
            Model.W: {"ad": 30_000, "paper": 30_000, "webinar": 10_000, "pricing": 30_000},
            Model.FULL_PATH: {
                "ad": 22_500,
                "paper": 22_500,
                "webinar": 10_000,
                "pricing": 22_500,
                "case": 22_500,
            },
            Model.DECAY: {
                "ad": 1_601,
                "paper": 4_311,
                "webinar": 11_604,
                "pricing": 31_236,
                "case": 51_248,
            },
        },
    ),
    ("one touch", ONE, B, dict.fromkeys(Model, WHOLE)),
    (
        "the last touch is lead creation and opportunity",
        AD_DEMO,
        C,
        {
            Model.FIRST: {"ad": 100_000},
            Model.LAST: {"demo": 100_000},
            Model.LINEAR: {"ad": 50_000, "demo": 50_000},
            Model.POSITION: {"ad": 50_000, "demo": 50_000},
            Model.U: {"ad": 50_000, "demo": 50_000},
            Model.W: {"ad": 33_333, "demo": 66_667},
            Model.FULL_PATH: {"ad": 25_000, "demo": 75_000},
            Model.DECAY: {"ad": 33_333, "demo": 66_667},
        },
    ),
    (
        "the first touch is lead creation",
        FORM_DEMO,
        D,
        {
            Model.FIRST: {"form": 100_000},
            Model.LAST: {"demo": 100_000},
            Model.LINEAR: {"form": 50_000, "demo": 50_000},
            Model.POSITION: {"form": 50_000, "demo": 50_000},
            Model.U: {"form": 80_000, "demo": 20_000},
            Model.W: {"form": 66_667, "demo": 33_333},
            Model.FULL_PATH: {"form": 50_000, "demo": 50_000},
            Model.DECAY: {"form": 20_000, "demo": 80_000},
        },
    ),
    (
        "two touches of the same millisecond",
        SAME_MOMENT,
        E,
        {
            Model.FIRST: {"a": 100_000},
            Model.LAST: {"b": 100_000},
            Model.LINEAR: {"a": 50_000, "b": 50_000},
            Model.POSITION: {"a": 50_000, "b": 50_000},
            Model.U: {"a": 50_000, "b": 50_000},
            Model.W: {"a": 33_333, "b": 66_667},
            Model.FULL_PATH: {"a": 25_000, "b": 75_000},
            Model.DECAY: {"a": 50_000, "b": 50_000},
        },
    ),
    ("a touch after won", AFTER, G, dict.fromkeys(Model, NOBODY)),
    ("no touch at all", [], G, dict.fromkeys(Model, NOBODY)),
)
ROWS = [
    pytest.param(touches, conversion, model, expected, id=f"{name}: {model}")
    for name, touches, conversion, models in CASES
    for model, expected in models.items()
]


@pytest.mark.parametrize(("touches", "conversion", "model", "expected"), ROWS)
def test_the_worked_case_comes_out_to_the_minor_unit(
    touches: list[Touch], conversion: Conversion, model: Model, expected: Mapping[str, int]
) -> None:
    assert by_campaign(model, touches, conversion) == expected


def test_every_model_is_in_every_case() -> None:
    assert all(set(models) == set(Model) for *_, models in CASES)


def test_the_touch_that_makes_the_deal_counts() -> None:
    assert by_campaign(Model.LAST, [touch("ad", 0), touch("form", 20)], won(20)) == {"form": AMOUNT}


def test_twenty_views_of_one_day_weigh_as_one() -> None:
    views = [
        Touch(
            event_id=f"v{n}",
            lead_id="lead",
            occurred_at_ms=n,
            received_at_ms=n,
            campaign="search",
            day="1",
        )
        for n in range(20)
    ]
    assert by_campaign(Model.LINEAR, [*views, touch("fair", 3)], won(9)) == {
        "search": 50_000,
        "fair": 50_000,
    }


def test_touches_after_the_opportunity_get_nothing_of_u_and_w() -> None:
    late = [touch("ad", 12)]
    assert by_campaign(Model.W, late, won(20, known=12, opportunity=10)) == NOBODY
    assert by_campaign(Model.LAST, late, won(20, known=12, opportunity=10)) == {"ad": AMOUNT}


def test_an_unknown_milestone_is_left_out_and_the_rest_takes_its_share() -> None:
    assert by_campaign(Model.U, FIVE, won(40, opportunity=30)) == {
        "ad": 66_667,
        "paper": 11_111,
        "webinar": 11_111,
        "pricing": 11_111,
    }


@pytest.mark.parametrize(
    ("amount", "weights", "expected"),
    [
        (100, (1, 1, 1), [34, 33, 33]),
        (0, (1, 2), [0, 0]),
        (-100, (1, 1, 1), [-34, -33, -33]),
        (1, (1, 1), [1, 0]),
    ],
)
def test_the_largest_remainder_gets_the_rest_and_the_earlier_of_equal_ones(
    amount: int, weights: tuple[int, ...], expected: list[int]
) -> None:
    from fractions import Fraction

    assert allocate(amount, [Fraction(weight) for weight in weights]) == expected


@pytest.mark.parametrize("weights", [(0, 0), (1, -1)])
def test_weights_that_share_nothing_out_are_refused(weights: tuple[int, ...]) -> None:
    from fractions import Fraction

    with pytest.raises(ValueError, match="weights"):
        allocate(100, [Fraction(weight) for weight in weights])


touches_of = st.lists(
    st.builds(
        Touch,
        event_id=st.text("abcdef", min_size=1, max_size=3),
        lead_id=st.sampled_from(("one", "two")),
        occurred_at_ms=st.integers(0, 60 * DAY_MS),
        received_at_ms=st.integers(0, 60 * DAY_MS),
        campaign=st.sampled_from(("ad", "fair", "mail", NO_TOUCH)),
        day=st.sampled_from(("1", "2", "3", "4")),
    ),
    max_size=12,
    unique_by=lambda entry: entry.event_id,
)
moment = st.integers(0, 60 * DAY_MS)
conversions = st.builds(
    Conversion,
    amount_minor=st.integers(0, 10**12),
    won_at_ms=moment,
    known_at_ms=st.none() | moment,
    opportunity_at_ms=st.none() | moment,
)
models = st.sampled_from(tuple(Model))


@given(touches_of, conversions, models)
def test_credits_add_up_to_the_amount(
    touches: list[Touch], conversion: Conversion, model: Model
) -> None:
    assert (
        sum(credit.amount_minor for credit in credits_of(model, touches, conversion))
        == conversion.amount_minor
    )


@given(touches_of, conversions, models, st.randoms())
def test_the_order_of_the_input_changes_nothing(
    touches: list[Touch], conversion: Conversion, model: Model, random
) -> None:  # type: ignore[no-untyped-def]
    shuffled = random.sample(touches, len(touches))
    assert credits_of(model, shuffled, conversion) == credits_of(model, touches, conversion)


@given(touches_of, conversions, models)
def test_a_touch_after_the_conversion_changes_nothing(
    touches: list[Touch], conversion: Conversion, model: Model
) -> None:
    late = Touch(
        event_id="zzzz",
        lead_id="one",
        occurred_at_ms=conversion.won_at_ms + 1,
        received_at_ms=0,
        campaign="late",
        day="9",
    )
    assert credits_of(model, [*touches, late], conversion) == credits_of(model, touches, conversion)


@given(touches_of, conversions, models)
def test_doubling_the_amount_doubles_each_credit_to_within_a_unit(
    touches: list[Touch], conversion: Conversion, model: Model
) -> None:
    twice = Conversion(
        amount_minor=2 * conversion.amount_minor,
        won_at_ms=conversion.won_at_ms,
        known_at_ms=conversion.known_at_ms,
        opportunity_at_ms=conversion.opportunity_at_ms,
    )
    once = credits_of(model, touches, conversion)
    for one, two in zip(once, credits_of(model, touches, twice), strict=True):
        assert abs(two.amount_minor - 2 * one.amount_minor) <= 1


@given(touches_of, conversions)
def test_the_first_touch_is_the_first_of_linears_rows(
    touches: list[Touch], conversion: Conversion
) -> None:
    (first,) = credits_of(Model.FIRST, touches, conversion)
    assert first.touch == credits_of(Model.LINEAR, touches, conversion)[0].touch
