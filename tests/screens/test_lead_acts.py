"""Acts by command: the line, and the answer that is found among the facts of the lead."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from baton.cluster.log import Record
from baton.contracts.codec import codec_for
from baton.contracts.intake import Command, LeadCommand
from baton.contracts.routing import HandoffNoted, RoutingStep
from baton.contracts.topic_names import (
    INTAKE_ALIASES,
    LEADS_COMMANDS,
    LEADS_HANDOFFS,
    LEADS_INBOX_DEAD_LETTERS,
    LEADS_ROUTED_SALES,
)
from baton.contracts.topics import TOPICS
from baton.intake.line_reading import read_line
from baton.lead_story.stories import identity_of
from baton.screens.lead_acts import (
    ANSWER_TOPICS,
    ActLine,
    Answer,
    AnswerFinder,
    answer_within,
    identifier_of,
    identity_line,
    line_of,
)
from baton.simulation.input_lines import Arrival
from tests.screens.company import MINUTE_MS, START_MS, Company, demo

LEAD = "a" * 32


class Desk:
    """A company with one lead at sales, and somebody who acts on it."""

    def __init__(self) -> None:
        self.company = Company().run([demo(1, START_MS)], START_MS + MINUTE_MS)
        self.routed = self.company.values(LEADS_ROUTED_SALES)[0]
        self.lead_id: str = self.routed.lead_id
        people = {"ae-greta", "ae-hugo"}
        self.other = (people - {self.routed.owner}).pop()

    def do(self, kind: str, by: str, **more: Any) -> Answer | None:
        """What became of it; by then nothing else can come of it."""
        at = self.company.now_ms + MINUTE_MS
        line = line_of(kind, self.lead_id, by=by, at_ms=at, more=more)
        read_line(line.body)
        seen = len(self.company.records(self._topics))
        self.company.run([Arrival(at_ms=at, line=json.dumps(line.body).encode())], at + 10_000)
        news = self.company.records(self._topics)[seen:]
        found = [self._find(line, kind, order) for order in (news, news[::-1])]
        assert found[0] == found[1], "it hangs on the order in which topics are read"
        return found[0]

    def _find(self, line: ActLine, kind: str, news: Sequence[Record]) -> Answer | None:
        finder = AnswerFinder(line, self.lead_id, kind=kind)
        return answer_within(lambda: iter(news), finder, pauses=[0.1], sleep=lambda _: None)

    _topics = (*ANSWER_TOPICS, LEADS_INBOX_DEAD_LETTERS)


def test_an_acceptance_is_done_and_a_second_one_is_refused_with_its_reason() -> None:
    desk = Desk()
    done = desk.do("accepted", desk.routed.owner)
    assert done is not None
    assert (done.state, done.reason, done.text) == ("done", "accepted", "done: the lead is at sal")
    again = desk.do("accepted", desk.other)
    assert again is not None
    assert (again.state, again.reason) == ("refused", "held_by_another")


def test_a_rejection_with_an_unknown_reason_is_refused() -> None:
    desk = Desk()
    found = desk.do("rejected", desk.routed.owner, reason="no_such_word")
    assert found is not None
    assert found.state == "refused"
    assert "reason" in found.reason


def test_a_lead_passed_on_says_who_has_it_now() -> None:
    desk = Desk()
    found = desk.do("pass_on", desk.routed.owner, to_person=desk.other)
    assert found is not None
    assert (found.state, found.text) == ("done", f"done: {desk.other} has it, in sales")
    (command,) = desk.company.values(LEADS_COMMANDS)
    (withdrawn,) = desk.company.values(LEADS_HANDOFFS)
    assert (withdrawn.reason, withdrawn.cause_id) == ("passed_on", command.event_id)


def test_a_manager_may_assign_and_a_colleague_may_not() -> None:
    desk = Desk()
    stranger = desk.do("assign", desk.other, to_person=desk.other)
    assert stranger is not None
    assert stranger.state == "refused"
    manager = desk.do("assign", "mgr-ines", to_person=desk.other)
    assert manager is not None
    assert (manager.state, manager.text) == ("done", f"done: {desk.other} has it, in sales")


def test_a_claim_of_what_somebody_holds_is_refused() -> None:
    desk = Desk()
    found = desk.do("claim", desk.other)
    assert found is not None
    assert found.state == "refused"


def test_the_same_act_in_the_same_moment_is_one_event_and_later_another() -> None:
    first, again = (line_of("claim", "a" * 32, by="x", at_ms=1) for _ in range(2))
    later = line_of("claim", "a" * 32, by="x", at_ms=2)
    assert first == again
    assert first.event_id != later.event_id


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("ann@acme.example", ("email", "ann@acme.example")),
        ("user:u-1", ("user", "u-1")),
        ("crm:hubspot:4711", ("crm", "hubspot:4711")),
        ("hubspot:4711", ("crm", "hubspot:4711")),
        ("Ann Berg", None),
    ],
)
def test_an_identifier_is_read_as_people_write_it(text: str, found: tuple[str, str] | None) -> None:
    assert identifier_of(text) == found


def test_a_merge_names_both_leads_and_a_separation_the_identifier() -> None:
    one, other = "a" * 32, "b" * 32
    merge = identity_line("merge", one, {"lead": other}, by="mgr-ines", at_ms=1)
    apart = identity_line("unmerge", one, {"email": "x@y.example"}, by="mgr-ines", at_ms=1)
    assert merge.body["identifiers"] == {"lead": [one, other]}
    assert apart.body["identifiers"] == {"lead": one, "email": "x@y.example"}
    assert merge.body["command"] == {"kind": "merge", "by": "mgr-ines"}
    assert merge.event_id != apart.event_id


def test_two_leads_become_one_by_command_and_an_identifier_leaves_again() -> None:
    pytest.importorskip("baton.contracts.identity", reason="this build has no identity commands")
    company = Company().run([demo(1, START_MS), demo(2, START_MS)], START_MS + MINUTE_MS)
    one, other = (routed.lead_id for routed in company.values(LEADS_ROUTED_SALES))
    topics = (*ANSWER_TOPICS, INTAKE_ALIASES, LEADS_INBOX_DEAD_LETTERS)

    def answer(kind: str, lead_id: str, others: dict[str, str]) -> Answer | None:
        at = company.now_ms + MINUTE_MS
        line = identity_line(kind, lead_id, others, by="mgr-ines", at_ms=at)
        seen = len(company.records(topics))
        company.run([Arrival(at_ms=at, line=json.dumps(line.body).encode())], at + 10_000)
        identity = identity_of(others["email"]) if "email" in others else None
        finder = AnswerFinder(line, lead_id, kind=kind, identity=identity)
        news = company.records(topics)[seen:]
        return answer_within(lambda: iter(news), finder, pauses=[0], sleep=lambda _: None)

    merged = answer("merge", one, {"lead": other})
    assert merged is not None
    assert merged.reason == "merged"
    survivor = merged.text.rpartition(" ")[2]
    apart = answer("unmerge", survivor, {"email": "p2@firm2.example"})
    assert apart is not None
    assert apart.reason == "unmerged"
    assert survivor not in apart.text


ORDERS = list(itertools.permutations(range(4)))


def _answers(line: ActLine, kind: str, records: Sequence[Record]) -> set[str | None]:
    """What is found in any order of the records, read at once or one after another."""
    found = set()
    for order in ORDERS:
        for rounds in ([order], [(number,) for number in order]):
            finder = AnswerFinder(line, LEAD, kind=kind)
            news = iter([[records[number] for number in batch] for batch in rounds])
            pauses = [0.1] * (len(rounds) + 2)
            answer = answer_within(
                partial(_next_of, news), finder, pauses=pauses, sleep=lambda _: None
            )
            found.add(answer.text if answer is not None else None)
    return found


def _next_of(batches: Iterator[list[Record]]) -> Iterator[Record]:
    return iter(next(batches, []))


def test_a_move_by_another_cause_in_the_same_moment_is_no_answer_to_a_command() -> None:
    desk = Desk()
    line = line_of("assign", LEAD, by="mgr-ines", at_ms=1, more={"to_person": "ae-hugo"})
    asked = replace(desk.routed, lead_id=LEAD, qualification_id="q", attempt=3, owner="ae-hugo")
    crossed = replace(asked, attempt=2, owner="ae-iris", path=())
    ended = HandoffNoted(
        handoff_id="h2",
        qualification_id="q",
        attempt=2,
        lead_id=LEAD,
        kind="withdrawn",
        reason="assigned",
        cause_id=line.event_id,
        at_ms=2,
    )
    taken = LeadCommand(
        event_id=line.event_id,
        lead_id=LEAD,
        source="baton-cli",
        occurred_at_ms=1,
        received_at_ms=1,
        command=Command(kind="assign", by="mgr-ines", to_person="ae-hugo"),
    )
    public = [
        (LEADS_COMMANDS, taken),
        (LEADS_ROUTED_SALES, crossed),
        (LEADS_HANDOFFS, ended),
        (LEADS_ROUTED_SALES, asked),
    ]
    assert _answers(line, "assign", [_record(*one) for one in public]) == {
        "done: ae-hugo has it, in sales"
    }
    # The hand-off that was crossed had not been published: the path says whose answer it is.
    named = replace(asked, path=(*asked.path, RoutingStep(rule="manual", outcome="assigned")))
    public = [
        (LEADS_COMMANDS, taken),
        (LEADS_ROUTED_SALES, crossed),
        (LEADS_ROUTED_SALES, named),
        (LEADS_COMMANDS, replace(taken, event_id="another")),
    ]
    assert _answers(line, "assign", [_record(*one) for one in public]) == {
        "done: ae-hugo has it, in sales"
    }


def _record(topic: str, value: Any) -> Record:
    spec = TOPICS[topic].record
    assert spec is not None
    return Record(
        topic=topic,
        partition=0,
        offset=0,
        at_ms=0,
        key=LEAD.encode(),
        value=codec_for(spec).encode(value),
        headers=(),
    )


@pytest.mark.parametrize("kind", ["accepted", "claim"])
def test_where_nothing_comes_of_it_there_is_no_answer(kind: str) -> None:
    line = ActLine(body={"id": "i"}, event_id="e")
    finder = AnswerFinder(line, "a" * 32, kind=kind)
    pauses: list[float] = []
    found = answer_within(lambda: iter(()), finder, pauses=[1, 2], sleep=pauses.append)
    assert (found, finder.taken, pauses) == (None, False, [1, 2])
