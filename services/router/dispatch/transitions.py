"""The life of a hand-off as one total table: what happens to it in which state.

Only the table and the words; :mod:`services.router.dispatch.reducer` carries the moves out.
"""

from enum import StrEnum

from services.router.dispatch.state import HandoffState


class Trigger(StrEnum):
    """What can happen to the hand-off that stands. The ``former_`` ones name one that does not
    stand any more.

    ``recalled``: the pool gives it back. ``relieved``: the same, once it was accepted. ``misrouted``: rejected for a reason after which it goes
    to somebody else.
    """

    QUALIFIED = "qualified"
    ROUTED = "routed"
    HELD = "held"
    WATCHED = "watched"
    SUPPRESSED = "suppressed"
    RECALLED = "recalled"
    RELIEVED = "relieved"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    MISROUTED = "misrouted"
    ENDED = "ended"
    MOVED = "moved"
    COMMANDED = "commanded"
    FORMER_ROUTED = "former_routed"
    FORMER_UNROUTED = "former_unrouted"
    FORMER_ACCEPTED = "former_accepted"
    FORMER_REJECTED = "former_rejected"
    FORMER_MOVED = "former_moved"
    FORMER_COMMANDED = "former_commanded"


class Move(StrEnum):
    """What dispatch does.

    ``open``: ask for a holder. ``replace``: release, then open for another qualification.
    ``offer``, ``hold``, ``watch``: note the answer. ``accept``: report that the offer is open work.
    ``return``: release; what follows is decided elsewhere. ``close``: release, for good. ``end``:
    the same where nothing is left to release. ``retry``: release and ask again; ``again``: ask
    again where nothing is left to release. ``confirm``: routed, but accepted before the answer
    came. ``reinstate``: the former one stands, the current one is taken back. ``refuse_...``: say
    no and why. ``ignore``: a repeat, an answer that does not stand, or nothing to do.
    """

    OPEN = "open"
    REPLACE = "replace"
    OFFER = "offer"
    HOLD = "hold"
    WATCH = "watch"
    ACCEPT = "accept"
    RETURN = "return"
    CLOSE = "close"
    END = "end"
    RETRY = "retry"
    AGAIN = "again"
    CONFIRM = "confirm"
    REINSTATE = "reinstate"
    REFUSE_STALE = "refuse_stale"
    REFUSE_CLOSED = "refuse_closed"
    IGNORE = "ignore"


_STATES: tuple[HandoffState | None, ...] = (
    None,
    HandoffState.REQUESTED,
    HandoffState.HELD,
    HandoffState.WATCHED,
    HandoffState.OFFERED,
    HandoffState.ACCEPTED,
    HandoffState.RETURNED,
    HandoffState.CLOSED,
)
# One line per trigger, one column per state, in the order of _STATES. None: the lead never had a
# hand-off.
_ROWS: dict[Trigger, tuple[Move, ...]] = {
    # none               requested       held            watched         offered         accepted
    # returned            closed
    Trigger.QUALIFIED:        (Move.OPEN,         Move.REPLACE,   Move.REPLACE,   Move.REPLACE,   Move.REPLACE,   Move.REPLACE,      Move.OPEN,          Move.OPEN),
    Trigger.ROUTED:           (Move.IGNORE,       Move.OFFER,     Move.OFFER,     Move.OFFER,     Move.IGNORE,    Move.CONFIRM,      Move.IGNORE,        Move.IGNORE),
    Trigger.HELD:             (Move.IGNORE,       Move.HOLD,      Move.HOLD,      Move.HOLD,      Move.IGNORE,    Move.IGNORE,       Move.IGNORE,        Move.IGNORE),
    Trigger.WATCHED:          (Move.IGNORE,       Move.WATCH,     Move.WATCH,     Move.WATCH,     Move.IGNORE,    Move.IGNORE,       Move.IGNORE,        Move.IGNORE),
    Trigger.SUPPRESSED:       (Move.IGNORE,       Move.CLOSE,     Move.CLOSE,     Move.CLOSE,     Move.CLOSE,     Move.IGNORE,       Move.IGNORE,        Move.IGNORE),
    Trigger.RECALLED:         (Move.IGNORE,       Move.RETRY,     Move.RETRY,     Move.IGNORE,    Move.RETRY,     Move.IGNORE,       Move.IGNORE,        Move.IGNORE),
    Trigger.RELIEVED:         (Move.IGNORE,       Move.IGNORE,     Move.IGNORE,     Move.IGNORE,    Move.IGNORE,    Move.RETRY,        Move.IGNORE,        Move.IGNORE),
    Trigger.ACCEPTED:         (Move.REFUSE_CLOSED, Move.ACCEPT,   Move.ACCEPT,    Move.ACCEPT,    Move.ACCEPT,    Move.IGNORE,       Move.REINSTATE,     Move.REFUSE_CLOSED),
    Trigger.REJECTED:         (Move.IGNORE,       Move.RETURN,    Move.RETURN,    Move.RETURN,    Move.RETURN,    Move.RETURN,       Move.IGNORE,        Move.IGNORE),
    Trigger.MISROUTED:        (Move.IGNORE,       Move.RETRY,     Move.RETRY,     Move.RETRY,     Move.RETURN,    Move.RETURN,       Move.IGNORE,        Move.IGNORE),
    Trigger.ENDED:            (Move.IGNORE,       Move.CLOSE,     Move.CLOSE,     Move.CLOSE,     Move.CLOSE,     Move.CLOSE,        Move.END,           Move.IGNORE),
    Trigger.MOVED:            (Move.REFUSE_CLOSED, Move.RETRY,    Move.RETRY,     Move.RETRY,     Move.RETRY,     Move.RETRY,        Move.AGAIN,         Move.REFUSE_CLOSED),
    Trigger.COMMANDED:        (Move.REFUSE_CLOSED, Move.RETRY,    Move.RETRY,     Move.RETRY,     Move.RETRY,     Move.RETRY,        Move.REFUSE_CLOSED, Move.REFUSE_CLOSED),
    Trigger.FORMER_ROUTED:    (Move.IGNORE,) * 8,
    Trigger.FORMER_UNROUTED:  (Move.IGNORE,) * 8,
    Trigger.FORMER_ACCEPTED:  (Move.REFUSE_STALE, Move.REINSTATE, Move.REINSTATE, Move.REINSTATE, Move.REINSTATE, Move.REFUSE_STALE, Move.REINSTATE,     Move.REFUSE_STALE),
    Trigger.FORMER_REJECTED:  (Move.IGNORE,) * 8,
    Trigger.FORMER_MOVED:     (Move.REFUSE_STALE,) * 8,
    Trigger.FORMER_COMMANDED: (Move.REFUSE_STALE,) * 8,
}  # fmt: skip
TABLE: dict[tuple[HandoffState | None, Trigger], Move] = {
    (state, trigger): move
    for trigger, row in _ROWS.items()
    for state, move in zip(_STATES, row, strict=True)
}


def move_for(state: str | None, trigger: Trigger) -> Move:
    """What to do; every pair has an answer."""
    return TABLE[HandoffState(state) if state else None, trigger]
