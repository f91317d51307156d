"""The simulated company: the same seed gives the same script, everybody does what the words say,
and each sum can fail."""

import json
from collections import Counter
from dataclasses import replace

import pytest

from baton.contracts.codec import codec_for
from baton.contracts.leads import LeadQualified, Story
from baton.contracts.routing import LeadRouted, LeadUnrouted
from baton.contracts.topic_names import LEADS_UNROUTED
from baton.engine.memory import Stored
from baton.intake.line_reading import LineRefused, read_line
from baton.local.demo.company import Way, visitors
from baton.local.demo.past import followed_by, past_agreement, simulate_past
from baton.local.demo.staff import deeds
from baton.local.demo.sums import Sums, differences, faults
from baton.local.up.preparing import example_agreement

SOUND = Sums(
    sent=10,
    poison=1,
    keyed=9,
    distinct=8,
    accepted=8,
    twice=0,
    dead=1,
    qualified=2,
    first_handoffs=2,
    routed={"sdr": 2},
)


def test_a_seed_is_a_company() -> None:
    one = visitors(leads=40, span_ms=10_000, seed=3, begins_ms=0)
    assert one == visitors(leads=40, span_ms=10_000, seed=3, begins_ms=0)
    assert one != visitors(leads=40, span_ms=10_000, seed=4, begins_ms=0)
    assert {arrival.way for arrival in one} == set(Way)
    assert all(0 <= arrival.after_ms <= 10_000 for arrival in one)
    assert len({arrival.line for arrival in one}) < len(one), "some come twice"


def test_what_is_meant_to_be_rubbish_is_and_the_rest_is_not() -> None:
    script = visitors(leads=60, span_ms=10_000, seed=5, begins_ms=1_790_000_000_000)
    assert any(arrival.poison for arrival in script)
    for arrival in script:
        if arrival.poison:
            assert arrival.way is Way.KAFKA, "HTTP would refuse it at once"
            with pytest.raises(LineRefused):
                read_line(arrival.line)
        else:
            read_line(arrival.line)


def _routed(handoff_id: str) -> LeadRouted:
    qualified = LeadQualified(
        qualification_id="q",
        lead_id="a" * 32,
        cycle=1,
        leg="sdr",
        level="warm",
        grade="B2",
        fit_micro=0,
        engagement_micro=0,
        hand_raised=False,
        cause_id="c",
        qualified_at_ms=0,
        received_at_ms=0,
        segment=None,
        story=Story(),
        agreement="v",
    )
    return LeadRouted(
        handoff_id=handoff_id,
        qualification_id="q",
        attempt=1,
        lead_id="a" * 32,
        cycle=1,
        leg="sdr",
        pool="sdr",
        owner="sdr-anna",
        level="warm",
        segment=None,
        hand_raised=False,
        routed_at_ms=1_790_000_000_000,
        qualified_at_ms=0,
        path=(),
        candidates=(),
        rule="default",
        turn_used=True,
        qualified=qualified,
        agreement="v",
    )


def test_the_people_of_the_firm_act_in_order_and_in_lines_that_are_taken() -> None:
    careers = Counter()
    for number in range(200):
        done = list(deeds(_routed(f"{number:032x}")))
        assert done == list(deeds(_routed(f"{number:032x}")))
        assert [deed.after_ms for deed in done] == sorted(deed.after_ms for deed in done)
        kinds = tuple(
            str(read_line(deed.encoded).act.kind) for deed in done if json.loads(deed.encoded)
        )  # type: ignore[union-attr]
        careers[kinds] += 1
    assert set(careers) == {
        (),
        ("rejected",),
        ("accepted", "call", "qualified"),
        ("accepted", "call", "recycled"),
    }


def test_sound_sums_have_no_fault() -> None:
    assert faults(SOUND) == []
    assert SOUND.duplicates == 1


@pytest.mark.parametrize(
    ("planted", "words"),
    [
        (
            replace(SOUND, keyed=8, distinct=7, accepted=7),
            "10 sent, but 8 taken and 1 dead-lettered",
        ),
        (replace(SOUND, poison=0), "0 could not be taken, but 1 are dead letters"),
        (replace(SOUND, accepted=7), "8 different events taken, but 7 accepted"),
        (replace(SOUND, twice=1), "1 events were accepted twice"),
        (replace(SOUND, uncaused=1), "1 events were accepted that nobody sent"),
        (replace(SOUND, first_handoffs=1), "2 qualified, but 1 of them handed off"),
        (replace(SOUND, clocks_ended_twice=1), "1 clocks ended twice"),
        (
            replace(SOUND, uncallable=3),
            "3 leads were handed to a person without a way to reach them",
        ),
        (replace(SOUND, qualified=0, first_handoffs=0), "no lead qualified"),
        (replace(SOUND, routed={}), "no lead was routed"),
    ],
)
def test_a_planted_fault_is_named(planted: Sums, words: str) -> None:
    assert faults(planted) == [words]


# ------------------------------------------------------------------ the year before

DEMO = example_agreement().with_name("demo.yaml").read_text()
UNTIL_MS = 1_790_000_000_000


def test_the_year_before_is_under_the_same_agreement_with_hours_for_seconds() -> None:
    text, _ = past_agreement(DEMO)
    promises = text.split('"slas"')[1]
    assert "4 hours elapsed" in promises
    assert "seconds" not in promises
    assert '"comes_back":"after 8 days"' in text.replace(": ", ":")
    assert json.loads(text)["people"].keys() >= {"ae-greta", "mgr-ines"}


def test_a_seed_is_a_year_and_it_ends_where_the_demonstration_begins() -> None:
    one = simulate_past(DEMO, until_ms=UNTIL_MS, leads=6, seed=2)
    other = simulate_past(DEMO, until_ms=UNTIL_MS, leads=6, seed=2)
    assert [(record.topic, record.value) for record in one.history] == [
        (record.topic, record.value) for record in other.history
    ]
    assert max(record.timestamp for record in one.history) <= UNTIL_MS
    assert not [record for record in one.history if record.topic.startswith("dlq.")]
    assert any(record.topic.startswith("leads.routed.") for record in one.history)


@pytest.mark.parametrize(
    ("reason", "pool", "done"),
    [
        ("manager_queue", "sales", "assign"),
        ("manager_queue", "sdr", "assign"),
        ("manager_queue", None, None),
        ("capacity", "sales", None),
    ],
)
def test_what_ends_up_with_the_manager_is_given_to_one_of_the_team_within_the_day(
    reason: str, pool: str | None, done: str | None
) -> None:
    unrouted = LeadUnrouted(
        handoff_id="b" * 32,
        qualification_id="q1",
        attempt=3,
        lead_id="a" * 32,
        cycle=1,
        outcome="watch",
        reason=reason,
        pool=pool,
        at_ms=UNTIL_MS,
        path=(),
        candidates=(),
        agreement="v1",
    )
    stored = Stored(
        topic=LEADS_UNROUTED,
        partition=0,
        offset=0,
        key=b"a",
        value=codec_for(LeadUnrouted).encode(unrouted),
        timestamp=UNTIL_MS,
        headers=(),
    )
    found = list(followed_by(stored))
    lines = [json.loads(arrival.line)["command"] for arrival in found]
    assert [line["kind"] for line in lines] == ([done] if done else [])
    for arrival, line in zip(found, lines, strict=True):
        assert read_line(arrival.line)
        assert (line["by"], line["handoff_id"]) == ("mgr-ines", "b" * 32)
        assert line["to_person"].startswith("ae-" if pool == "sales" else "sdr-")
        assert UNTIL_MS < arrival.at_ms < UNTIL_MS + 86_400_000


OF_BOARD = {"qualified": 2, "dead": 1, "routed": {"sdr": 2}, "recycled": {}, "violated": {}}


def test_the_boards_sums_are_those_of_the_log() -> None:
    assert differences(SOUND, OF_BOARD) == []
    months = replace(SOUND, violated={"goal": 4, "accept": 1})
    assert differences(months, OF_BOARD | {"violated": {"goal": 3, "accept": 1}}) == []


@pytest.mark.parametrize("name", OF_BOARD)
def test_a_sum_of_the_board_that_is_another_is_named(name: str) -> None:
    (words,) = differences(
        SOUND,
        OF_BOARD | {name: "another"} | ({"violated": {"accept": 1}} if name == "violated" else {}),
    )
    assert words.startswith(f"{name}: the log has")
