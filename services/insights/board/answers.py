"""What became of an act that was sent from a page: found by its id among the facts that answer
it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from baton.contracts.leads import StageEvent
from services.insights.reports.context import Context

_ID: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """``state``: ``waiting``, ``done`` or ``refused``; ``words`` for people."""

    state: str
    words: str


def answer_to(context: Context, event_id: str) -> Answer | None:
    """What became of it; None for something that is no id."""
    if len(event_id) != _ID or not set(event_id) <= set("0123456789abcdef"):
        return None
    asked = {"cause": event_id}
    refusal = context.rows("SELECT reason FROM refusal WHERE cause_id = :cause", **asked)
    if refusal:
        return Answer(
            state="refused",
            words=f"Not carried out: {context.label_of_reason(refusal[0]['reason'])}.",
        )
    note = context.rows(
        "SELECT reason FROM note WHERE cause_id = :cause AND kind = 'refused'", **asked
    )
    if note:
        return Answer(
            state="refused", words=f"Not carried out: {context.label_of_reason(note[0]['reason'])}."
        )
    moves = context.rows(
        "SELECT to_stage FROM stage_move WHERE cause_id = :cause AND event <> :no_move",
        no_move=StageEvent.CONSENT_CHANGED,
        **asked,
    )
    if moves:
        return Answer(state="done", words=f"Done: the lead is now at stage {moves[0]['to_stage']}.")
    withdrawn = context.rows("SELECT kind, reason FROM note WHERE cause_id = :cause", **asked)
    if withdrawn:
        return Answer(
            state="done",
            words=(
                f"Done: the former hand-off was {withdrawn[0]['kind']} "
                f"({context.label_of_reason(withdrawn[0]['reason'])})."
            ),
        )
    act = context.rows("SELECT kind FROM act WHERE event_id = :cause", **asked)
    if act and act[0]["kind"] in ("call", "mail", "meeting"):
        return Answer(state="done", words="Recorded.")
    return Answer(state="waiting", words="Sent. Waiting for what becomes of it.")
