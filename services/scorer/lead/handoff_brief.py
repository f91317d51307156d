"""The hand-off as far as the scorer knows it: what a person reads before the call (DOMAIN 7).

It is put together once, at the qualification, from entries that no other step reads.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

from baton.contracts.leads import ContentTouch, Contribution, Criterion, EarlierCycle, Story
from baton.evolve import evolve
from services.scorer.lead.consents import consents_of
from services.scorer.lead.lead_context import origin_of, touches_of
from services.scorer.lead.learnt import learnt_of
from services.scorer.lead.state import CYCLE, NOBODY, ONLY, PERSON
from services.scorer.lead.step import LeadStep
from services.scorer.score.content_touches import Piece
from services.scorer.score.explanation import explanation
from services.scorer.score.ledger import id_bytes

SHOWN_CONTENT: Final = 12
SHOWN_REASONS: Final = 8
SHOWN_INTERESTS: Final = 6
SHOWN_CYCLES: Final = 10


def brief_of(step: LeadStep) -> Story:
    """Everything known now, with what acts named of the buyer. Retracted touches are left out."""
    head, profile = step.head, step.profile
    recent, campaigns = touches_of(step)
    source, campaign = origin_of(step)
    return Story(
        person=(step.get(PERSON, ONLY) or NOBODY).person,
        account_id=head.account_id,
        profile=profile if not step.cycle_state.heard else {**profile, **learnt_of(step)},
        why_now=_why_now(step, recent) if step.explains else (),
        criteria=criteria_of(step) if step.explains else (),
        content=_shown(recent) if step.explains else (),
        interests=_interests(recent) if step.explains else (),
        first_campaign=campaigns[0].campaign if campaigns else None,
        latest_campaign=campaign,
        source=source,
        consents=consents_of(step),
        earlier_cycles=earlier_cycles(step),
    )


def criteria_of(step: LeadStep) -> tuple[Criterion, ...]:
    """Every fit criterion, and what the bounds of 0 and 100 took: the points add up to the fit."""
    result = step.fit
    if not result.clamp_micro:
        return result.criteria
    return (
        *result.criteria,
        Criterion(name="within 0 and 100", outcome="clamp", points_micro=result.clamp_micro),
    )


def earlier_cycles(step: LeadStep) -> tuple[EarlierCycle, ...]:
    """The former cycles, latest last."""
    return tuple(cycle for _, cycle in step.items(CYCLE))[-SHOWN_CYCLES:]


def _why_now(step: LeadStep, recent: list[Piece]) -> tuple[Contribution, ...]:
    """What the score is made of; the act that made the lead ready is among it, however small."""
    titles = {piece.id.hex(): piece.title for piece in recent}
    work = step.cycle_state.work
    decisive = {id_bytes(event_id) for event_id in (work.cause_id, *work.raised_by)}
    head = step.head
    lines = explanation(
        head.ledger, head.marks, step.table, step.now, top=SHOWN_REASONS, decisive=decisive
    ).lines
    return tuple(
        evolve(line, content_title=titles.get(line.event_id or "") or None) for line in lines
    )


def _shown(recent: list[Piece]) -> tuple[ContentTouch, ...]:
    return tuple(_content(touch) for touch in reversed(recent) if touch.title)[:SHOWN_CONTENT]


def _content(piece: Piece) -> ContentTouch:
    return ContentTouch(
        event_id=piece.id.hex(),
        act=piece.act,
        title=piece.title,
        occurred_at_ms=piece.at_ms,
        topics=piece.topics,
        campaign=piece.campaign or None,
        stage=piece.stage or None,
    )


def _interests(recent: list[Piece]) -> tuple[str, ...]:
    """The topics most often touched, the later one first among equals."""
    counts = Counter(topic for piece in recent for topic in dict.fromkeys(piece.topics))
    latest = {topic: piece.at_ms for piece in recent for topic in piece.topics}
    ranked = sorted(counts, key=lambda topic: (-counts[topic], -latest[topic], topic))
    return tuple(ranked[:SHOWN_INTERESTS])
