"""What conditions of the agreement may ask of a lead, answered from its state."""

from __future__ import annotations

from baton.agreement.condition_context import ConditionContext, is_reachable
from baton.agreement.condition_fields import REACHABLE
from services.scorer.lead.consents import consents_of
from services.scorer.lead.state import CYCLE, GROUP, NOBODY, ONLY, PERSON
from services.scorer.lead.step import LeadStep
from services.scorer.score.content_touches import Piece, pieces
from services.scorer.score.entry_status import Why, marked_entries
from services.scorer.score.ledger import retracted_ids, stage_code, word_code

_ORIGIN = frozenset({"lead.source", "lead.campaign"})


class LedgerBehaviour:
    """Counts acts by the ledger: those that count, in this cycle."""

    def __init__(self, ledger: bytes, marks: bytes) -> None:
        self._entries = [
            entry for entry, _, _, _, why, _ in marked_entries(ledger, marks) if why is Why.COUNTS
        ]

    def count(self, kind: str, name: str, since_ms: int | None) -> int:
        """See :class:`baton.agreement.condition_context.Behaviour`."""
        since = 0 if since_ms is None else since_ms
        code = stage_code(name) if kind == "stage" else word_code(name)
        match kind:
            case "act":
                return sum(entry.act == code and entry.at_ms >= since for entry in self._entries)
            case "stage":
                return sum(entry.stage == code and entry.at_ms >= since for entry in self._entries)
            case "topic":
                return sum(code in entry.topics and entry.at_ms >= since for entry in self._entries)
        raise ValueError(f"behaviour is counted by act, stage or topic, not by {kind}")


def touches_of(step: LeadStep) -> tuple[list[Piece], list[Piece]]:
    """The newest pieces of content, and every touch with a campaign; oldest first, without what was
    retracted."""
    head = step.head
    gone = retracted_ids(head.retracted)
    recent = [piece for piece in pieces(head.recent) if piece.id not in gone]
    return recent, sorted(
        {
            piece
            for piece in (*pieces(head.origins), *recent)
            if piece.campaign and piece.id not in gone
        }
    )


def origin_of(step: LeadStep) -> tuple[str | None, str | None]:
    """Where the lead came from, and the campaign that touched it last."""
    recent, campaigns = touches_of(step)
    first = campaigns[0] if campaigns else recent[0] if recent else None
    return step.profile.get("source") or (first.source if first else None), campaigns[
        -1
    ].campaign if campaigns else None


def context_of(step: LeadStep, engagement_micro: int) -> ConditionContext:
    """The lead as it is now."""
    head, cycle_state, profile = step.head, step.cycle_state, step.profile
    cycles = step.items(CYCLE)
    levels = step.agreement.levels
    asks = step.agreement.lifecycle.asks
    source, campaign = origin_of(step) if asks & _ORIGIN else (None, None)
    group = step.get(GROUP, ONLY) if step.agreement.lifecycle.asks_account else None
    if group is not None and group.account_id != head.account_id:
        group = None
    return ConditionContext(
        now_ms=step.now,
        profile=profile,
        behaviour=LedgerBehaviour(head.ledger, head.marks),
        account_id=head.account_id,
        account_people=group.people if group else None,
        account_engaged_people=group.engaged_people if group else None,
        account_engagement_micro=group.engagement_micro if group else None,
        account_senior_role=group.most_senior_role if group else None,
        fit_micro=head.fit_micro,
        engagement_micro=engagement_micro,
        level=head.level,
        grade=levels.grade(head.fit_micro, engagement_micro),
        segment=step.agreement.segment_of(profile),
        cycle=head.cycle,
        stage=head.stage,
        recycles=cycle_state.recycles,
        last_reason=cycles[-1][1].reason if cycles else None,
        source=source,
        campaign=campaign,
        reachable=is_reachable((step.get(PERSON, ONLY) or NOBODY).person)
        if REACHABLE in asks
        else None,
        leg=levels.queue_for(head.level, levels.fit_band(head.fit_micro), cycle_state.hand_raised),
        hand_raised=cycle_state.hand_raised,
        consents=consents_of(step),
    )
