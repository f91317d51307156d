"""What comes under another word than the agreement's counts as if it had come under its own."""

from __future__ import annotations

from baton.agreement.compiled.synonyms import Synonyms
from baton.contracts.intake import Engagement, LeadEvent
from baton.contracts.leads import LeadQualified, LeadScored
from baton.evolve import evolve
from baton.proof.audit.scores import engagement_micro
from tests.services.scorer.scorer_world import DAY, ENGAGEMENT, World, agreement

SYNONYMS = Synonyms(
    acts={"demo_requested": "demo_request", "registered": "webinar"}, profile={"land": "country"}
)
AGREED = evolve(agreement(), synonyms=SYNONYMS)


def test_a_lead_qualifies_by_other_words_as_by_the_agreements_own() -> None:
    stories = []
    for land, act, agreed in (
        ("land", "demo_requested", AGREED),
        ("country", "demo_request", agreement()),
    ):
        world = World(agreed)
        world.report("l1", "profile", profile={land: "Norway" if land == "land" else "NO"})
        world.does("l1", act)
        (qualified,) = world.facts(LeadQualified)
        stories.append(
            (qualified.leg, qualified.level, qualified.story.profile, qualified.story.why_now)
        )
    assert stories[0] == stories[1]


def test_both_words_share_one_daily_limit_and_the_audit_counts_the_same() -> None:
    limited = dict(ENGAGEMENT["acts"]) | {
        "webinar": {"points": 40, "group": "halving", "per_day": 2}
    }
    agreed = evolve(agreement(engagement={**ENGAGEMENT, "acts": limited}), synonyms=SYNONYMS)
    world = World(agreed)
    for act in ("webinar", "registered", "registered"):
        world.does("l1", act)
    *_, last = world.facts(LeadScored)
    assert last.engagement_micro == 80_000_000
    events = [
        LeadEvent(
            event_id=str(number),
            lead_id="l1",
            source="http",
            kind="engagement",
            occurred_at_ms=world.now,
            received_at_ms=world.now,
            engagement=Engagement(act=act),
        )
        for number, act in enumerate(("webinar", "registered", "registered"))
    ]
    assert engagement_micro(events, agreed, world.now) == last.engagement_micro


def test_what_came_under_another_word_is_retracted_by_its_event() -> None:
    world = World(AGREED)
    event_id = world.does("l1", "registered")
    world.wait(DAY)
    world.retract("l1", event_id)
    *_, last = world.facts(LeadScored)
    assert last.engagement_micro == 0
