"""When a worker is ready: a silence never looks like health."""

import pytest

from baton.engine.kafka.status import TaskState, TaskStatus, all_ready

RUNNING, STOPPED, INCOMPLETE = TaskState.RUNNING, TaskState.STOPPED, TaskState.INCOMPLETE


def status(state: TaskState, *, stalled: bool = False) -> TaskStatus:
    return TaskStatus(reducer="counter", partition=0, state=state, stalled=stalled, stalled_s=12.4)


@pytest.mark.parametrize(
    ("states", "ready"),
    [
        ([], True),  # another process has all partitions
        ([RUNNING, RUNNING], True),
        ([RUNNING, STOPPED], True),  # a stopped task does not take the others out of service
        ([STOPPED, STOPPED], False),  # but nothing works here
        ([RUNNING, INCOMPLETE], False),
        *(([RUNNING, state], False) for state in TaskState if state not in (RUNNING, STOPPED)),
    ],
)
def test_a_reducer_is_ready_when_its_tasks_are_fit_for_work(
    states: list[TaskState], ready: bool
) -> None:
    assert all_ready(map(status, states)) is ready


def test_a_running_task_whose_records_wait_for_longer_than_a_session_is_not_ready_and_says_so() -> (
    None
):
    stalled = status(RUNNING, stalled=True)
    assert not all_ready([status(RUNNING), stalled])
    assert stalled.summary() == "counter[0] running, no batch for 12 s"
    assert status(RUNNING).summary() == "counter[0] running"
