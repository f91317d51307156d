"""Tables of service levels, goals and accounts. Pure."""

from services.insights.facts.table import LOG, Table, columns

CLOCK = Table(
    name="clock",
    says="service-level clocks, as they were published last",
    key=("clock_id",),
    latest=True,
    indexes=(("deadline_ms",), ("lead_id",), ("state", "deadline_ms")),
    columns=columns(
        """
        clock_id t id of the clock
        clock t kind of clock
        lead_id t lead
        cycle i cycle of the lead
        side t sales, marketing or sales_management
        handoff_id t? hand-off that it is about
        state t running, met, breached ...
        started_at_ms m when it started, ms
        deadline_ms m when it is due, ms
        ended_at_ms m? when it ended, ms
        owner t? person
        pool t? pool
        level t? level
        segment t? segment
        target t target in words
        reason t? why it was cancelled or withdrawn
        inferred i 1: the evidence was inferred
        spent_system_ms i? time Baton took, ms
        spent_queue_ms i? time in a queue, ms
        spent_human_ms i? time with a person, ms
        spent_buyer_ms i? time waiting for the buyer, ms
        spent_rest_ms i? other time, ms
        """
        + LOG
    ),
)
VIOLATION = Table(
    name="violation",
    says="warnings and breaches",
    key=("violation_id", "kind"),
    indexes=(("clock_id",), ("lead_id",), ("log_ms",)),
    columns=columns("""
        violation_id t id
        kind t warning, breach or withdrawn
        clock t kind of clock
        clock_id t? clock
        side t who owes it
        lead_id t? lead
        goal t? goal of a team
        owner t? person
        pool t? pool
        deadline_ms m when it was due, ms
        unproven i 1: it could not be proven yet
        reason t? why
        log_ms m when, ms
    """),
)
ACTION = Table(
    name="ladder_step",
    says="what breaches caused: notify, reassign, escalate",
    key=("action_id",),
    indexes=(("lead_id",), ("clock_id",), ("handoff_id",), ("log_ms",)),
    columns=columns("""
        action_id t id
        kind t notify, reassign, escalate, manager_queue or restore
        lead_id t lead
        handoff_id t hand-off
        clock_id t clock
        owner t? who held it
        to_person t? who is notified
        digest t? the digest that notifies them of it
        reason t? why
        log_ms m when, ms
    """),
)
DIGEST = Table(
    name="sla_digest",
    says="digests of breaches that managers were notified of",
    key=("digest_id",),
    indexes=(("log_ms",), ("until_ms",)),
    columns=columns("""
        digest_id t id
        pool t pool
        to_person t who is notified
        from_ms m begin of the period, ms
        until_ms m its end, ms
        count i actions in it
        log_ms m when, ms
    """),
)
GOAL = Table(
    name="goal",
    says="goals of both sides, by period, as they were published last",
    key=("goal", "period"),
    latest=True,
    columns=columns(
        """
        goal t goal
        period t month or quarter
        metric t what is counted
        side t who owes it
        segment t? segment
        target i target, in units of the metric
        achieved i achieved
        pace_ppm i pace, millionths
        working_days_gone i working days gone
        working_days i working days of the period
        state t running, met or missed
        """
        + LOG
    ),
)
ACCOUNT = Table(
    name="account",
    says="accounts as buying groups, as they were published last",
    key=("account_id",),
    latest=True,
    indexes=(("engaged_people", "engagement_micro", "account_id"),),
    columns=columns(
        """
        account_id t domain
        people i people known
        engaged_people i people engaged
        engagement_micro i their engagement, millionths of a point
        most_senior_role t? most senior role
        """
        + LOG
    ),
)
