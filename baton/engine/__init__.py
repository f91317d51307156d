"""The engine: keyed reducers, exactly once, on Kafka, in memory, or rebuilt from a journal.

It owns partitions, state, timers, transactions, dead letters and metrics. It knows nothing of
leads: reducers come from the services, topics and metric names from the contracts.

Reading order, from the promise to the wire:

1.  ``reducer``          the interface: Reducer, View, Event, Step, Fact
2.  ``step_builder``     builds a Step; ``service`` declares what a process runs
3.  ``core``             one task as a deterministic state machine: restore, begin, process, seal,
   commit
4.  ``reducer_runner``   calls step, wake and adopt; the one place that catches what a reducer
   raises
5.  ``open_batch``, ``key_state``, ``held_timers``, ``timers``   the overlay of a batch over the
   state
6.  ``batch``, ``records``, ``changelog``, ``journal``, ``position``   what a batch writes, and its
   layout
7.  ``record_headers``, ``dead_letters``, ``errors``   records in and out, and what happens to
   unusable ones
8.  ``memory``           the host for tests and simulation: read it first, it is the same protocol
   without brokers
9.  ``kafka.worker``, ``kafka.host``, ``kafka.group``, ``kafka.task_supervisor``   process, groups,
   partitions
10. ``kafka.task``       the life of one task: ``task_startup`` (fence, restore, compare), then
    batch after batch: ``input_buffer`` (fetch), ``batch_filler`` (process), ``transaction``
    (write); ``idle_progress`` and ``upstream_proof`` move time and prove deadlines, ``loop_share``
    keeps heartbeats alive
11. ``rebuild``          computes a task again from its journal, for the audit

``task_config`` holds what all tasks of a process share. ``kafka.client_internals`` is the only file
that uses private attributes of a client library.
"""
