"""Which agreement is in force when, and who is away: a function of the records alone."""

from itertools import permutations
from pathlib import Path

import pytest

from baton.agreement.canonical import canonical_text, version_of
from baton.agreement.reference import (
    MAX_WAITED_MS,
    SETTLE_MS,
    SINCE_EVER,
    Absence,
    AgreementBook,
    Term,
)
from baton.agreement.source.read import agreement_of
from baton.contracts.reference_records import AgreementRecord, PeopleRecord
from baton.contracts.topic_names import BATON_AGREEMENTS, BATON_PEOPLE
from baton.engine.reducer import Event

YAML = (Path(__file__).resolve().parents[2] / "examples" / "agreements" / "demo.yaml").read_text(
    encoding="utf-8"
)
ONE = canonical_text(agreement_of(YAML))
TWO = canonical_text(
    agreement_of(YAML.replace("points: 40, group: intent", "points: 45, group: intent"))
)
V1, V2 = version_of(ONE), version_of(TWO)


def book(*records: tuple[int, AgreementRecord | PeopleRecord]) -> AgreementBook:
    made = AgreementBook()
    for offset, (at_ms, value) in enumerate(records):
        topic = BATON_AGREEMENTS if isinstance(value, AgreementRecord) else BATON_PEOPLE
        made.add(
            Event(
                topic=topic,
                partition=0,
                offset=offset,
                key="k",
                value=value,
                id=str(offset),
                at_ms=at_ms,
                received_at_ms=at_ms,
            )
        )
    return made


def signed(version: str, side: str, by: str = "mona") -> AgreementRecord:
    return AgreementRecord(
        record_id=f"{version}{side}{by}", kind="approved", version=version, side=side, by=by
    )


def published(
    text: str, effective_at_ms: int | None = None, version: str | None = None
) -> AgreementRecord:
    return AgreementRecord(
        record_id=f"p{effective_at_ms}",
        kind="published",
        version=version or version_of(text),
        text=text,
        effective_at_ms=effective_at_ms,
    )


FIRST = ((1_000, signed(V1, "marketing")), (2_000, signed(V1, "sales")), (3_000, published(ONE)))


def test_nothing_is_in_force_before_both_sides_signed_and_it_was_published() -> None:
    acts = [signed(V1, "marketing"), signed(V1, "sales"), published(ONE)]
    for order in permutations(acts):
        for taken in range(3):
            assert (
                book(*((1_000 * (n + 1), act) for n, act in enumerate(order[:taken]))).at(10**12)
                is None
            )
        whole = book(*((1_000 * (n + 1), act) for n, act in enumerate(order)))
        assert whole.terms() == (Term(version=V1, from_ms=SINCE_EVER),)


@pytest.mark.parametrize(
    "record",
    [
        signed(V1, "marketing", by="twin"),
        signed(V1, "management"),
        signed(V2, "sales"),
        AgreementRecord(record_id="x", kind="withdrawn", version=V1, side="sales"),
    ],
)
def test_two_signatures_of_one_side_or_of_another_version_are_not_two_sides(
    record: AgreementRecord,
) -> None:
    assert book((1, signed(V1, "marketing")), (2, published(ONE)), (3, record)).at(10**12) is None


def test_a_text_that_is_not_what_was_signed_is_not_published() -> None:
    forged = published(TWO, version=V1)
    assert (
        book((1, signed(V1, "marketing")), (2, signed(V1, "sales")), (3, forged)).at(10**12) is None
    )


def test_the_first_one_holds_for_all_time_before_it_too() -> None:
    found = book(*FIRST)
    assert [found.at(now).version for now in (0, 3_000, 10**15)] == [V1] * 3  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("second", "from_ms", "why"),
    [
        (
            (
                (50_000, signed(V2, "marketing")),
                (51_000, signed(V2, "sales")),
                (52_000, published(TWO)),
            ),
            52_000 + SETTLE_MS,
            "ten seconds after it was published",
        ),
        (
            (
                (50_000, published(TWO)),
                (51_000, signed(V2, "marketing")),
                (60_000, signed(V2, "sales")),
            ),
            60_000 + SETTLE_MS,
            "ten seconds after the last signature",
        ),
        (
            (
                (50_000, signed(V2, "marketing")),
                (51_000, signed(V2, "sales")),
                (52_000, published(TWO, 500_000)),
            ),
            500_000,
            "when it says",
        ),
        (
            (
                (50_000, signed(V2, "marketing")),
                (51_000, signed(V2, "sales")),
                (52_000, published(TWO, 52_001)),
            ),
            52_000 + SETTLE_MS,
            "never sooner than ten seconds",
        ),
    ],
)
def test_a_later_one_comes_into_force(
    second: tuple[tuple[int, AgreementRecord], ...], from_ms: int, why: str
) -> None:
    found = book(*FIRST, *second)
    assert found.terms() == (
        Term(version=V1, from_ms=SINCE_EVER),
        Term(version=V2, from_ms=from_ms),
    ), why
    assert [found.at(now).version for now in (from_ms - 1, from_ms)] == [V1, V2]  # type: ignore[union-attr]


def test_an_earlier_one_is_brought_back_by_publishing_it_again() -> None:
    second = (
        (50_000, signed(V2, "marketing")),
        (51_000, signed(V2, "sales")),
        (52_000, published(TWO)),
    )
    found = book(*FIRST, *second, (100_000, published(ONE, 100_001)))
    assert [term.version for term in found.terms()] == [V1, V2, V1]
    assert found.at(110_000).version == V1  # type: ignore[union-attr]


def test_the_one_that_came_into_force_later_holds_whatever_order_they_were_published_in() -> None:
    both = (signed(V2, "marketing"), signed(V2, "sales"))
    found = book(
        *FIRST,
        (4_000, published(ONE, 900_000)),
        (5_000, both[0]),
        (6_000, both[1]),
        (7_000, published(TWO, 800_000)),
    )
    assert [found.at(now).version for now in (799_999, 800_000, 900_000)] == [V1, V2, V1]  # type: ignore[union-attr]


def test_the_same_moment_gives_the_same_object() -> None:
    found = book(*FIRST)
    assert found.at(5) is found.at(10**9)


def test_who_signed_is_remembered_with_the_first_signature() -> None:
    found = book(*FIRST, (9_000, signed(V1, "sales", by="late")))
    assert {
        side: (approval.by, approval.at_ms) for side, approval in found.approvals(V1).items()
    } == {
        "marketing": ("mona", 1_000),
        "sales": ("mona", 2_000),
    }


def away(
    record_id: str, person: str, from_ms: int, until_ms: int, *, cancelled: bool = False
) -> PeopleRecord:
    return PeopleRecord(
        record_id=record_id, person=person, from_ms=from_ms, until_ms=until_ms, cancelled=cancelled
    )


def test_an_absence_counts_from_ten_seconds_after_its_record() -> None:
    found = book(*FIRST, (20_000, away("a", "sdr-anna", 100, 200)))
    before, after = found.at(20_000 + SETTLE_MS - 1), found.at(20_000 + SETTLE_MS)
    assert before is not None
    assert after is not None
    assert [version.absent("sdr-anna", 150) for version in (before, after)] == [False, True]
    assert [after.absent("sdr-anna", at) for at in (99, 100, 199, 200)] == [
        False,
        True,
        True,
        False,
    ]
    assert after.absent("sdr-ben", 150) is False
    assert after.absences == (Absence(person="sdr-anna", from_ms=100, until_ms=200),)
    assert (after.away("sdr-anna"), after.away("sdr-ben")) == (((100, 200),), ())
    assert (after.back_at("sdr-anna", 150), after.back_at("sdr-anna", 250)) == (200, 250)


@pytest.mark.parametrize(
    "cancel",
    [
        away("a", "sdr-anna", 100, 200, cancelled=True),
        away("b", "sdr-anna", 100, 200, cancelled=True),
    ],
)
def test_an_absence_is_cancelled_by_its_id_or_by_naming_it(cancel: PeopleRecord) -> None:
    found = book(*FIRST, (20_000, away("a", "sdr-anna", 100, 200)), (30_000, cancel))
    assert [found.at(now).absent("sdr-anna", 150) for now in (39_999, 40_000)] == [True, False]  # type: ignore[union-attr]


def test_the_newest_record_of_an_absence_counts() -> None:
    found = book(
        *FIRST, (20_000, away("a", "sdr-anna", 100, 200)), (30_000, away("a", "sdr-anna", 100, 300))
    )
    assert found.at(50_000).away("sdr-anna") == ((100, 300),)  # type: ignore[union-attr]


def test_absences_that_touch_are_one_way_back() -> None:
    found = book(
        *FIRST, (20_000, away("a", "sdr-anna", 100, 200)), (20_001, away("b", "sdr-anna", 200, 300))
    )
    assert found.at(50_000).back_at("sdr-anna", 150) == 300  # type: ignore[union-attr]


def test_nobodys_deadline_waits_for_more_than_a_year() -> None:
    found = book(*FIRST, (20_000, away("a", "sdr-anna", 0, MAX_WAITED_MS + 1))).at(50_000)
    assert found is not None
    assert (found.absent("sdr-anna", 150), found.away("sdr-anna")) == (True, ())


def test_a_record_changes_nothing_that_was_so_before() -> None:
    records: list[tuple[int, AgreementRecord | PeopleRecord]] = [
        *FIRST,
        (20_000, away("a", "sdr-anna", 100, 200)),
        (50_000, signed(V2, "marketing")),
        (51_000, signed(V2, "sales")),
        (52_000, published(TWO)),
        (60_000, away("a", "sdr-anna", 100, 200, cancelled=True)),
    ]
    for taken in range(3, len(records)):
        at_ms = records[taken][0]
        before, after = book(*records[:taken]), book(*records[: taken + 1])
        for now in (0, at_ms, at_ms + SETTLE_MS - 1):
            one, other = before.at(now), after.at(now)
            assert one is not None
            assert other is not None
            assert (one.version, one.absences) == (other.version, other.absences)
