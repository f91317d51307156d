"""The states of a clock: every pair of state and signal, and what no path may do."""

from itertools import product

import pytest

from baton.contracts.slas import ClockState
from services.sla_watcher.clocks.transitions import OPEN, Signal, moves

R, M, C, B = ClockState.RUNNING, ClockState.MET, ClockState.CANCELLED, ClockState.BREACHED
L, A, W = ClockState.MET_LATE, ClockState.ABANDONED, ClockState.WITHDRAWN

TABLE = {
    (R, Signal.IN_TIME): (M,),
    (R, Signal.LATE): (),
    (R, Signal.EXPIRED): (B,),
    (R, Signal.CLOSED): (C,),
    (B, Signal.IN_TIME): (W,),
    (B, Signal.LATE): (L,),
    (B, Signal.EXPIRED): (),
    (B, Signal.CLOSED): (A,),
}


@pytest.mark.parametrize(("state", "signal"), list(product(ClockState, Signal)))
def test_every_state_knows_what_every_signal_means(state: ClockState, signal: Signal) -> None:
    assert moves(state, signal) == TABLE.get((state, signal), ())


def test_an_end_is_an_end() -> None:
    assert all(moves(state, signal) == () for state in set(ClockState) - OPEN for signal in Signal)


def test_no_clock_is_late_without_having_been_breached() -> None:
    reached = {state for signal in Signal for state in moves(R, signal)}
    assert reached == {M, C, B}
