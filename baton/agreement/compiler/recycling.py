"""Compiles the section ``recycling``: reasons, tracks and return dates."""

from baton.agreement.compiled.calendars import Calendar
from baton.agreement.compiled.recycling import RecycleReason, Recycling, Track
from baton.agreement.model.recycling import ReasonModel, RecyclingModel


def compile_recycling(model: RecyclingModel, house: Calendar) -> Recycling:
    """Reasons and tracks; return dates are on the house calendar."""
    return Recycling(
        reasons={name: _reason(name, reason) for name, reason in sorted(model.reasons.items())},
        tracks={
            name: Track(
                name=name, topics=track.topics, stage=track.stage, may_last_ms=track.may_last
            )
            for name, track in sorted(model.tracks.items())
        },
        max_recycles=model.limit,
        long_term_track=model.long_term.track,
        long_term_after_ms=model.long_term.comes_back,
        fallback=model.fallback,
        calendar=house,
    )


def _reason(name: str, model: ReasonModel) -> RecycleReason:
    when = model.comes_back
    return RecycleReason(
        name=name,
        outcome=model.outcome,
        track=model.track,
        cool_off_ms=model.cool_off,
        after_ms=(when.after_ms if when else None) or model.if_unknown or 0,
        before_contract_end_ms=when.before_end_ms if when else None,
        turn_back=model.turn_back,
        label=model.label or name.replace("_", " "),
    )
