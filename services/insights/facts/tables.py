"""The tables of the projection, column by column: the store is made from them, exports and the Data page describe them. Pure.

Tables of facts hold what a topic said, each row once (``key``). Of a table with ``latest`` the row of the latest record stays, whatever
the order of arrival. Derived tables are a function of the fact tables. Names of people stand in ``person`` alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

TEXT: Final = "TEXT"
INTEGER: Final = "INTEGER"
BLOB: Final = "BLOB"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column. ``nullable``: not every row has it."""

    name: str
    type: str
    says: str
    nullable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One table. ``latest``: a row is replaced by that of a later record, by ``log_ms`` and ``log_offset``. ``indexes``: columns, each
    index a tuple. ``exported``: may leave the board; ``person`` and blobs may not."""

    name: str
    says: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    latest: bool = False
    derived: bool = False
    exported: bool = True
    indexes: tuple[tuple[str, ...], ...] = ()
    names: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", tuple(each.name for each in self.columns))


def _columns(text: str) -> tuple[Column, ...]:
    """``name type says``, one column a line; ``?`` after the type: not every row has it; ``t`` text, ``i`` integer, ``b`` bytes."""
    types = {"t": TEXT, "i": INTEGER, "b": BLOB}
    found = []
    for line in filter(str.strip, text.splitlines()):
        name, kind, says = line.split(maxsplit=2)
        found.append(Column(name=name, type=types[kind[0]], says=says, nullable=kind.endswith("?")))
    return tuple(found)


_LOG = """
    log_ms i when the record was appended, ms
    log_offset i its offset
"""

FACT = Table(
    name="fact",
    says="the records of a lead as they were published, without the person: what a lead's page and the derived rows are made from",
    key=("lead_id", "topic", "fact_id"),
    exported=False,
    columns=_columns("""
        lead_id t lead
        topic t topic
        fact_id t id of the fact
        log_ms i when the record was appended, ms
        log_offset i its offset
        value b the record, Avro in Confluent's framing
    """),
)
TOUCH = Table(
    name="touch",
    says="what leads did",
    key=("event_id",),
    indexes=(("lead_id", "occurred_at_ms"), ("occurred_at_ms",)),
    columns=_columns("""
        event_id t id of the event
        lead_id t lead
        occurred_at_ms i when it happened, ms
        received_at_ms i when it reached Baton, ms
        source t who sent it
        act t word of the agreement
        campaign t? campaign it belongs to
        content_id t? content
        content_title t? title of the content
        content_stage t? awareness, consideration or decision
        topics t topics, separated by semicolons
        automatic i 1: done by a machine, no touch
        backfill i 1: came with an import
        clamped i 1: its time lay in the future and was set to that of receipt
        log_ms i when the record was appended, ms
    """),
)
RETRACTION = Table(
    name="retraction",
    says="events that never happened",
    key=("event_id",),
    columns=_columns("""
        event_id t id of the event taken back
        lead_id t lead
        log_ms i when the record was appended, ms
    """),
)
MEMBERSHIP = Table(
    name="membership",
    says="which account a profile named",
    key=("event_id",),
    indexes=(("lead_id",),),
    columns=_columns("""
        event_id t id of the event
        lead_id t lead
        occurred_at_ms i when it was said, ms
        account_id t? domain of the account; nothing: none any more
    """),
)
ACT = Table(
    name="act",
    says="what people of the two teams did with leads",
    key=("event_id",),
    indexes=(("lead_id", "occurred_at_ms"), ("occurred_at_ms",)),
    columns=_columns("""
        event_id t id of the event
        lead_id t lead
        kind t accepted, rejected, call ...
        by_person t who did it, an id of the agreement
        actor t role in which it was done
        handoff_id t? hand-off it answers
        occurred_at_ms i when it was done, ms
        received_at_ms i when it reached Baton, ms
        source t who reported it
        reason t? reason, a word of the agreement
        outcome t? what came of a call
        automatic i 1: done by a machine
        opportunity_id t? opportunity
        amount_minor i? amount in minor units
        currency t? currency of the amount
        expected_close t? expected day of closing
        contract_end t? end of the present contract
        log_ms i when the record was appended, ms
    """),
)
STAGE_MOVE = Table(
    name="stage_move",
    says="moves in the revenue cycle",
    key=("fact_id",),
    indexes=(("lead_id", "log_ms"), ("to_stage", "occurred_at_ms"), ("event", "occurred_at_ms")),
    columns=_columns("""
        fact_id t id of the fact
        lead_id t lead
        cycle i cycle of the lead
        from_stage t stage before
        to_stage t stage after
        event t what caused it
        actor t role of who caused it
        by_person t? who caused it
        reason t? reason, a word of the agreement
        occurred_at_ms i when it happened, ms
        log_ms i when it was decided, ms
        handoff_id t? hand-off
        qualification_id t? qualification
        inferred t skipped stages that were taken as reached, separated by semicolons
        segment t? segment
        level t? level
        opportunity_id t? opportunity
        amount_minor i? amount in minor units
        currency t? currency of the amount
        expected_close t? expected day of closing
        hand_raised i 1: the buyer asked for it
        cause_id t id of the event that caused it
    """),
)
QUALIFICATION = Table(
    name="qualification",
    says="leads that became ready for a person",
    key=("qualification_id",),
    indexes=(("lead_id",), ("qualified_at_ms",)),
    columns=_columns("""
        qualification_id t id of the qualification
        lead_id t lead
        cycle i cycle of the lead
        leg t sdr or sales: whose queue takes it
        stage t mql, or tql where the bridge team passes it on
        level t warm or hot
        grade t fit band and engagement band
        fit_micro i fit, millionths of a point
        engagement_micro i engagement, millionths of a point
        hand_raised i 1: the buyer asked for it
        qualified_at_ms i when, ms
        cause_id t id of the event that caused it
        segment t? segment
        account_id t? account
        source t? source of the first event
        first_campaign t? campaign of the first touch
        latest_campaign t? campaign of the latest touch
        agreement t version of the agreement
    """),
)
HANDOFF = Table(
    name="handoff",
    says="leads handed to a person",
    key=("handoff_id",),
    indexes=(("lead_id",), ("routed_at_ms",), ("qualification_id",)),
    columns=_columns("""
        handoff_id t id of the hand-off
        qualification_id t qualification
        attempt i which attempt it is
        lead_id t lead
        leg t sdr or sales
        pool t pool
        owner t person
        level t warm or hot
        segment t? segment
        hand_raised i 1: the buyer asked for it
        routed_at_ms i when, ms
        qualified_at_ms i when the lead qualified, ms
        rule t rule that chose the person
        turn_used i 1: it used up a turn
        accept_by_ms i? until when it is to be answered, ms
    """),
)
UNROUTED = Table(
    name="unrouted",
    says="leads that found no person: held, watched or suppressed",
    key=("fact_id",),
    indexes=(("log_ms",),),
    columns=_columns("""
        fact_id t id of the fact
        lead_id t lead
        handoff_id t hand-off
        outcome t held, watch or suppressed
        reason t why
        pool t? pool
        next_try_at_ms i? when it is tried again, ms
        log_ms i when, ms
    """),
)
NOTE = Table(
    name="note",
    says="hand-offs withdrawn, wishes refused",
    key=("fact_id",),
    indexes=(("cause_id",),),
    columns=_columns("""
        fact_id t id of the fact
        lead_id t lead
        handoff_id t hand-off
        kind t withdrawn, refused or noted
        reason t why
        by_person t? who asked
        owner t? who holds it
        cause_id t id of the event that caused it
        log_ms i when, ms
    """),
)
CLOCK = Table(
    name="clock",
    says="service-level clocks, as they were published last",
    key=("clock_id",),
    latest=True,
    indexes=(("deadline_ms",), ("lead_id",), ("state",)),
    columns=_columns(
        """
        clock_id t id of the clock
        clock t kind of clock
        lead_id t lead
        cycle i cycle of the lead
        side t sales, marketing or sales_management
        state t running, met, breached ...
        started_at_ms i when it started, ms
        deadline_ms i when it is due, ms
        ended_at_ms i? when it ended, ms
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
        + _LOG
    ),
)
VIOLATION = Table(
    name="violation",
    says="warnings and breaches",
    key=("violation_id", "kind"),
    indexes=(("clock_id",), ("log_ms",)),
    columns=_columns("""
        violation_id t id
        kind t warning, breach or withdrawn
        clock t kind of clock
        clock_id t? clock
        side t who owes it
        lead_id t? lead
        goal t? goal of a team
        owner t? person
        pool t? pool
        deadline_ms i when it was due, ms
        unproven i 1: it could not be proven yet
        reason t? why
        log_ms i when, ms
    """),
)
ACTION = Table(
    name="ladder_step",
    says="what breaches caused: notify, reassign, escalate",
    key=("action_id",),
    indexes=(("lead_id",), ("log_ms",)),
    columns=_columns("""
        action_id t id
        kind t notify, reassign, escalate, manager_queue or restore
        lead_id t lead
        handoff_id t hand-off
        clock_id t clock
        owner t? who held it
        to_person t? who is told
        reason t? why
        log_ms i when, ms
    """),
)
RECYCLED = Table(
    name="recycled",
    says="cycles that ended: come back then, or not at all",
    key=("recycle_id",),
    indexes=(("lead_id",), ("log_ms",)),
    columns=_columns("""
        recycle_id t id
        lead_id t lead
        cycle i cycle of the lead
        outcome t recycle or disqualify
        reason t reason, a word of the agreement
        track t? nurture track
        cool_off_until_ms i? not before, ms
        return_at_ms i? when it comes back, ms
        by_person t? who ended it
        needs t? what is missing, such as the contract's end
        nurture_allowed i 1: consent for nurture
        log_ms i when, ms
    """),
)
REACTIVATED = Table(
    name="reactivated",
    says="recycled leads that are back",
    key=("fact_id",),
    indexes=(("recycle_id",),),
    columns=_columns("""
        fact_id t id of the fact
        lead_id t lead
        recycle_id t recycling it ends
        reason t return_date, hand_raised or requalified
        log_ms i when, ms
    """),
)
REFUSAL = Table(
    name="refusal",
    says="acts that were not carried out",
    key=("fact_id",),
    indexes=(("cause_id",), ("log_ms",)),
    columns=_columns("""
        fact_id t id of the fact
        lead_id t lead
        cause_id t id of the act
        event t what it was
        stage t stage of the lead
        actor t role of who did it
        by_person t? who did it
        reason t why it was not carried out
        log_ms i when, ms
    """),
)
GOAL = Table(
    name="goal",
    says="goals of both sides, by period, as they were published last",
    key=("goal", "period"),
    latest=True,
    columns=_columns(
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
        + _LOG
    ),
)
ACCOUNT = Table(
    name="account",
    says="accounts as buying groups, as they were published last",
    key=("account_id",),
    latest=True,
    columns=_columns(
        """
        account_id t domain
        people i people known
        engaged_people i people engaged
        engagement_micro i their engagement, millionths of a point
        most_senior_role t? most senior role
        """
        + _LOG
    ),
)
ORPHAN = Table(
    name="orphan",
    says="leads that nobody holds or held; the last word on each",
    key=("lead_id",),
    latest=True,
    columns=_columns(
        """
        lead_id t lead
        kind t found or held
        cause t why nobody holds it
        since_ms i since when, ms
        stage t stage
        holder t? who has it again
        """
        + _LOG
    ),
)
MERGE = Table(
    name="merged",
    says="leads that ended in another",
    key=("loser",),
    indexes=(("survivor",),),
    columns=_columns("""
        loser t lead that ended
        survivor t lead it ended in
        occurred_at_ms i when, ms
    """),
)
PERSON = Table(
    name="person",
    says="names and addresses; gone with the person",
    key=("lead_id", "event_id"),
    exported=False,
    columns=_columns("""
        lead_id t lead
        event_id t id of the event that told it
        occurred_at_ms i when it was said, ms
        first_name t? first name
        last_name t? last name
        company t? company
        email t? address
        phone t? telephone
    """),
)
REFERENCE = Table(
    name="reference",
    says="agreements, signatures and absences as they were published",
    key=("topic", "log_offset"),
    exported=False,
    columns=_columns("""
        topic t topic
        log_offset i offset
        log_ms i when the record was appended, ms
        value b the record, Avro in Confluent's framing
    """),
)
DEAD_LETTER = Table(
    name="dead_letter",
    says="what could not be taken: place and reason, never the bytes",
    key=("topic", "partition", "log_offset"),
    indexes=(("log_ms",),),
    columns=_columns("""
        topic t topic it came by
        partition i partition
        log_offset i offset
        code t reason, a word
        log_ms i when, ms
    """),
)
LEAD = Table(
    name="lead",
    says="each lead as it stands",
    key=("lead_id",),
    derived=True,
    indexes=(("holder_kind", "holder"), ("account_id",), ("journey",), ("stage",)),
    columns=_columns("""
        lead_id t lead
        stage t stage
        cycle i cycle
        stage_since_ms i since when it is in its stage, ms
        reason t? reason of an end
        holder_kind t person, queue, nurture, end, lead or nobody
        holder t person, pool, track or reason
        next_at_ms i? when it comes back by itself, ms
        missing t what is missing while nobody holds it
        handoff_id t? hand-off that stands
        qualification_id t? qualification that stands
        qualified_at_ms i? when it qualified, ms
        routed_at_ms i? when it was handed over, ms
        pool t? pool
        leg t? sdr or sales
        level t level of the score, or the urgency of the hand-off
        grade t grade
        fit_micro i fit, millionths of a point
        engagement_micro i engagement, millionths of a point
        scored_at_ms i when it was scored, ms
        hand_raised i 1: the buyer asked for it
        segment t? segment
        account_id t? account
        survivor t? lead it was merged into
        journey t account whose deals its touches count for, or the lead itself
        erased i 1: the person is forgotten
        first_seen_ms i its first record, ms
        last_seen_ms i its latest record, ms
        last_act_ms i? the latest act of a person, ms
    """),
)
CONVERSION = Table(
    name="conversion",
    says="deals won, with the milestones that attribution uses",
    key=("conversion_id",),
    derived=True,
    indexes=(("journey",), ("won_at_ms",)),
    columns=_columns("""
        conversion_id t id of the fact that won it
        journey t account, or the lead where it has none
        lead_id t lead
        opportunity_id t? opportunity
        amount_minor i? amount in minor units
        currency t? currency
        known_at_ms i? when the lead became known, ms
        opportunity_at_ms i? when it became an opportunity, ms
        won_at_ms i when it was won, ms
    """),
)
JOURNEY = Table(
    name="journey",
    says="what the credits of a journey were made from last, so that they are made anew only when that changes",
    key=("journey",),
    derived=True,
    exported=False,
    columns=_columns("""
        journey t account or lead
        digest t digest of touches, deals and milestones
    """),
)
CREDIT = Table(
    name="credit",
    says="what each touch is credited with, by model; the sum over a conversion is its amount",
    key=("conversion_id", "model", "place"),
    derived=True,
    indexes=(("model", "campaign"),),
    columns=_columns("""
        conversion_id t conversion
        model t model of attribution
        place i order of the touch in the journey
        journey t account or lead
        event_id t? touch; nothing: nobody touched it before
        campaign t campaign, or (none)
        source t source, or (none)
        amount_minor i credit in minor units
        currency t currency
        won_at_ms i when it was won, ms
    """),
)

TABLES: Final[Mapping[str, Table]] = {
    table.name: table
    for table in (
        FACT, TOUCH, RETRACTION, MEMBERSHIP, ACT, STAGE_MOVE, QUALIFICATION, HANDOFF, UNROUTED, NOTE, CLOCK, VIOLATION, ACTION,
        RECYCLED, REACTIVATED, REFUSAL, GOAL, ACCOUNT, ORPHAN, MERGE, PERSON, REFERENCE, DEAD_LETTER, LEAD, CONVERSION, JOURNEY, CREDIT,
    )
}  # fmt: skip
