"""Every metric of the engine, in one place. Base units; per batch, never per record, since counting costs too.

``reducer`` is the stage; ``partition`` is a label only where a task is looked at by itself. Business words live with their topics:
``baton_facts_total`` by topic says how many leads were qualified, routed, recycled.
"""

from prometheus_client import Counter, Gauge, Histogram

_WORK = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)

RECORDS = Counter("baton_records", "Input records processed and committed", ("reducer", "topic"))
FACTS = Counter("baton_facts", "Records published and committed", ("reducer", "topic"))
DEAD_LETTERS = Counter("baton_dead_letters", "Records of the outside that were refused", ("reducer",))
SKIPPED = Counter("baton_skipped", "Places left out by order of an operator", ("reducer",))

BATCHES = Counter("baton_batches", "Transactions committed", ("reducer",))
ABORTED = Counter("baton_batches_aborted", "Transactions aborted and tried again", ("reducer",))
BATCH_SECONDS = Histogram("baton_batch_seconds", "From the first record of a batch taken to sealed", ("reducer",), buckets=_WORK)
COMMIT_SECONDS = Histogram("baton_commit_seconds", "From sealed to committed: the transaction", ("reducer",), buckets=_WORK)

TIMERS = Counter("baton_timers_fired", "Timers fired", ("reducer",))
TIMER_LATE = Gauge(
    "baton_timer_late_seconds", "By how much the most belated timer of the last batch that fired any was late", ("reducer",)
)
UNPROVEN = Counter("baton_timers_unproven", "Timers fired although the groups upstream had not caught up in time", ("reducer",))
TICKS = Counter("baton_ticks", "Times an idle task asked the broker for the time", ("reducer",))
ADOPTED = Counter("baton_adopted_keys", "Keys that adopted a new agreement", ("reducer",))

TASKS = Gauge("baton_tasks", "Tasks of this process by state", ("reducer", "state"))
RESTARTS = Counter("baton_task_restarts", "Tasks started again after they were lost", ("reducer",))
RESTORE_SECONDS = Gauge("baton_restore_seconds", "How long the last restore took", ("reducer", "partition"))
RESTORE_LEFT = Gauge("baton_restore_left_records", "Changelog offsets still to be read by a restore", ("reducer", "partition"))

LAG = Gauge("baton_lag_records", "Offsets appended to the inputs and not processed", ("reducer", "partition"))
LAG_SECONDS = Gauge(
    "baton_lag_seconds", "By how much log time is behind the broker's while there is something to do", ("reducer", "partition")
)
HELD_BACK = Gauge(
    "baton_open_transaction_records", "Offsets that a writer's open transaction keeps from being read", ("reducer", "partition")
)
KEYS = Gauge("baton_state_keys", "Keys that have a state", ("reducer", "partition"))
WAITING_TIMERS = Gauge("baton_timers", "Timers that wait for their time or for the proof", ("reducer", "partition"))
HELD_TIMERS = Gauge("baton_timers_held", "Timers that wait for the proof of the groups upstream", ("reducer", "partition"))
ADOPTING = Gauge("baton_adopting", "1 while keys still have to adopt the agreement in force", ("reducer", "partition"))
