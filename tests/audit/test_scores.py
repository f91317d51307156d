"""The audit's own way to a score, held against the scorer's: the same for every set of acts, though
they share no sum."""

from hypothesis import given
from hypothesis import strategies as st

from baton.contracts.intake import LeadEvent
from baton.proof.audit.scores import TOLERANCE_MICRO, engagement_micro
from services.scorer.score.entry_counting import counted
from services.scorer.score.ledger import id_bytes, with_retractions
from tests.services.scorer.score.test_laws import HISTORY, MANY, NOW, TABLE, TERMS, Did, score
from tests.services.scorer.scorer_world import DAY


@MANY
@given(HISTORY, st.sets(st.integers(0, 39), max_size=5), st.integers(0, 60 * DAY))
def test_the_audit_and_the_scorer_come_to_one_score(
    history: list[Did], gone: set[int], later: int
) -> None:
    now, retracted = NOW + later, b""
    events = [record.event() for record in history]
    for record in history:
        if record.number in gone:
            retracted = with_retractions(retracted, [(id_bytes(record.event_id), NOW)], b"")
            events.append(_retraction(record))
    state = counted(
        b"".join(sorted(record.record() for record in history)), retracted, 0, TABLE, now
    )
    assert abs(score(state, now) - engagement_micro(events, TERMS, now)) <= TOLERANCE_MICRO


def _retraction(did: Did) -> LeadEvent:
    return LeadEvent(
        event_id=f"r{did.number}",
        lead_id="l1",
        source="http",
        kind="retraction",
        occurred_at_ms=NOW,
        received_at_ms=NOW,
        retracts=did.event_id,
    )
