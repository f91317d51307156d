"""Other words for those of the agreement: how they are read, and what ``check`` says of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from baton.agreement.canonical import compiled_of
from baton.agreement.compiled.synonyms import Synonyms, as_word
from baton.agreement.source.read import examine
from baton.contracts.intake import Engagement, LeadEvent, LeadInput

FIRST = (Path(__file__).resolve().parents[2] / "examples" / "agreements" / "first.yaml").read_text()
BEFORE = "  roles: [C-level"


def agreement(synonyms: str) -> str:
    assert FIRST.count(BEFORE) == 1
    return FIRST.replace(BEFORE, f"  synonyms: {synonyms}\n{BEFORE}")


def event(act: str | None = None, **profile: str) -> LeadEvent:
    return LeadEvent(
        event_id="e",
        lead_id="l",
        source="web",
        kind="engagement" if act else "profile",
        occurred_at_ms=1,
        received_at_ms=1,
        engagement=Engagement(act=act) if act else None,
        profile=profile,
    )


@pytest.mark.parametrize(
    "text", ["Demo Requested", "demoRequested", "demo-requested", " demo_requested "]
)
def test_a_word_is_one_however_it_is_written(text: str) -> None:
    assert as_word(text) == "demo_requested"


def test_a_synonym_is_read_as_the_word_that_it_stands_for_in_its_way_of_writing() -> None:
    model = examine(
        agreement("{acts: {Demo Requested: demo_request}, profile: {title: role, land: country}}")
    ).model
    assert model is not None
    synonyms = compiled_of(model).synonyms
    read = synonyms.event(event("demo_requested", title="CTO", land="Deutschland", shoe="44"))
    assert read.engagement is not None
    assert read.engagement.act == "demo_request"
    assert read.profile == {"role": "CTO", "country": "DE", "shoe": "44"}


def test_what_comes_under_both_names_is_what_came_under_the_agreements() -> None:
    read = Synonyms(profile={"title": "role"}).event(event(title="CTO", role="Head"))
    assert read.profile == {"title": "CTO", "role": "Head"}


def test_an_event_in_the_agreements_words_stays_the_same() -> None:
    record = LeadInput(lead_id="l", cause_id="e", occurred_at_ms=1, event=event("form", role="CTO"))
    assert Synonyms().of(record) is record
    assert Synonyms(acts={"demo": "form"}, profile={"title": "role"}).of(record) == record


MISTAKES: list[tuple[str, list[str]]] = [
    (
        "{acts: {asked: demo_reqest}}",
        ['act "demo_reqest" is not defined; did you mean "demo_request"?'],
    ),
    ("{acts: {Form: webinar}}", ['"Form" is a word of definitions.acts itself']),
    ("{profile: {role: country}}", ['"role" is a word of definitions.profile itself']),
    (
        "{acts: {Demo Asked: form, demoAsked: webinar}}",
        ['"demoAsked" is written above as another word of "form"'],
    ),
    ('{acts: {"??": form}}', ['"??" has neither a letter nor a digit']),
]


@pytest.mark.parametrize(("synonyms", "messages"), MISTAKES)
def test_a_synonym_that_leads_nowhere_is_an_error(synonyms: str, messages: list[str]) -> None:
    problems: list[Any] = examine(agreement(synonyms)).errors
    assert [problem.message for problem in problems] == messages
