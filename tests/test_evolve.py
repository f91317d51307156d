"""Records made from slot to slot are the ones that their own constructor would have made."""

from dataclasses import FrozenInstanceError, dataclass, field, fields, replace
from pickle import dumps, loads
from typing import Generic, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baton.evolve import evolve, maker, quick, unfrozen
from services.scorer.lead.state import LeadHead


@dataclass(frozen=True, slots=True, kw_only=True)
class Plain:
    one: int
    two: str = "two"
    three: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    one: int
    held: dict[str, int] = field(default_factory=dict)
    last: str = "end"


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Wrapped(Generic[T]):
    one: T


@dataclass(frozen=True, slots=True, kw_only=True)
class Longer(Plain):
    four: int = 4


@dataclass(frozen=True, slots=True)
class Checked:
    one: int

    def __post_init__(self) -> None:
        raise AssertionError("not to be gone around")


@dataclass(frozen=True)
class Slotless:
    one: int


@given(st.dictionaries(st.sampled_from([field.name for field in fields(LeadHead)]), st.integers()))
def test_an_evolved_record_is_what_replace_gives(changes: dict[str, int]) -> None:
    head = LeadHead(stage="mql", ledger=b"ledger", cycle=3)
    assert evolve(head, **changes) == replace(head, **changes)  # type: ignore[arg-type]  # any value will do
    assert head == LeadHead(stage="mql", ledger=b"ledger", cycle=3)


def test_a_made_record_has_the_defaults_and_takes_fields_by_place_or_name() -> None:
    make = maker(Plain)
    assert make(1) == make(one=1) == Plain(one=1)
    assert make(1, "2", (3,)) == make(1, three=(3,), two="2") == Plain(one=1, two="2", three=(3,))
    assert hash(make(1)) == hash(Plain(one=1))
    with pytest.raises(TypeError, match="one"):
        make(two="2")
    with pytest.raises(FrozenInstanceError):
        make(1).one = 2  # type: ignore[misc]  # that it cannot be is the point


def test_a_default_that_is_made_is_made_anew_for_each_record() -> None:
    make = maker(Holding)
    one, two = make(1), make(1)
    assert one == two == Holding(one=1) == make(1, {}, "end")
    assert one.held is not two.held
    assert make(1, held={"a": 1}) == Holding(one=1, held={"a": 1})


def test_a_made_record_is_in_nothing_different_from_one_of_its_constructor() -> None:
    made = maker(Plain)(1)
    assert type(made) is Plain
    assert repr(made) == repr(Plain(one=1))
    assert loads(dumps(made)) == made
    with pytest.raises(FrozenInstanceError):
        del made.one  # that it cannot be is the point
    with pytest.raises(AttributeError):
        object.__setattr__(made, "other", 1)


def test_a_generic_record_and_one_that_inherits_its_slots_can_be_made_too() -> None:
    assert unfrozen(Wrapped) is not None
    assert maker(Wrapped)("1") == Wrapped("1")
    assert unfrozen(Longer) is None
    assert maker(Longer)(1, four=5) == Longer(one=1, four=5)
    assert evolve(Longer(one=1), two="2") == Longer(one=1, two="2", four=4)


@quick
@dataclass(frozen=True, slots=True)
class Quick:
    one: int
    two: str = "two"
    held: dict[str, int] = field(default_factory=dict, kw_only=True)


def test_a_quick_constructor_takes_what_the_dataclasss_own_takes() -> None:
    made = Quick(1)
    assert (made.one, made.two, made.held) == (1, "two", {})
    assert made == Quick(one=1, two="two", held={}) == replace(Quick(2), one=1)
    assert made.held is not Quick(1).held
    assert evolve(made, two="2") == Quick(1, "2")
    assert repr(made) == "Quick(one=1, two='two', held={})"
    with pytest.raises(FrozenInstanceError):
        made.one = 2  # type: ignore[misc]  # that it cannot be is the point
    with pytest.raises(TypeError):
        Quick()  # type: ignore[call-arg]  # so is this
    with pytest.raises(TypeError):
        Quick(1, "2", {})  # type: ignore[call-arg]  # and this


def test_a_constructor_is_not_made_quick_for_a_record_that_inherits_its_slots() -> None:
    with pytest.raises(TypeError, match="Longer"):
        quick(Longer)


def test_a_field_that_is_none_is_refused() -> None:
    with pytest.raises(TypeError, match="Plain has no field four"):
        evolve(Plain(one=1), four=4)


@pytest.mark.parametrize("record_type", [Checked, Slotless])
def test_records_that_check_themselves_or_have_no_slots_are_refused(record_type: type) -> None:
    with pytest.raises(TypeError, match=record_type.__name__):
        maker(record_type)
