"""What wants a person's eye: conflicts, unknown words, erasures to be sent again; and why an act
counts nothing."""

from typing import Any

import pytest

from baton.agreement.canonical import compiled_of
from baton.agreement.compiled.agreement import CompiledAgreement
from baton.agreement.source.read import read_agreement
from baton.cli.erasures import line_of
from baton.contracts.intake import Engagement, Identifier, IdentityAlias, IntakeRecord, LeadEvent
from baton.derived_ids import derived_id
from baton.lead_story.reports import Conflict, conflicts, erasures, unknown_words
from baton.lead_story.why_uncounted import uncounted
from baton.local.up.preparing import example_agreement

DAY_MS = 86_400_000
NOON_MS = 1_772_449_200_000


@pytest.fixture(scope="module")
def agreement() -> CompiledAgreement:
    return compiled_of(read_agreement(example_agreement()))


def _alias(kind: str, identity: str, lead_id: str, **more: Any) -> IdentityAlias:
    return IdentityAlias(
        identity=identity,
        lead_id=lead_id,
        kind=kind,
        known=True,
        cause_id="e",
        occurred_at_ms=1,
        **{"from_identity": "f"} | more,
    )


def _event(name: str, act: str | None, at_ms: int = NOON_MS, **more: Any) -> LeadEvent:
    engagement = None if act is None else Engagement(act=act, **more.pop("engagement", {}))
    fields = {
        "source": "web",
        "kind": "engagement",
        "occurred_at_ms": at_ms,
        "received_at_ms": at_ms,
    } | more
    return LeadEvent(event_id=name, lead_id="l", engagement=engagement, **fields)


def _intake(name: str, kind: str, *identifiers: tuple[str, str]) -> IntakeRecord:
    found = tuple(Identifier(scheme=scheme, value=value) for scheme, value in identifiers)
    return IntakeRecord(
        event_id=name, source="desk", kind=kind, occurred_at_ms=1, identifiers=found
    )


def test_a_conflict_names_both_leads_and_the_event() -> None:
    reported = [
        (10, _alias("resolved", "i1", "lead-0")),
        (10, _alias("resolved", "i1", "lead-1")),
        (11, _alias("resolved", "i2", "lead-2")),
        (12, _alias("conflict", "i1", "lead-2", subject="i2")),
        (13, _alias("duplicate", "i1", "lead-1")),
    ]
    assert conflicts(reported) == [Conflict(12, ("lead-1", "lead-2"), "e")]
    assert conflicts(reported, since_ms=13) == []
    own = derived_id("lead", "i3")  # an identity that was never given to another lead has its own
    assert conflicts([(1, _alias("conflict", "i3", "", subject="i4"))])[0].leads == tuple(
        sorted((own, derived_id("lead", "i4")))
    )


def test_a_conflict_that_a_person_has_settled_is_not_listed_any_more() -> None:
    reported = [
        (10, _alias("resolved", "i1", "lead-1")),
        (10, _alias("resolved", "i2", "lead-2")),
        (11, _alias("conflict", "i1", "lead-2", subject="i2")),
    ]
    merged = [*reported, (12, _alias("resolved", "i2", "lead-1"))]
    assert len(conflicts(reported)) == 1
    assert conflicts(merged) == []

    two = [
        *merged,
        (13, _alias("split", "i2", "lead-1", from_identity="i1")),
        (13, _alias("resolved", "i2", "lead-3")),
    ]
    assert conflicts(two) == []
    with_another = [
        *two,
        (14, _alias("resolved", "i4", "lead-4")),
        (15, _alias("conflict", "i1", "lead-4", subject="i4")),
    ]
    assert conflicts(with_another) == [Conflict(15, ("lead-1", "lead-4"), "e")]


def test_unknown_words_are_counted_by_frequency_with_what_they_may_stand_for() -> None:
    events = [
        _event(
            "1", "Demo Requested", profile={"title": "CTO", "country": "DE", "domain": "x.example"}
        ),
        _event("2", "Demo Requested", source="app"),
        _event("3", "demo_request"),
        _event("4", "zzz"),
    ]
    found = unknown_words(events, acts=("demo_request", "download"), fields=("country", "role"))
    assert [
        (word.kind, word.word, word.count, sorted(word.sources), word.like) for word in found
    ] == [
        ("act", "Demo Requested", 2, ["app", "web"], "demo_request"),
        ("act", "zzz", 1, ["web"], None),
        ("field", "title", 1, ["web"], None),
    ]


def test_an_erasure_is_one_line_to_be_sent_again_and_what_identity_made_of_it_is_none_of_its_own() -> (
    None
):
    keyed = [
        (
            5,
            _intake(
                "a",
                "erasure",
                ("crm", "hubspot:1"),
                ("email", "x@y.example"),
                ("email", "z@y.example"),
            ),
        ),
        # the same, on its way from key to key
        (6, _intake("a", "erasure", ("email", "x@y.example"))),
        (7, _intake("b", "profile", ("email", "x@y.example"))),
    ]
    accepted = [
        (5, _event("a", None, kind="erasure", source="desk")),
        (5, _event("c", None, kind="erasure", source="baton")),
        (3, _event("old", None, kind="erasure", source="desk")),
    ]
    found = erasures(keyed, accepted)
    assert [(erasure.event_id, erasure.lead_id) for erasure in found] == [("old", "l"), ("a", None)]
    assert line_of(found[1]) == {
        "id": "again:a",
        "source": "desk",
        "kind": "erasure",
        "occurred_at": "1970-01-01T00:00:00.005+00:00",
        "identifiers": {"crm": "hubspot:1", "email": ["x@y.example", "z@y.example"]},
    }


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (
            _event("x", "Demo Requested"),
            "the agreement does not know the act Demo Requested; see: baton words",
        ),
        (_event("x", "page_view", engagement={"automatic": True}), "it is marked automatic"),
        (_event("x", "page_view", NOON_MS - 2 * DAY_MS), "it belongs to a former cycle"),
        (_event("x", "page_view", NOON_MS - 2 * DAY_MS + 1), None),
    ],
)
def test_an_act_says_itself_why_it_counts_nothing(
    agreement: CompiledAgreement, event: LeadEvent, words: str | None
) -> None:
    found = uncounted([event], agreement, cycle_began_ms=NOON_MS - 2 * DAY_MS, now_ms=NOON_MS)
    assert found.get("x", "counts")[: len("counts nothing: " + (words or ""))] == (
        f"counts nothing: {words}" if words else "counts"
    )


def test_an_act_that_was_retracted_or_is_too_old_counts_nothing(
    agreement: CompiledAgreement,
) -> None:
    retraction = _event("r", None, kind="retraction", retracts="x")
    found = uncounted(
        [_event("x", "page_view"), retraction], agreement, cycle_began_ms=0, now_ms=NOON_MS
    )
    assert found == {"x": "counts nothing: it was retracted"}
    late = uncounted([_event("x", "page_view", 0)], agreement, cycle_began_ms=-1, now_ms=NOON_MS)
    assert late["x"].startswith("counts nothing: it is older than ")


def test_the_acts_of_a_day_beyond_the_limit_count_nothing_whatever_the_order_of_arrival(
    agreement: CompiledAgreement,
) -> None:
    name, rule = next(
        (name, rule) for name, rule in agreement.engagement.acts.items() if rule.per_day
    )
    assert rule.per_day is not None
    acts = [_event(f"e{number:02}", name, NOON_MS + number) for number in range(rule.per_day + 2)]
    expected = {act.event_id for act in acts[rule.per_day :]}
    for story in (acts, acts[::-1]):
        found = uncounted(story, agreement, cycle_began_ms=0, now_ms=NOON_MS + 100)
        assert set(found) == expected
        assert all("of a day count, and it came after them" in why for why in found.values())
