"""Facts of compacted topics, and what becomes of an event: replaced, dropped and dead are accounted
for; lost and changed are not."""

import pytest

from baton.proof.audit.events import ACCEPTED, ACKNOWLEDGED, DEAD, DROPPED, KEYED, check_event
from baton.proof.audit.fact_matching import FOUND, REBUILT, check_compacted
from baton.proof.audit.findings import Finding, Invariant

TOPIC = "leads.persons.v1"
KEYED_TOPIC = "intake.keyed.v1"


def compacted(*rows: tuple[str, int, bytes, str]) -> list[Invariant]:
    findings: list[Finding] = []
    whole = [(found, TOPIC, 0, offset, said, fact_id) for found, offset, said, fact_id in rows]
    check_compacted(whole, rebuilt=frozenset({TOPIC}), add=findings.append)
    return [finding.invariant for finding in findings]


def test_what_compaction_replaced_is_not_missing_as_long_as_something_is_there() -> None:
    first, second = (REBUILT, -1, b"1", "a"), (REBUILT, -1, b"2", "b")
    assert compacted((FOUND, 7, b"2", "b"), first, second) == []
    assert compacted(first, second) == [Invariant.REBUILT, Invariant.REBUILT]
    assert compacted((FOUND, 7, b"x", "b"), first, second) == [Invariant.REBUILT]
    assert compacted((FOUND, 7, b"2", "c"), first, second) == [Invariant.REBUILT]


@pytest.mark.parametrize(
    ("what", "broken"),
    [
        ((ACKNOWLEDGED, KEYED, ACCEPTED), []),
        ((ACKNOWLEDGED, KEYED, KEYED, ACCEPTED), []),
        ((ACKNOWLEDGED, DEAD), []),
        ((ACKNOWLEDGED, KEYED, DROPPED), []),
        ((ACKNOWLEDGED,), [Invariant.ACKNOWLEDGED]),
        ((ACKNOWLEDGED, KEYED), [Invariant.ACCEPTED_ONCE]),
        ((KEYED, ACCEPTED, ACCEPTED), [Invariant.ACCEPTED_ONCE]),
    ],
)
def test_an_event_is_accepted_once_or_accounted_for(
    what: tuple[str, ...], broken: list[Invariant]
) -> None:
    findings: list[Finding] = []
    check_event(
        "e", [(text, KEYED_TOPIC, 0, number) for number, text in enumerate(what)], findings.append
    )
    assert [finding.invariant for finding in findings] == broken
