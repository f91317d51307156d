"""Conditions: every comparison, what is unknown, expressions that cannot hang, and what is said
about them without facts."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from baton.agreement.checks.condition_logic import common_words, contradiction, takes_all_of
from baton.agreement.compiled.conditions import compile_condition
from baton.agreement.compiled.patterns import compile_pattern
from baton.agreement.condition_context import ConditionContext
from baton.agreement.condition_fields import Field, FieldSources, catalogue_of
from baton.agreement.describe import condition_words
from baton.agreement.model.condition import OPS_OF, ConditionModel, Op
from baton.agreement.wall_time import zone_named
from tests.cpu_cost import cpu_passes

UTC = zone_named("UTC")
READ: TypeAdapter[ConditionModel] = TypeAdapter(ConditionModel)
FIELDS: dict[str, Field] = catalogue_of(
    FieldSources(
        profile={
            "country": "text",
            "employees": "number",
            "contract_end": "date",
            "products": "set",
            "role": "text",
        },
        acts=("demo_request", "page_view"),
        topics=("pricing",),
        content_stages=("awareness", "consideration", "decision"),
        levels=("cold", "warm", "hot"),
        grades=("A1", "A2", "B1"),
        segments=("small", "large"),
        stages=("inquiry", "mql"),
        reasons=("not_ready",),
        purposes={"sales": ("phone", "email")},
    )
)
NOW = 1_772_450_000_000  # 2026-03-02


class Counts:
    """A lead's acts as (kind, name, at_ms)."""

    def __init__(self, *acts: tuple[str, str, int]) -> None:
        self.acts = acts

    def count(self, kind: str, name: str, since_ms: int | None) -> int:
        return sum(
            (k, n) == (kind, name) and (since_ms is None or at >= since_ms)
            for k, n, at in self.acts
        )


def model(plain: Any) -> ConditionModel:
    return READ.validate_json(json.dumps(plain))


def holds(plain: Any, **facts: Any) -> bool | None:
    return compile_condition(model(plain), FIELDS, UTC)(ConditionContext(now_ms=NOW, **facts))


def asks(field: str, op: str, value: Any = None, **more: Any) -> dict[str, Any]:
    return {"field": field, "op": op, **({} if value is None else {"value": value}), **more}


PROFILE = {
    "country": " no ",
    "employees": "250",
    "contract_end": "2026-04-01",
    "products": "Crm; ERP",
    "role": "Head of IT",
}
DAY = 86_400_000


@pytest.mark.parametrize(
    ("plain", "outcome"),
    [
        (asks("profile.country", "is", "NO"), True),
        (asks("profile.country", "is", "DE"), False),
        (asks("profile.country", "is_not", "DE"), True),
        (asks("profile.country", "is_not", "no"), False),
        (asks("profile.country", "in", ["DE", "No"]), True),
        (asks("profile.country", "in", ["DE"]), False),
        (asks("profile.country", "not_in", ["DE"]), True),
        (asks("profile.country", "not_in", ["NO"]), False),
        (asks("profile.role", "contains", "OF"), True),
        (asks("profile.role", "contains", "sales"), False),
        (asks("profile.role", "starts_with", "head"), True),
        (asks("profile.role", "starts_with", "it"), False),
        (asks("profile.role", "ends_with", "it"), True),
        (asks("profile.role", "ends_with", "head"), False),
        (asks("profile.role", "matches", r"\bHEAD\b"), True),
        (asks("profile.role", "matches", r"^of"), False),
        (asks("profile.employees", "is", 250), True),
        (asks("profile.employees", "is_not", 250), False),
        (asks("profile.employees", "in", [1, 250]), True),
        (asks("profile.employees", "not_in", [1, 250]), False),
        (asks("profile.employees", "at_least", 250), True),
        (asks("profile.employees", "at_least", 250.5), False),
        (asks("profile.employees", "at_most", 250), True),
        (asks("profile.employees", "at_most", 249), False),
        (asks("profile.employees", "above", 250), False),
        (asks("profile.employees", "above", 249), True),
        (asks("profile.employees", "below", 250), False),
        (asks("profile.employees", "below", 251), True),
        (asks("profile.employees", "between", [100, 250]), True),
        (asks("profile.employees", "between", [251, 999]), False),
        (asks("profile.contract_end", "is", "2026-04-01"), True),
        (asks("profile.contract_end", "before", "2026-04-01"), False),
        (asks("profile.contract_end", "before", "2026-04-02"), True),
        (asks("profile.contract_end", "after", "2026-04-01"), False),
        (asks("profile.contract_end", "from", "2026-04-01"), True),
        (asks("profile.contract_end", "until", "2026-03-31"), False),
        (asks("profile.contract_end", "until", "2026-04-01"), True),
        (asks("profile.contract_end", "between", ["2026-01-01", "2026-12-31"]), True),
        (asks("profile.contract_end", "within_next", "30 days"), True),
        (asks("profile.contract_end", "within_next", "29 days"), False),
        (asks("profile.contract_end", "within_last", "30 days"), False),
        (asks("profile.products", "has", "erp"), True),
        (asks("profile.products", "has", "cr"), False),
        (asks("profile.products", "has_any", ["bi", "crm"]), True),
        (asks("profile.products", "has_all", ["erp", "crm"]), True),
        (asks("profile.products", "has_all", ["erp", "bi"]), False),
        (asks("profile.products", "has_none", ["bi"]), True),
        (asks("profile.products", "has_none", ["crm"]), False),
        (asks("profile.country", "known"), True),
        (asks("profile.country", "unknown"), False),
    ],
)
def test_a_comparison_of_the_profile(plain: Any, outcome: bool) -> None:
    assert holds(plain, profile=PROFILE) is outcome


@pytest.mark.parametrize(
    ("plain", "facts", "outcome"),
    [
        (asks("score.fit", "at_least", 70), {"fit_micro": 70_000_000}, True),
        (asks("score.fit", "at_least", 70), {"fit_micro": 69_999_999}, False),
        (asks("score.engagement", "below", 0.5), {"engagement_micro": 449_999}, True),
        (asks("score.level", "in", ["warm", "hot"]), {"level": "warm"}, True),
        (asks("score.grade", "is", "A1"), {"grade": "A2"}, False),
        (asks("account.engaged_people", "at_least", 3), {"account_engaged_people": 3}, True),
        (asks("account.people", "above", 3), {"account_people": 3}, False),
        (
            asks("account.engagement", "at_least", 100),
            {"account_engagement_micro": 100_000_000},
            True,
        ),
        (asks("account.senior_role", "is", "VP"), {"account_senior_role": "vp"}, True),
        (asks("account.id", "is", "acme.example"), {"account_id": "acme.example"}, True),
        (asks("cycle.number", "above", 1), {"cycle": 2}, True),
        (asks("cycle.recycles", "at_least", 1), {"recycles": 0}, False),
        (asks("cycle.stage", "is", "mql"), {"stage": "mql"}, True),
        (asks("cycle.last_reason", "is", "not_ready"), {"last_reason": "not_ready"}, True),
        (asks("cycle.hand_raised", "is", True), {"hand_raised": True}, True),
        (asks("cycle.hand_raised", "is", False), {"hand_raised": True}, False),
        (asks("lead.segment", "is", "large"), {"segment": "large"}, True),
        (asks("lead.source", "is", "fair"), {"source": "Fair"}, True),
        (asks("lead.campaign", "starts_with", "spring"), {"campaign": "Spring-26"}, True),
        (asks("lead.leg", "is", "sdr"), {"leg": "sales"}, False),
        (asks("lead.reachable", "is", True), {"reachable": True}, True),
        (asks("lead.reachable", "is", True), {"reachable": False}, False),
        (asks("lead.reachable", "is", True), {}, None),
        (asks("score.engagement", "at_least", 20), {"engagement_micro": 19_950_000}, True),
        (asks("score.engagement", "at_least", 20), {"engagement_micro": 19_949_999}, False),
        (asks("score.engagement", "below", 20), {"engagement_micro": 19_950_000}, False),
        (asks("score.engagement", "below", 20), {"engagement_micro": 19_949_999}, True),
        (
            asks("consent.sales.phone", "is", "granted"),
            {"consents": {"sales/phone": "granted"}},
            True,
        ),
        (
            asks("consent.sales.phone", "is", "granted"),
            {"consents": {"sales/any": "granted"}},
            True,
        ),
        (
            asks("consent.sales.phone", "is", "granted"),
            {"consents": {"sales/any": "granted", "sales/phone": "refused"}},
            False,
        ),
        (
            asks("consent.sales.phone", "is", "refused"),
            {"consents": {"sales/email": "refused"}},
            None,
        ),
    ],
)
def test_a_comparison_of_everything_else(
    plain: Any, facts: dict[str, Any], outcome: bool | None
) -> None:
    assert holds(plain, **facts) is outcome


@pytest.mark.parametrize(
    ("plain", "outcome"),
    [
        (asks("behaviour.act.demo_request", "at_least", 1), True),
        (asks("behaviour.act.demo_request", "at_least", 1, within="9 days"), False),
        (asks("behaviour.act.demo_request", "at_least", 1, within="10 days"), True),
        (asks("behaviour.act.page_view", "is", 2), True),
        (asks("behaviour.stage.decision", "at_least", 1), True),
        (asks("behaviour.topic.pricing", "at_least", 2), False),
    ],
)
def test_behaviour_is_counted_inside_a_window(plain: Any, outcome: bool) -> None:
    acts = Counts(
        ("act", "demo_request", NOW - 10 * DAY),
        ("act", "page_view", NOW),
        ("act", "page_view", NOW - DAY),
        ("stage", "decision", NOW),
        ("topic", "pricing", NOW),
    )
    assert holds(plain, behaviour=acts) is outcome


@pytest.mark.parametrize(
    "plain",
    [
        asks("profile.country", "is", "NO"),
        asks("profile.country", "not_in", ["NO"]),
        asks("profile.role", "matches", "x"),
        asks("profile.employees", "at_least", 1),
        asks("profile.contract_end", "before", "2026-01-01"),
        asks("profile.contract_end", "within_next", "9 days"),
        asks("profile.products", "has_none", ["x"]),
        asks("score.fit", "at_least", 0),
        asks("score.level", "is_not", "hot"),
        asks("cycle.hand_raised", "is", False),
        asks("behaviour.act.demo_request", "below", 1),
        asks("consent.sales.email", "is", "granted"),
    ],
)
def test_what_is_not_known_is_neither_true_nor_false(plain: Any) -> None:
    assert holds(plain) is None
    assert holds({"not": plain}) is None


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("employees", "51 to 200"),
        ("employees", "1,200"),
        ("employees", "nan"),
        ("employees", "inf"),
        ("contract_end", "soon"),
        ("country", "  "),
        ("products", " ; "),
    ],
)
def test_a_value_that_cannot_be_read_is_unknown(field: str, text: str) -> None:
    op = {
        "employees": ("above", 1),
        "contract_end": ("after", "2026-01-01"),
        "country": ("is_not", "x"),
        "products": ("has_none", ["x"]),
    }[field]
    assert holds(asks(f"profile.{field}", *op), profile={field: text}) is None


T, F, U = (
    asks("profile.country", "is", "NO"),
    asks("profile.country", "is", "DE"),
    asks("profile.role", "is", "x"),
)


@pytest.mark.parametrize(
    ("plain", "outcome"),
    [
        ({"all": [T, T]}, True),
        ({"all": [T, U]}, None),
        ({"all": [U, F]}, False),
        ({"all": [F, T]}, False),
        ({"any": [F, T]}, True),
        ({"any": [U, T]}, True),
        ({"any": [F, U]}, None),
        ({"any": [F, F]}, False),
        ({"not": T}, False),
        ({"not": F}, True),
        ({"not": U}, None),
        ({"not": {"any": [F, {"all": [T, {"not": F}]}]}}, False),
        ({"all": [{"any": [U, T]}, {"not": {"all": [U, F]}}]}, True),
    ],
)
def test_all_any_and_not_have_three_values(plain: Any, outcome: bool | None) -> None:
    assert holds(plain, profile={"country": "NO"}) is outcome


@pytest.mark.parametrize("pattern", [r"(a+)+$", r"(a|aa)+$", r"(.*a){20}$", r"^(\w+\s?)*$"])
def test_an_expression_cannot_hang(pattern: str) -> None:
    condition = compile_condition(model(asks("profile.role", "matches", pattern)), FIELDS, UTC)
    facts = ConditionContext(profile={"role": "a" * 5_000 + "!"})
    cost = cpu_passes(lambda: [condition(facts) for _ in range(50)])
    assert cost < 1_000, "the same in a backtracking engine would not end"


@pytest.mark.parametrize("pattern", ["(", "[", "(?=x)", r"(a)\1", "a{2000}", "*"])
def test_an_expression_that_cannot_be_used_says_why(pattern: str) -> None:
    with pytest.raises(ValueError, match="is not a regular expression that can be used here: "):
        compile_pattern(pattern)


def test_every_kind_of_field_and_every_comparison_is_used_somewhere() -> None:
    assert {op for ops in OPS_OF.values() for op in ops} == set(Op)


# ---------------------------------------------------------------------- without facts

COUNTRIES = st.sampled_from(["NO", "DE", "SE"])
NUMBERS = st.integers(0, 6)
TESTS = st.one_of(
    st.builds(asks, st.just("profile.country"), st.sampled_from(["is", "is_not"]), COUNTRIES),
    st.builds(
        asks,
        st.just("profile.country"),
        st.sampled_from(["in", "not_in"]),
        st.lists(COUNTRIES, min_size=1, max_size=3),
    ),
    st.builds(
        asks,
        st.just("profile.employees"),
        st.sampled_from(["at_least", "at_most", "above", "below", "is"]),
        NUMBERS,
    ),
    st.builds(
        asks,
        st.just("profile.employees"),
        st.just("between"),
        st.tuples(NUMBERS, NUMBERS).map(lambda drawn: sorted(drawn)),
    ),
)
CONDITIONS = st.recursive(
    TESTS,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: {"all": parts}),
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: {"any": parts}),
        inner.map(lambda part: {"not": part}),
    ),
    max_leaves=6,
)
ALL_PROFILES = [
    {key: value for key, value in (("country", country), ("employees", count)) if value is not None}
    for country in ("NO", "DE", "SE", "FI", None)
    for count in ("0", "1", "2", "3", "4", "5", "6", "2.5", "7", None)
]


@settings(max_examples=300, deadline=None)
@given(CONDITIONS, CONDITIONS)
def test_who_takes_everything_another_takes_really_does(one: Any, other: Any) -> None:
    if takes_all_of(model(one), model(other), FIELDS):
        wide, narrow = (compile_condition(model(side), FIELDS, UTC) for side in (one, other))
        for profile in ALL_PROFILES:
            assert not narrow(ConditionContext(profile=profile)) or wide(
                ConditionContext(profile=profile)
            )


@settings(max_examples=300, deadline=None)
@given(CONDITIONS)
def test_what_is_called_a_contradiction_is_never_true(plain: Any) -> None:
    if contradiction(model(plain), FIELDS):
        condition = compile_condition(model(plain), FIELDS, UTC)
        assert not any(condition(ConditionContext(profile=profile)) for profile in ALL_PROFILES)


@pytest.mark.parametrize(
    ("wide", "narrow", "taken"),
    [
        (asks("profile.country", "in", ["NO", "DE"]), asks("profile.country", "is", "no"), True),
        (asks("profile.country", "is", "NO"), asks("profile.country", "in", ["NO", "DE"]), False),
        (asks("profile.country", "is_not", "NO"), asks("profile.country", "is", "DE"), True),
        (
            asks("profile.employees", "at_least", 100),
            asks("profile.employees", "between", [200, 300]),
            True,
        ),
        (
            asks("profile.employees", "above", 100),
            asks("profile.employees", "at_least", 100),
            False,
        ),
        (
            asks("profile.country", "is", "NO"),
            {"all": [asks("profile.country", "is", "NO"), T]},
            True,
        ),
        ({"any": [T, F]}, F, True),
        (
            asks("behaviour.act.page_view", "at_least", 1),
            asks("behaviour.act.page_view", "at_least", 2),
            True,
        ),
        (
            asks("behaviour.act.page_view", "at_least", 1, within="1 day"),
            asks("behaviour.act.page_view", "at_least", 2),
            False,
        ),
    ],
)
def test_shadowing_is_seen(wide: Any, narrow: Any, taken: bool) -> None:
    assert takes_all_of(model(wide), model(narrow), FIELDS) is taken


def test_shared_words_are_reported_as_written() -> None:
    one, other = (
        asks("profile.country", "in", ["NO", "SE", "DE"]),
        asks("profile.country", "in", ["de", "no"]),
    )
    assert common_words(model(one), model(other), FIELDS) == ("NO", "DE")


def test_a_condition_reads_aloud() -> None:
    plain = {
        "all": [
            asks("profile.country", "in", ["DE", "AT"]),
            {
                "not": {
                    "any": [
                        asks("profile.role", "known"),
                        asks("behaviour.act.page_view", "at_least", 2, within="30 days"),
                    ]
                }
            },
        ]
    }
    assert condition_words(model(plain)) == (
        "profile.country in [DE, AT] and not (profile.role known or behaviour.act.page_view at "
        "least 2 within 30 days)"
    )


# --- numbers that are known as a range, or not for certain

RANGES = [
    ("at_least", 100, {"100-200": True, "250+": True, "51-200": None, "1-50": False, "51+": None}),
    ("above", 100, {"100-200": None, "101-200": True, "1-100": False}),
    ("at_most", 100, {"1-100": True, "51-200": None, "101+": False}),
    ("below", 100, {"1-99": True, "1-100": None, "100+": False}),
    (
        "between",
        [100, 999],
        {
            "100-999": True,
            "200-500": True,
            "51-200": None,
            "1-50": False,
            "1000+": False,
            "50+": None,
        },
    ),
    ("is", 100, {"100-100": True, "51-200": None, "1-50": False}),
    ("is_not", 100, {"100-100": False, "51-200": None, "1-50": True}),
]


@pytest.mark.parametrize(
    ("op", "wanted", "text", "expected"),
    [(op, wanted, text, met) for op, wanted, cases in RANGES for text, met in cases.items()],
)
def test_a_range_meets_a_condition_where_all_of_it_does(
    op: str, wanted: Any, text: str, expected: bool | None
) -> None:
    assert holds(asks("profile.employees", op, wanted), profile={"employees": text}) is expected


@given(
    st.sampled_from(["at_least", "above", "at_most", "below", "is", "is_not"]) | st.just("between"),
    st.integers(0, 30),
    st.integers(0, 30),
    st.integers(0, 12),
)
def test_what_a_range_says_every_number_in_it_says(
    op: str, wanted: int, low: int, width: int
) -> None:
    plain = asks("profile.employees", op, [wanted, wanted + 7] if op == "between" else wanted)
    answers = {
        holds(plain, profile={"employees": str(number)}) for number in range(low, low + width + 1)
    }
    found = holds(plain, profile={"employees": f"{low}-{low + width}"})
    assert found is None or answers == {found}
    assert found is not None or len(answers) == 2 or op != "between"


@pytest.mark.parametrize(
    ("text", "met"),
    [
        ("1200", True),
        ("1.200", None),
        ("1,200", None),
        ("1.5", False),
        ("1,5", False),
        ("1e5", None),
        ("many", None),
    ],
)
def test_a_number_with_two_readings_is_not_known(text: str, met: bool | None) -> None:
    assert holds(asks("profile.employees", "at_least", 1000), profile={"employees": text}) is met


def test_a_moment_is_the_day_it_is_where_the_agreement_is() -> None:
    plain = asks("profile.contract_end", "is", "2026-12-31")
    profile = {"contract_end": "2026-12-30T23:00:00.000Z"}
    found = {
        zone: compile_condition(model(plain), FIELDS, zone_named(zone))(
            ConditionContext(now_ms=NOW, profile=profile)
        )
        for zone in ("Europe/Berlin", "UTC")
    }
    assert found == {"Europe/Berlin": True, "UTC": False}
