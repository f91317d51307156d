"""The examples inside an agreement are run through the whole system, and a wrong expectation is
reported in words."""

from pathlib import Path

import pytest

from baton.agreement.source.read import agreement_of, read_agreement
from baton.agreement_report.examples import Difference, ExampleNotTaken, Ran, run_examples

ROOT = Path(__file__).resolve().parents[2]
FILES = [
    *sorted((ROOT / "examples" / "agreements").glob("*.yaml")),
    ROOT / "baton" / "agreement" / "starter.yaml",
]
DEMO = (ROOT / "examples" / "agreements" / "demo.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_examples_of_every_agreement_that_ships_pass(file: Path) -> None:
    ran = list(run_examples(read_agreement(file)))
    assert ran
    assert [run for run in ran if run.differences] == []


@pytest.mark.parametrize(
    ("old", "new", "difference"),
    [
        (
            "fit: 100, engagement: 40, level: hot",
            "fit: 99, engagement: 40, level: hot",
            Difference(what="fit", expected="99", found="100"),
        ),
        (
            "fit: 100, engagement: 40, level: hot",
            "fit: 100, engagement: 40.5, level: hot",
            Difference(what="engagement", expected="40.5", found="40"),
        ),
        (
            "level: hot, queue: sales",
            "level: warm, queue: sales",
            Difference(what="level", expected="warm", found="hot"),
        ),
        ("grade: A3", "grade: B3", Difference(what="grade", expected="B3", found="A3")),
        (
            "queue: sales, pool: sales",
            "queue: sdr, pool: sales",
            Difference(what="queue", expected="sdr", found="sales"),
        ),
        (
            "queue: sales, pool: sales",
            "queue: sales, pool: sdr",
            Difference(what="pool", expected="sdr", found="sales"),
        ),
        (
            "level: cold, qualified: false",
            "level: cold, qualified: true",
            Difference(what="qualified", expected="yes", found="no"),
        ),
        (
            "level: cold, qualified: false",
            "level: cold, segment: small",
            Difference(what="segment", expected="small", found="none"),
        ),
        (
            "deadline: 2026-03-02 10:00:04",
            "deadline: 2026-03-02 10:00:05",
            Difference(
                what="deadline", expected="Mon 2026-03-02 10:00:05", found="Mon 2026-03-02 10:00:04"
            ),
        ),
    ],
)
def test_a_wrong_expectation_is_reported_and_nothing_else(
    old: str, new: str, difference: Difference
) -> None:
    assert DEMO.count(old) == 1
    ran = list(run_examples(agreement_of(DEMO.replace(old, new))))
    assert [run.differences for run in ran if run.differences] == [(difference,)]


def test_points_are_compared_with_the_decimals_that_are_written() -> None:
    faded = """
  - name: Two and a half days later
    profile: {country: DE}
    events:
      - {at: 2026-03-02 10:00, act: webinar}
    at: 2026-03-04 22:00
    expect: {engagement: %s}
"""
    assert [
        list(run_examples(agreement_of(DEMO + faded % number)))[-1]
        for number in ("19", "18.9", "18.88", "18.8775", "18.87749", "18.8")
    ] == [Ran(name="Two and a half days later", differences=())] * 5 + [
        Ran(
            name="Two and a half days later",
            differences=(Difference(what="engagement", expected="18.8", found="18.877"),),
        )
    ]


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("19", None),
        ("19.0", "18.877"),
        ("18.9", None),
        ("18.90", "18.877"),
        ("18.877500", "18.877"),
        ("18.87749", None),
    ],
)
def test_zeros_that_are_written_are_decimals_too(written: str, found: str | None) -> None:
    faded = f"""
  - name: Two and a half days later
    profile: {{country: DE}}
    events:
      - {{at: 2026-03-02 10:00, act: webinar}}
    at: 2026-03-04 22:00
    expect: {{engagement: {written}}}
"""
    differences = list(run_examples(agreement_of(DEMO + faded)))[-1].differences
    assert differences == (
        (Difference(what="engagement", expected=written, found=found),) if found else ()
    )


def test_what_hangs_on_the_speed_of_delivery_differs() -> None:
    """A gate that asks for an act within the last two seconds is shut when the act arrives after
    five."""
    hasty = DEMO.replace(
        "  gates:\n",
        "  gates:\n    In a hurry:\n      when: {field: behaviour.act.webinar, op: at_least, "
        "value: 1, within: 2 seconds}\n",
    )
    ran = next(
        entry for entry in run_examples(agreement_of(hasty)) if entry.name.startswith("A webinar")
    )
    assert [
        (difference.what, difference.expected, difference.found) for difference in ran.differences
    ] == [
        ("pool, delivered 5 seconds later", "sdr", "none"),
        ("qualified, delivered 5 seconds later", "yes", "no"),
        ("queue, delivered 5 seconds later", "sdr", "none"),
    ]


def test_an_example_that_the_system_refuses_says_why() -> None:
    text = DEMO.replace("    relation: text\n", "    relation: text\n    email: text\n", 1)
    text = text.replace(
        "profile: {country: GB, role: Student}", "profile: {country: GB, role: Student, email: x}"
    )
    with pytest.raises(
        ExampleNotTaken, match='an example was not taken: .*"email", which is personal data'
    ):
        list(run_examples(agreement_of(text)))
