"""Tables of what Baton decides about a lead on its way: stages, hand-offs, ends and returns.
Pure."""

from services.insights.facts.table import LOG, Table, columns

STAGE_MOVE = Table(
    name="stage_move",
    says="moves in the revenue cycle",
    key=("fact_id",),
    indexes=(
        ("lead_id", "log_ms"),
        ("to_stage", "occurred_at_ms"),
        ("event", "occurred_at_ms"),
        ("handoff_id",),
        ("qualification_id",),
        ("cause_id",),
        ("opportunity_id",),
    ),
    columns=columns("""
        fact_id t id of the fact
        lead_id t lead
        cycle i cycle of the lead
        from_stage t stage before
        to_stage t stage after
        event t what caused it
        actor t role of who caused it
        by_person t? who caused it
        reason t? reason, a word of the agreement
        occurred_at_ms m when it happened, ms
        log_ms m when it was decided, ms
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
    indexes=(("lead_id",), ("qualified_at_ms",), ("cause_id",)),
    columns=columns("""
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
        qualified_at_ms m when, ms
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
    columns=columns("""
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
        routed_at_ms m when, ms
        qualified_at_ms m when the lead qualified, ms
        rule t rule that chose the person
        turn_used i 1: it used up a turn
        accept_by_ms m? until when it is to be answered, ms
    """),
)
UNROUTED = Table(
    name="unrouted",
    says="leads that found no person: held, watched or suppressed",
    key=("fact_id",),
    indexes=(("log_ms",),),
    columns=columns("""
        fact_id t id of the fact
        lead_id t lead
        handoff_id t hand-off
        outcome t held, watch or suppressed
        reason t why
        pool t? pool
        next_try_at_ms m? when it is tried again, ms
        log_ms m when, ms
    """),
)
NOTE = Table(
    name="note",
    says="hand-offs withdrawn, wishes refused",
    key=("fact_id",),
    indexes=(("cause_id",),),
    columns=columns("""
        fact_id t id of the fact
        lead_id t lead
        handoff_id t hand-off
        kind t withdrawn, refused or noted
        reason t why
        by_person t? who asked
        owner t? who holds it
        cause_id t id of the event that caused it
        log_ms m when, ms
    """),
)
RECYCLED = Table(
    name="recycled",
    says="cycles that ended: come back then, or not at all; as it was said at the end",
    key=("recycle_id",),
    indexes=(("lead_id",), ("log_ms",)),
    columns=columns("""
        recycle_id t id
        lead_id t lead
        cycle i cycle of the lead
        outcome t recycle or disqualify
        reason t reason, a word of the agreement
        track t? nurture track
        cool_off_until_ms m? not before, ms
        return_at_ms m? when it comes back, ms
        by_person t? who ended it
        needs t? what is missing, such as the contract's end
        nurture_allowed i 1: consent for nurture
        log_ms m when, ms
    """),
)
REST = Table(
    name="rest",
    says="how a lead rests since a cycle ended, as it was published last: dates and tracks move",
    key=("recycle_id",),
    latest=True,
    indexes=(("lead_id", "log_ms"), ("needs",)),
    columns=columns(
        """
        recycle_id t the end of the cycle
        lead_id t lead
        reason t reason, a word of the agreement
        track t? nurture track
        return_at_ms m? when it comes back, ms
        needs t? what is missing, such as the contract's end
        nurture_allowed i 1: consent for nurture
        """
        + LOG
    ),
)
REACTIVATED = Table(
    name="reactivated",
    says="recycled leads that are back",
    key=("fact_id",),
    indexes=(("recycle_id",),),
    columns=columns("""
        fact_id t id of the fact
        lead_id t lead
        recycle_id t recycling it ends
        reason t return_date, hand_raised or requalified
        log_ms m when, ms
    """),
)
REFUSAL = Table(
    name="refusal",
    says="acts that were not carried out",
    key=("fact_id",),
    indexes=(("cause_id",), ("lead_id",)),
    columns=columns("""
        fact_id t id of the fact
        lead_id t lead
        cause_id t id of the act
        event t what it was
        stage t stage of the lead
        actor t role of who did it
        by_person t? who did it
        reason t why it was not carried out
        log_ms m when, ms
    """),
)
ORPHAN = Table(
    name="orphan",
    says="leads that nobody holds or held; the last word on each",
    key=("lead_id",),
    latest=True,
    columns=columns(
        """
        lead_id t lead
        kind t found or held
        cause t why nobody holds it
        since_ms m since when, ms
        stage t stage
        holder t? who has it again
        """
        + LOG
    ),
)
AMENDMENT = Table(
    name="amendment",
    says="what became known of a lead after it was handed off",
    key=("amendment_id",),
    indexes=(("lead_id",), ("qualification_id",)),
    columns=columns("""
        amendment_id t id of the amendment
        lead_id t lead
        cycle i cycle of the lead
        qualification_id t qualification it amends
        handoff_id t? hand-off that stood
        changed t what differs in the brief, separated by semicolons
        leg t sdr or sales
        level t urgency from then on
        hand_raised i 1: the buyer asked for it
        segment t? segment
        at_ms m when, ms
        cause_id t id of the event that caused it
        log_ms m when the record was appended, ms
    """),
)
