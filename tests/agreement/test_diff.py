"""What changes between two agreements is reported whole, and in words a manager reads."""

from __future__ import annotations

import copy
import json
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError, create_model

from baton.agreement.canonical import canonical_text, model_of
from baton.agreement.diff import changes
from baton.agreement.diff_forms import Change
from baton.agreement.model.agreement import Agreement
from baton.agreement.model.base import Section
from baton.agreement.source.yaml import read_yaml

FOLDER = Path(__file__).resolve().parents[2] / "examples" / "agreements"
PLAIN = {
    file.stem: read_yaml(file.read_text(encoding="utf-8")).data
    for file in sorted(FOLDER.glob("*.yaml"))
}
OTHERS = (
    *(
        "5 days",
        "keep",
        "pauses",
        "9 days",
        "7 seconds",
        "6 business hours",
        "3 working days",
        "90%",
        "after 9 days",
        "contract_end - 9 days",
        "2026-05-05",
    ),
    *(
        "2026-05-05 10:00",
        "09:15-16:45",
        "Europe/Paris",
        "DE-BY",
        "USD",
        "sales",
        "sdr",
        "warm",
        "hot",
        "every lead",
        "none",
    ),
    *(
        "text",
        "number",
        "decision",
        "awareness",
        "escalate",
        "notify",
        "opt-in",
        "opt-out",
        "week",
        "accrue",
        "skills",
        "had_it_last",
        "never",
        "release",
        "disqualify",
    ),
    *("reassign", "above", "quarter", "month", "won", "mql", "accept", "marketing"),
)
ALONE = {"hold", "coverage", "recycle"}
"""Words that cannot be changed without a change beside them."""

Place = tuple[str | int, ...]


def leaves(value: Any, place: Place = ()) -> Iterator[tuple[Place, Any]]:
    if isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(item, (*place, key))
    else:
        yield place, value


def changed_at(plain: Any, place: Place, value: Any) -> Any:
    """A copy with another value at ``place``; what lies beside the way there is shared."""
    if not place:
        return value
    copied = copy.copy(plain)
    copied[place[0]] = changed_at(plain[place[0]], place[1:], value)
    return copied


def reported_of_other(
    old: Agreement, plain: Any, place: Place, value: Any
) -> tuple[Change, ...] | None:
    """What is reported of another value at ``place`` that has a right shape and makes another text
    than the one signed; None: there is none."""
    others = (
        [not value]
        if isinstance(value, bool)
        else [value + 1]
        if isinstance(value, int | float)
        else likeliest_first(str(value))
    )
    for other in others:
        if other == value:
            continue
        changed = changed_at(plain, place, other)
        if not section_is_right(changed, place[0]):
            continue
        try:
            new = model_of(changed)
        except ValidationError:
            continue
        found = changes(old, new)
        if found or canonical_text(new) != canonical_text(old):
            FITTED[shape(str(value)), other] += 1
            return found
    return None


FITTED: Counter[tuple[str, Any]] = Counter()
"""How often a word fitted where one of this shape stood. Most tries are of words that do not
fit."""


@cache
def agreement_of_one(section: str) -> type[Section]:
    """An agreement that has this section and nothing else."""
    field = Agreement.model_fields[section]
    return create_model("OneSection", __base__=Section, **{section: (field.annotation, field)})


def section_is_right(plain: dict[str, Any], section: str) -> bool:
    """Whether the section can be read by itself, which is far less work than reading the agreement:
    that is wrong where any section is."""
    try:
        agreement_of_one(section).model_validate_json(json.dumps({section: plain[section]}))
    except ValidationError:
        return False
    return True


def shape(text: str) -> str:
    """``30 minutes`` is a number and a word."""
    return re.sub(r"[A-Za-z]+", "a", re.sub(r"\d+", "9", text))


def likeliest_first(value: str) -> list[Any]:
    """Every word: first those that look like this one, of them first what fitted often."""
    return sorted(
        OTHERS,
        key=lambda other: (shape(other) != shape(value), -FITTED[shape(value), other]),
    )


def kinds_of_leaves(plain: Any) -> dict[Place, tuple[Place, Any]]:
    """One leaf of each kind: the names between section and key do not matter. Of a book no file
    name is signed but what stands in it, which :mod:`tests.agreement.test_books` changes."""
    return {
        (place[0], *("*" if isinstance(step, int) else step for step in place[-2:])): (place, value)
        for place, value in leaves(plain)
        if place[0] not in ("agreement", "books")
    }


@pytest.mark.parametrize("name", sorted(PLAIN))
def test_nothing_that_is_signed_changes_in_silence(name: str) -> None:
    FITTED.clear()  # the same words are tried whatever was tested before
    plain = PLAIN[name]
    old = model_of(plain)
    for place, value in kinds_of_leaves(plain).values():
        found = reported_of_other(old, plain, place, value)
        if found is None:
            assert value in ALONE, place
            continue
        reported = [change.text for change in found]
        assert reported, place
        assert not [
            line
            for line in reported
            if re.search(r"Model|[({\[]'|_ms|\b\d{3,4}, \d{3,4}\b", line) and "between" not in line
        ], reported


CHANGES = [
    (
        "hours: {mon-fri: 09:00-17:30}",
        "hours: {mon-thu: 09:00-18:00}",
        [
            "calendar london: mon-thu 09:00-17:30 -> 09:00-18:00",
            "calendar london: fri 09:00-17:30 -> closed",
        ],
    ),
    (
        "holidays: [NO]",
        "holidays: [NO]\n    open: {2026-12-05: 10:00-14:00}",
        ["calendar oslo: open on 2026-12-05 added: 10:00-14:00"],
    ),
    ("name: Anna (SDR)", "name: Anne (SDR)", ["person sdr-anna: name: Anna (SDR) -> Anne (SDR)"]),
    (
        "30 minutes elapsed, warn: [50%]",
        "30 minutes elapsed, warn: [50%, 80%]",
        ["promise route: warn at 50% -> 50%, 80%"],
    ),
    (
        "warn: [80%], use_ladder: patient}\n    - {clock: qualify, queue: sales",
        "warn: [80%], use_ladder: quick}\n    - {clock: qualify, queue: sales",
        ['promise "qualify sdr": ladder: patient -> quick'],
    ),
    (
        "attempts: 5, apart: 2 hours, within",
        "attempts: 5, within",
        ["promise follow_up: apart 2 hours -> none"],
    ),
    (
        "attempts: 5, apart: 2 hours, within",
        "attempts: 5, apart: 2 hours, pause_when: {act: call, outcome: voicemail, at_most: 2 days}, within",
        [
            "promise follow_up: pauses as the clock does -> after call with voicemail, for at most 2 days"
        ],
    ),
    (
        "attempts: 5, apart: 2 hours, within",
        "attempts: 5, apart: 2 hours, resume_when: {act: call, outcome: reached}, within",
        ["promise follow_up: resumes as the clock does -> on call with reached"],
    ),
    (
        "attempts: 5, apart: 2 hours, within",
        "attempts: 5, apart: 2 hours, absence: counts, within",
        ["promise follow_up: absence: pauses -> counts"],
    ),
    (
        "apart: 2 hours, within: 10 working days",
        "apart: 2 hours, within: by end of next working day",
        ["promise follow_up: within: 10 working days -> by end of next working day"],
    ),
    (
        "- {do: reassign, at_most: 2}",
        "- {do: reassign, at_most: 2, level: warm, hand_raised: false}",
        [
            "ladder quick: notify owner, then reassign at most 2 times, then escalate to manager, then manager queue after 4 business hours -> notify owner, then reassign at most 2 times for warm, who did not ask for a contact, then escalate to manager, then manager queue after 4 business hours"
        ],
    ),
    (
        "holidays: [NO]",
        "holidays: [NO]\n    shifts_over_midnight: calendar day",
        ["calendar oslo: shifts over midnight: day they begin on -> calendar day"],
    ),
    (
        "demo_request: {points: 40,",
        "demo_request: {points: 30,",
        ["act demo_request: 40 -> 30 points"],
    ),
    (
        "    - name: North America",
        "    - name: South\n      when: {field: profile.country, op: is, value: ZA}\n      to: {sdr: america-sdr}\n    - name: North America",
        ["territory rule South added"],
    ),
]


@pytest.mark.parametrize(("old", "new", "reported"), CHANGES)
def test_a_change_is_reported_in_words(old: str, new: str, reported: list[str]) -> None:
    text = (FOLDER / "software.yaml").read_text(encoding="utf-8")
    assert old in text
    one, two = (
        model_of(read_yaml(text_of_one).data) for text_of_one in (text, text.replace(old, new, 1))
    )
    assert [change.text for change in changes(one, two)] == reported
