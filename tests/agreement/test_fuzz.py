"""Whatever stands in the file, the check answers with problems that have a place, and never with a
crash."""

import json
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from baton.agreement.canonical import canonical_text, compiled_of
from baton.agreement.source.read import examine
from baton.agreement.source.yaml import read_yaml

BASE = read_yaml(
    (Path(__file__).resolve().parents[2] / "baton" / "agreement" / "starter.yaml").read_text(
        encoding="utf-8"
    )
).data


def paths(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Every place in the starter but its root."""
    if isinstance(value, dict):
        return [
            place
            for key, inner in value.items()
            for place in ((*path, key), *paths(inner, (*path, key)))
        ]
    if isinstance(value, list):
        return [
            place
            for number, inner in enumerate(value)
            for place in ((*path, number), *paths(inner, (*path, number)))
        ]
    return []


PATHS = paths(BASE)
JUNK = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(10**15), 10**15),
        st.floats(allow_nan=False, allow_infinity=False, width=32),
        st.sampled_from(
            [
                "",
                " ",
                "NO",
                "1:30",
                "14 days",
                "4 business hours",
                "after 9 days",
                "contract_end - 5 days",
                "hot",
                "sdr",
                "all",
            ]
        ),
        st.text(max_size=8),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["all", "not", "field", "op", "x"]), inner, max_size=3),
    ),
    max_leaves=5,
)


def planted(path: tuple[str | int, ...], value: Any) -> Any:
    copy = json.loads(json.dumps(BASE))
    holder = copy
    for step in path[:-1]:
        holder = holder[step]
    holder[path[-1]] = value
    return copy


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(PATHS), JUNK)
def test_junk_anywhere_is_answered_with_problems_or_compiled(
    path: tuple[str | int, ...], value: Any
) -> None:
    examined = examine(json.dumps(planted(path, value), ensure_ascii=False, indent=1))
    if examined.errors:
        assert all(problem.message and problem.line >= 0 for problem in examined.problems)
        return
    assert examined.model is not None
    compiled = compiled_of(examined.model)
    assert canonical_text(compiled.raw) == canonical_text(examined.model)


@settings(max_examples=30, deadline=None)
@given(st.text(max_size=200))
def test_any_text_is_answered(text: str) -> None:
    assert examine(text).errors


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(PATHS))
def test_a_part_that_is_missing_is_named_or_not_needed(path: tuple[str | int, ...]) -> None:
    copy = json.loads(json.dumps(BASE))
    holder = copy
    for step in path[:-1]:
        holder = holder[step]
    del holder[path[-1]]
    examined = examine(json.dumps(copy, indent=1))
    assert examined.errors or compiled_of(examined.model).version  # type: ignore[arg-type]
