"""The states of a clock, as one total table.

``running -> met | cancelled | breached``, then ``breached -> met_late | abandoned | withdrawn``:
one end a clock. It knows no times and no agreement; who calls it has compared the evidence with the
deadline.

What came after the deadline does not end a clock at once: until it is certain that nothing from
before the deadline is still on its way, the verdict would depend on the order of arrival. It is
noted, and signalled again (``late``, ``closed``) when that is certain.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from baton.contracts.slas import ClockState


class Signal(StrEnum):
    """What can happen to a clock.

    ``in_time`` and ``late``: the act it waits for, from before and from after the deadline.
    ``expired``: the deadline has come. ``closed``: there is nothing left to wait for (withdrawn,
    merged, handed on, the cycle ended).
    """

    IN_TIME = "in_time"
    LATE = "late"
    EXPIRED = "expired"
    CLOSED = "closed"


OPEN: Final = frozenset({ClockState.RUNNING, ClockState.BREACHED})

_MOVES: Final[Mapping[tuple[ClockState, Signal], tuple[ClockState, ...]]] = {
    (ClockState.RUNNING, Signal.IN_TIME): (ClockState.MET,),
    (ClockState.RUNNING, Signal.LATE): (),
    (ClockState.RUNNING, Signal.EXPIRED): (ClockState.BREACHED,),
    (ClockState.RUNNING, Signal.CLOSED): (ClockState.CANCELLED,),
    (ClockState.BREACHED, Signal.IN_TIME): (ClockState.WITHDRAWN,),
    (ClockState.BREACHED, Signal.LATE): (ClockState.MET_LATE,),
    (ClockState.BREACHED, Signal.EXPIRED): (),
    (ClockState.BREACHED, Signal.CLOSED): (ClockState.ABANDONED,),
}


def moves(state: ClockState, signal: Signal) -> tuple[ClockState, ...]:
    """The states a clock passes through on ``signal``, in order; none for a clock that has ended:
    an end is an end.

    Late evidence does not breach a clock: only its deadline does, when it is proven. So no path
    leads to ``met_late`` around ``breached``.
    """
    return _MOVES.get((state, signal), ())
