"""What follows a rejection, a verdict, an end; and the way back."""

import pytest

from baton.contracts.leads import Story
from baton.contracts.slas import LeadReactivated, LeadRecycled
from tests.services.sla_watcher.sla_scene import Scene, agreement, plain_agreement, promises, words

NURTURE = agreement(
    slas=promises(
        """
  - {clock: accept, within: 1 business hour}
  - {clock: nurture_start, within: 2 working days, ladder: [{do: notify, to: max}]}
  - {clock: nurture, within: 120 days elapsed}
  - {clock: return, within: 2 working days, ladder: [{do: notify}, {do: escalate}]}
""",
        grace="{}",
    )
)
QUIET = agreement(slas=promises("  - {clock: return, within: 2 working days}", grace="{}"))


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("not_ready", "Mon 10:00 recycle: not_ready on learn until 2026-04-01 09:00"),
        ("not_icp", "Mon 10:00 disqualify: not_icp"),
        ("misrouted", "Mon 10:00 do reassign q1/1 but ann: misrouted"),
        ("never heard of", "Mon 10:00 recycle: never heard of on learn until 2026-04-01 09:00"),
        (None, "Mon 10:00 recycle: rejected_by_sales on learn until 2026-04-01 09:00"),
    ],
)
def test_a_rejection_leads_where_its_reason_says(reason: str | None, said: str) -> None:
    scene = Scene(QUIET).qualified().routed("ann").staged("rejected", "mql", reason=reason)
    assert scene.lines() == [said]


def test_after_three_rejections_the_manager_gets_the_lead_and_no_fourth_colleague() -> None:
    scene = Scene(QUIET).qualified()
    for attempt, owner in enumerate(("ann", "bob", "cat", "max"), start=1):
        scene.routed(owner, attempt=attempt)
        scene.staged("rejected", "mql", by=owner, reason="misrouted", handoff_id=f"q1/{attempt}")
    assert scene.lines() == [
        "Mon 10:00 do reassign q1/1 but ann: misrouted",
        "Mon 10:00 do reassign q1/2 but ann, bob: misrouted",
        "Mon 10:00 do reassign q1/3 but ann, bob, cat: misrouted",
        "Mon 10:00 do manager_queue q1/4 to max but ann, bob, cat, max: misrouted",
    ]


@pytest.mark.parametrize(
    ("event", "to", "more", "said"),
    [
        (
            "recycled",
            "recycled",
            {"reason": "not_ready"},
            "recycle: not_ready on learn until 2026-04-01 09:00",
        ),
        ("disqualified", "disqualified", {"reason": "student"}, "disqualify: student"),
        ("disqualified", "disqualified", {"reason": "not_ready"}, "disqualify: not_ready"),
        ("lost", "recycled", {}, "recycle: lost_other on learn until 2026-04-01 09:00"),
        (
            "lost",
            "recycled",
            {"reason": "in_contract", "contract_end": "2026-12-31"},
            "recycle: in_contract on learn until 2026-11-02 09:00",
        ),
        (
            "lost",
            "recycled",
            {"reason": "in_contract"},
            "recycle: in_contract on learn until 2026-08-31 09:00, needs contract_end",
        ),
    ],
)
def test_a_verdict_of_a_person_ends_the_cycle_with_a_date_or_for_good(
    event: str, to: str, more: dict[str, str], said: str
) -> None:
    scene = (
        Scene(QUIET)
        .qualified()
        .routed("ann")
        .staged("accepted", "sal")
        .staged(event, to, from_stage="sal", **more)
    )
    assert scene.lines() == [f"Mon 10:00 {said}"]


def test_our_own_word_coming_back_as_a_move_says_nothing_twice() -> None:
    scene = Scene(QUIET).qualified().routed("ann").staged("rejected", "mql", reason="not_ready")
    scene.staged("recycled", "recycled", actor="system", by=None, reason="not_ready")
    assert scene.lines() == ["Mon 10:00 recycle: not_ready on learn until 2026-04-01 09:00"]


def test_a_verdict_that_is_reported_twice_ends_the_cycle_once() -> None:
    scene = Scene(QUIET).qualified().routed("ann").staged("accepted", "sal")
    for _ in range(2):
        scene.staged("recycled", "recycled", from_stage="sal", reason="not_ready")
    assert scene.lines() == ["Mon 10:00 recycle: not_ready on learn until 2026-04-01 09:00"]


@pytest.mark.parametrize(
    ("event", "to", "reported"),
    [
        (
            "recycled",
            "recycled",
            ["recycle: not_ready on learn until 2026-04-01 09:00", "back: requalified"],
        ),
        ("disqualified", "disqualified", ["disqualify: not_ready"]),
        ("rejected", "mql", []),
        ("accepted", "sal", []),
        ("won", "customer", []),
    ],
)
def test_a_move_of_the_former_cycle_that_is_read_after_the_next_qualification_leaves_that_alone(
    event: str, to: str, reported: list[str]
) -> None:
    """The two come on two topics, so either may be read first."""
    scene = Scene(
        agreement(slas=promises("  - {clock: accept, within: 1 business hour}", grace="{}"))
    )
    scene.qualified().routed("ann").staged("accepted", "sal", qualification_id="q1").at("Mon 10:20")
    scene.qualified("q2", cycle=2).routed("bob", name="q2", cycle=2)
    scene.lines()
    before = scene.head()
    scene.staged(event, to, from_stage="sal", reason="not_ready", qualification_id="q1")
    assert scene.lines() == [f"Mon 10:20 {text}" for text in reported]
    after = scene.head()
    assert (after.passing, after.holder, after.clocks) == (
        before.passing,
        before.holder,
        before.clocks,
    )
    assert after.recycles == (event == "recycled")
    scene.at("Mon 10:40").staged(
        "accepted", "sal", by="bob", handoff_id="q2/1", qualification_id="q2", cycle=2
    )
    assert scene.lines() == ["Mon 10:40 accept (bob) met"]


def test_a_withdrawal_that_is_read_after_the_next_qualification_of_its_cycle_leaves_that_alone() -> (
    None
):
    scene = Scene(
        agreement(slas=promises("  - {clock: route, within: 1 hour elapsed}", grace="{}"))
    ).qualified()
    scene.qualified("q2")
    scene.lines()
    scene.staged(
        "withdrawn",
        "inquiry",
        actor="system",
        by=None,
        reason="cooled",
        handoff_id=None,
        qualification_id="q1",
    )
    said = scene.lines()
    assert [line.split(" on ")[0] for line in said] == [
        "Mon 10:00 recycle: cooled",
        "Mon 10:00 back: requalified",
    ]
    assert scene.routed("ann", name="q2").lines() == ["Mon 10:00 route met"]


def test_the_return_date_brings_the_lead_back_and_marketing_owes_the_first_touch() -> None:
    scene = Scene(QUIET).qualified().routed("ann").staged("rejected", "mql", reason="not_ready")
    scene.at("2026-04-01 12:00").act("nurture_touch", by="marketing")
    assert scene.at("2026-05-04 12:00").lines() == [
        "Mon 10:00 recycle: not_ready on learn until 2026-04-01 09:00",
        "2026-04-01 09:00 back: return_date",
        "2026-04-01 09:00 return running until 2026-04-03 09:00",
        "2026-04-01 12:00 return met",
    ]


def test_a_lead_that_does_not_qualify_after_its_return_is_looked_at_again() -> None:
    scene = (
        Scene(agreement(slas=promises("  - {clock: route, within: 1 hour elapsed}")))
        .qualified()
        .routed("ann")
    )
    scene.staged("rejected", "mql", reason="not_ready").at("2027-04-30 12:00")
    reactivated = [fact for fact in scene.facts() if isinstance(fact, LeadReactivated)]
    assert [(words(entry.at_ms), words(entry.return_at_ms)) for entry in reactivated] == [
        ("2026-04-01 09:00", "2027-04-01 09:00"),
        ("2027-04-01 09:00", "2028-03-31 09:00"),
    ]


def test_a_lead_that_qualifies_after_its_return_has_no_date_any_more() -> None:
    scene = (
        Scene(QUIET)
        .qualified()
        .routed("ann")
        .staged("rejected", "mql", reason="not_ready")
        .at("2026-04-01 12:00")
    )
    scene.lines()
    assert scene.qualified("q2", cycle=2).lines() == ["2026-04-01 12:00 return met: requalified"]
    assert scene.at("2028-04-30 12:00").lines() == []


def test_without_consent_nobody_is_nurtured_but_the_date_stands() -> None:
    scene = (
        Scene(NURTURE).qualified(story=Story(consents={"marketing/email": "refused"})).routed("ann")
    )
    scene.staged("rejected", "mql", reason="not_ready")
    (reported,) = [recycled for recycled in scene.facts() if isinstance(recycled, LeadRecycled)]
    assert (reported.nurture_allowed, reported.nurture_reason) == (False, "marketing refused")
    assert scene.at("2026-04-30 12:00").lines() == ["2026-04-01 09:00 back: return_date"]


def test_who_opts_out_after_the_hand_off_is_not_nurtured_when_the_cycle_ends() -> None:
    scene = (
        Scene(NURTURE).qualified(story=Story(consents={"marketing/email": "granted"})).routed("ann")
    )
    scene.staged("consent_changed", "mql", actor="system", consents={"marketing/email": "refused"})
    scene.staged("rejected", "mql", reason="not_ready")
    (reported,) = [recycled for recycled in scene.facts() if isinstance(recycled, LeadRecycled)]
    assert (reported.nurture_allowed, reported.nurture_reason) == (False, "marketing refused")
    assert scene.at("2026-04-30 12:00").lines() == ["2026-04-01 09:00 back: return_date"]


def test_who_opts_out_while_on_a_track_is_nurtured_no_longer() -> None:
    scene = (
        Scene(NURTURE).qualified(story=Story(consents={"marketing/email": "granted"})).routed("ann")
    )
    scene.staged("rejected", "mql", reason="not_ready")
    scene.lines()
    scene.staged(
        "consent_changed",
        "recycled",
        from_stage="recycled",
        cycle=2,
        actor="system",
        consents={"marketing/email": "refused"},
    )
    assert scene.lines() == [
        "Mon 10:00 nurture_start cancelled: no consent: marketing refused",
        "Mon 10:00 nurture cancelled: no consent: marketing refused",
        "Mon 10:00 recycle: not_ready on learn until 2026-04-01 09:00",
    ]
    assert scene.at("2026-04-30 12:00").lines() == ["2026-04-01 09:00 back: return_date"]


def test_the_end_of_a_track_by_a_withdrawn_consent_is_published_with_the_date_that_stands() -> None:
    scene = (
        Scene(NURTURE).qualified(story=Story(consents={"marketing/email": "granted"})).routed("ann")
    )
    scene.staged("rejected", "mql", reason="not_ready", learnt={"competitor": "Rival"})
    (enrolled,) = [fact for fact in scene.facts() if isinstance(fact, LeadRecycled)]
    scene.staged(
        "consent_changed",
        "recycled",
        from_stage="recycled",
        cycle=2,
        actor="system",
        consents={"marketing/email": "refused"},
        learnt={"competitor": "Rival", "objections": "price"},
    )
    (ended,) = [fact for fact in scene.facts() if isinstance(fact, LeadRecycled)]
    assert (enrolled.nurture_allowed, enrolled.revised, dict(enrolled.learnt)) == (
        True,
        False,
        {"competitor": "Rival"},
    )
    assert (ended.recycle_id, ended.nurture_allowed, ended.revised, ended.nurture_reason) == (
        enrolled.recycle_id,
        False,
        True,
        "marketing refused",
    )
    assert ended.return_at_ms == enrolled.return_at_ms
    assert dict(ended.learnt) == {"competitor": "Rival", "objections": "price"}


def test_an_end_of_contract_that_is_retracted_moves_the_return_back() -> None:
    scene = _resting(contract_end="2026-12-31")
    assert scene.lines() == ["Mon 10:00 recycle: in_contract on learn until 2026-11-02 09:00"]
    more = {"from_stage": "recycled", "cycle": 2, "actor": "system"}
    scene.staged("consent_changed", "recycled", **more)
    assert scene.lines() == []
    scene.staged("contract_end_learnt", "recycled", **more)
    assert scene.lines() == ["Mon 10:00 recycle: in_contract on learn until 2026-08-31 09:00"]


def test_enrolment_names_the_topics_and_the_stage_of_its_track() -> None:
    recycling = """
      limit: 2
      long_term: {track: learn, comes_back: 365 days}
      fallback: not_ready
      tracks: {learn: {topics: [integration], stage: decision}}
      reasons:
        not_ready: {outcome: recycle, track: learn, comes_back: after 30 days}
    """
    definitions = plain_agreement()["definitions"] | {
        "topics": {"integration": "Connecting other systems"}
    }
    scene = Scene(agreement(recycling=recycling, definitions=definitions)).qualified().routed("ann")
    scene.staged("rejected", "mql", reason="not_ready")
    (reported,) = [recycled for recycled in scene.facts() if isinstance(recycled, LeadRecycled)]
    assert (reported.track_topics, reported.track_stage, reported.nurture_allowed) == (
        ("integration",),
        "decision",
        True,
    )


def test_marketing_owes_the_start_of_the_nurture() -> None:
    scene = Scene(NURTURE).qualified().routed("ann").staged("rejected", "mql", reason="not_ready")
    assert scene.at("Fri 17:00").lines() == [
        "Mon 10:00 accept (ann) running until Mon 11:00",
        "Mon 10:00 accept (ann) met: rejected",
        "Mon 10:00 recycle: not_ready on learn until 2026-04-01 09:00",
        "Mon 10:00 nurture_start running until Wed 10:00",
        "Mon 10:00 nurture running until 2026-06-30 11:00",
        "Wed 10:00 nurture_start breached",
        "Wed 10:00 breach of nurture_start by marketing",
        "Wed 10:00 do notify  to max: breach",
    ]


def test_the_track_ends_when_the_lead_comes_back() -> None:
    scene = (
        Scene(NURTURE)
        .qualified()
        .routed("ann")
        .staged("rejected", "mql", reason="not_ready")
        .at("Tue 10:00")
    )
    scene.act("nurture_touch", by="marketing").lines()
    assert scene.at("2026-04-01 12:00").lines() == [
        "2026-04-01 09:00 nurture cancelled: return_date",
        "2026-04-01 09:00 back: return_date",
        "2026-04-01 09:00 return running until 2026-04-03 09:00",
    ]


def test_of_a_lead_that_nothing_was_known_of_no_tombstone_is_kept() -> None:
    scene = Scene().staged("merged", "inquiry", by=None, actor="system", handoff_id=None)
    assert [
        record
        for record in scene.host.log.history
        if record.topic == "clocks.changelog.v1" and record.key != b"p"
    ] == []


def test_of_a_lead_that_nothing_was_known_of_the_cycle_that_ends_is_the_one_of_its_move() -> None:
    scene = Scene(QUIET).staged(
        "recycled",
        "recycled",
        by=None,
        actor="marketing",
        handoff_id=None,
        reason="not_ready",
        cycle=3,
    )
    (reported,) = [recycled for recycled in scene.facts() if isinstance(recycled, LeadRecycled)]
    assert reported.cycle == 3


def test_where_nobody_is_named_the_side_that_owes_is_notified() -> None:
    scene = (
        Scene(NURTURE)
        .qualified()
        .routed("ann")
        .staged("rejected", "mql", reason="not_ready")
        .at("2026-04-02 12:00")
    )
    scene.lines()
    assert scene.at("2026-04-03 12:00").lines() == [
        "2026-04-03 09:00 return breached",
        "2026-04-03 09:00 breach of return by marketing",
        "2026-04-03 09:00 do notify  to marketing: breach",
        "2026-04-03 09:00 do escalate  to marketing: breach",
    ]


def test_a_track_may_last_as_long_as_it_says_itself() -> None:
    recycling = """
      limit: 2
      long_term: {track: letters, comes_back: 365 days}
      fallback: not_ready
      tracks: {learn: {may_last: 10 days}, letters: {}}
      reasons:
        not_ready: {outcome: recycle, track: learn, comes_back: after 30 days}
    """
    scene = Scene(
        agreement(
            slas=promises("  - {clock: nurture, within: 120 days elapsed}"), recycling=recycling
        )
    )
    scene.qualified().routed("ann").staged("rejected", "mql", reason="not_ready")
    assert scene.lines()[-1] == "Mon 10:00 nurture running until Thu+1 10:00"


def test_a_raised_hand_breaks_the_cool_off_and_the_track_ends() -> None:
    scene = Scene(NURTURE).qualified().routed("ann").staged("rejected", "mql", reason="not_ready")
    scene.lines()
    scene.at("Tue 10:00").qualified("q2", cycle=2, hand_raised=True)
    assert scene.at("2026-04-02 12:00").lines() == [
        "Tue 10:00 nurture_start cancelled: requalified",
        "Tue 10:00 nurture met: requalified",
        "Tue 10:00 back: hand_raised",
    ]


def test_who_was_recycled_too_often_goes_to_the_long_term_track_and_never_into_silence() -> None:
    scene = Scene(QUIET)
    for cycle in (1, 2, 3):
        scene.qualified(f"q{cycle}", cycle=cycle).routed("ann", name=f"q{cycle}", cycle=cycle)
        scene.staged("rejected", "mql", reason="not_ready", handoff_id=f"q{cycle}/1", cycle=cycle)
    assert scene.lines() == [
        "Mon 10:00 recycle: not_ready on learn until 2026-04-01 09:00",
        "Mon 10:00 back: requalified",
        "Mon 10:00 recycle: not_ready on learn until 2026-04-01 09:00",
        "Mon 10:00 back: requalified",
        "Mon 10:00 recycle: not_ready on letters until 2027-03-02 09:00",
    ]


def test_an_mql_that_cools_goes_where_leads_wait_without_a_cool_off() -> None:
    scene = (
        Scene()
        .qualified()
        .routed("ann")
        .at("Mon 10:20")
        .staged("withdrawn", "inquiry", actor="system", by=None, reason="cooled")
    )
    facts = scene.facts()
    assert [
        getattr(fact, "cool_off_until_ms", None)
        for fact in facts
        if type(fact).__name__ == "LeadRecycled"
    ] == [None]
    assert scene.head().recycles == 0
    assert scene.at("Tue 10:00").qualified("q2", cycle=2).lines() == ["Tue 10:00 back: requalified"]


def test_a_lead_that_qualified_anew_just_before_our_word_came_is_left_with_its_date() -> None:
    scene = (
        Scene()
        .qualified()
        .routed("ann")
        .staged("withdrawn", "inquiry", actor="system", by=None, reason="cooled")
    )
    scene.qualified("q2").routed("bob", name="q2").lines()
    scene.staged("recycled", "recycled", actor="system", by=None, reason="cooled")
    assert scene.at("2026-04-01 10:00").lines() == [
        "Mon 10:00 accept (bob) cancelled: recycled: cooled",
        "2026-04-01 09:00 back: return_date",
    ]


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("competitor", "disqualify: competitor"),
        ("no_consent", "recycle: no_consent on learn until 2026-04-01 09:00"),
        ("not_ready", "recycle: not_ready on learn until 2026-04-01 09:00"),
    ],
)
def test_a_suppressed_lead_ends_with_its_reason(reason: str, said: str) -> None:
    scene = Scene(
        agreement(slas=promises("  - {clock: route, within: 1 hour elapsed}"))
    ).qualified()
    assert scene.unrouted("suppressed", reason=reason).lines() == [
        "Mon 10:00 route running until Mon 11:00",
        f"Mon 10:00 route cancelled: suppressed: {reason}",
        f"Mon 10:00 {said}",
    ]


def test_a_suppression_and_its_end_that_are_read_before_the_qualification_end_the_lead() -> None:
    scene = Scene(agreement(slas=promises("  - {clock: route, within: 1 hour elapsed}")))
    scene.unrouted("suppressed", reason="competitor").noted("withdrawn", "competitor")
    assert scene.qualified().at("Fri 17:00").lines() == [
        "Mon 10:00 route running until Mon 11:00",
        "Mon 10:00 route cancelled: suppressed: competitor",
        "Mon 10:00 disqualify: competitor",
    ]


def test_a_won_lead_owes_and_is_owed_nothing_more() -> None:
    scene = (
        Scene(agreement(slas=promises("  - {clock: first_touch, within: 2 working days}")))
        .qualified()
        .routed("ann")
    )
    assert scene.at("Mon 12:00").staged("won", "customer").at("Fri 17:00").lines() == [
        "Mon 10:00 first_touch (ann) running until Wed 10:00",
        "Mon 12:00 first_touch (ann) cancelled: won",
    ]


# ---------------------------------------------------------------------- the end of a contract,
# whenever it is known

IN_CONTRACT = {"reason": "in_contract", "from_stage": "sal"}


def _resting(**more: str) -> Scene:
    scene = (
        Scene(QUIET).qualified(story=Story(profile=more)).routed("ann").staged("accepted", "sal")
    )
    return scene.staged("recycled", "recycled", **IN_CONTRACT)


def test_an_end_of_contract_that_the_profile_knows_counts() -> None:
    assert _resting(contract_end="2026-12-31").lines() == [
        "Mon 10:00 recycle: in_contract on learn until 2026-11-02 09:00"
    ]


def test_an_end_of_contract_that_is_learnt_later_moves_the_return_and_says_so() -> None:
    scene = _resting()
    assert scene.lines() == [
        "Mon 10:00 recycle: in_contract on learn until 2026-08-31 09:00, needs contract_end"
    ]
    scene.at("Tue 10:00").act("call", contract_end="2026-06-30")
    (moved,) = scene.facts()
    assert (words(moved.return_at_ms), moved.revised, moved.contract_end, moved.cycle) == (
        "2026-05-01 09:00",
        True,
        "2026-06-30",
        1,
    )
    assert scene.act("call", contract_end="2026-06-30").lines() == []
    assert scene.at("2026-05-01 09:00").lines()[0] == "2026-05-01 09:00 back: return_date"


def test_an_end_of_contract_that_leaves_no_time_brings_the_lead_back_at_the_next_opening() -> None:
    scene = _resting().at("2026-03-14 10:00")
    scene.lines()
    scene.act("call", contract_end="2026-03-31")
    assert scene.lines() == ["Sat+1 10:00 recycle: in_contract on learn until Mon+2 09:00"]
    assert scene.at("Mon+2 09:00").lines()[0] == "Mon+2 09:00 back: return_date"


@pytest.mark.parametrize("reported", ["soon", "1789-07-14", ""])
def test_what_is_no_day_of_a_contract_moves_nothing(reported: str) -> None:
    scene = _resting()
    scene.lines()
    assert scene.at("Tue 10:00").act("call", contract_end=reported).lines() == []


def test_another_reason_is_not_moved_by_a_contract() -> None:
    scene = Scene(QUIET).qualified().routed("ann").staged("rejected", "mql", reason="not_ready")
    scene.lines()
    assert scene.at("Tue 10:00").act("call", contract_end="2026-12-31").lines() == []


def test_where_the_cool_off_is_as_long_as_the_rest_the_lead_is_back_on_that_working_day() -> None:
    plain = plain_agreement()
    plain["recycling"]["reasons"]["not_ready"]["cool_off"] = "30 days"
    scene = Scene(agreement(recycling=plain["recycling"])).qualified().routed("ann")
    scene.staged("rejected", "mql", reason="not_ready")
    assert scene.lines()[-1] == "Mon 10:00 recycle: not_ready on learn until 2026-04-01 11:00"


def test_without_a_manager_a_fourth_rejection_goes_to_a_colleague_and_not_to_nobody() -> None:
    plain = plain_agreement()
    people = {name: {"name": name} for name in plain["people"]}
    pools = {
        name: {key: value for key, value in pool.items() if key != "manager"}
        for name, pool in plain["pools"].items()
    }
    scene = Scene(agreement(people=people, pools=pools)).qualified()
    for attempt, owner in enumerate(("ann", "bob", "cat", "max"), start=1):
        scene.routed(owner, attempt=attempt)
        scene.staged("rejected", "mql", by=owner, reason="misrouted", handoff_id=f"q1/{attempt}")
    assert scene.lines()[-1] == "Mon 10:00 do reassign q1/4 but ann, bob, cat, max: misrouted"
