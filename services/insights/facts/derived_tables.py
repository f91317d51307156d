"""Tables that are functions of the others: leads as they stand, deals won, credits. Pure."""

from services.insights.facts.table import Table, columns

LEAD = Table(
    name="lead",
    says="each lead as it stands",
    key=("lead_id",),
    derived=True,
    indexes=(
        ("holder_kind", "holder"),
        ("account_id",),
        ("journey",),
        ("stage",),
        ("holder_kind", "next_at_ms"),
    ),
    columns=columns("""
        lead_id t lead
        stage t stage
        cycle i cycle
        stage_since_ms m since when it is in its stage, ms
        reason t? reason of an end
        holder_kind t person, queue, nurture, end, lead or nobody
        holder t person, pool, track or reason
        next_at_ms m? when it comes back by itself, ms
        missing t what is missing while nobody holds it
        handoff_id t? hand-off that stands
        qualification_id t? qualification that stands
        qualified_at_ms m? when it qualified, ms
        routed_at_ms m? when it was handed over, ms
        pool t? pool
        leg t? sdr or sales
        level t level of the score, or the urgency of the hand-off
        grade t grade
        fit_micro i fit, millionths of a point
        engagement_micro i engagement, millionths of a point
        scored_at_ms m when it was scored, ms
        hand_raised i 1: the buyer asked for it
        segment t? segment
        account_id t? account
        survivor t? lead it was merged into
        journey t account whose deals its touches count for, or the lead itself
        erased i 1: the person is forgotten
        first_seen_ms m its first record, ms
        last_seen_ms m its latest record, ms
        last_act_ms m? the latest act of a person, ms
    """),
)
WORK = Table(
    name="work",
    says="leads that somebody has to work on now, with when they are late or at risk",
    key=("lead_id",),
    derived=True,
    indexes=(
        ("due_ms", "lead_id"),
        ("holder_kind", "hot", "due_ms", "lead_id"),
        ("holder", "due_ms"),
        ("risk_ms", "due_ms", "hot", "holder_kind"),
    ),
    columns=columns("""
        lead_id t lead
        holder_kind t person, queue or nobody
        holder t person or pool
        pool t pool
        segment t segment
        hot i 1: hot or asked for, with a person, and nothing was done since
        due_ms m when the clock that ends first runs out, if one runs, ms
        risk_ms m when three quarters of its time are gone, ms
    """),
)
OPEN_CLOCK = Table(
    name="open_clock",
    says="clocks that whoever holds the lead can still stop: late once they are past their time",
    key=("clock_id",),
    derived=True,
    indexes=(("lead_id",), ("deadline_ms", "clock_id", "pool", "segment")),
    columns=columns("""
        clock_id t clock
        lead_id t lead
        holder t person or pool
        pool t pool of the clock
        segment t segment of the clock
        deadline_ms m when it is due, ms
    """),
)
CYCLE = Table(
    name="cycle",
    says=(
        "each cycle of a lead: when it reached which stage first, and when it ended short of a "
        "customer"
    ),
    key=("lead_id", "cycle"),
    derived=True,
    indexes=(("mql_ms",), ("sal_ms",), ("sql_ms",), ("opportunity_ms",)),
    columns=columns("""
        lead_id t lead
        cycle i number of the cycle
        mql_ms m? ready for a person, ms
        sal_ms m? accepted by sales, ms
        sql_ms m? qualified by sales, ms
        opportunity_ms m? opportunity, ms
        customer_ms m? won, ms
        ended_ms m? went back or was disqualified, ms
        inferred t stages nobody reported, taken as reached with a later one; separated by semicolons
    """),
)
DEAL = Table(
    name="deal",
    says="deals as they stand",
    key=("root", "deal"),
    derived=True,
    indexes=(
        ("state", "ended_at_ms", "reason"),
        ("state", "currency", "expected_close", "amount_minor"),
        ("lead_id",),
        ("deal",),
    ),
    columns=columns("""
        root t lead, or the lead that it ended in
        deal t opportunity, or the lead and its cycle where it has no name
        lead_id t lead of the last move about it
        opportunity_id t? opportunity
        state t open, won, lost or derailed: ended with the cycle
        amount_minor i? amount in minor units, as corrected last
        currency t? currency
        expected_close t? expected day of closing
        opened_at_ms m? when it was opened, ms
        ended_at_ms m? when it was won, lost or derailed, ms
        ended_by t? fact that ended it
        reason t? reason, a word of the agreement
        by_person t? who ended it
        segment t? segment
    """),
)
CONVERSION = Table(
    name="conversion",
    says="deals won, with the milestones that attribution uses",
    key=("conversion_id",),
    derived=True,
    indexes=(("journey",), ("won_at_ms",)),
    columns=columns("""
        conversion_id t id of the fact that won it
        journey t account, or the lead where it has none
        lead_id t lead
        opportunity_id t? opportunity
        amount_minor i? amount in minor units
        currency t? currency
        known_at_ms m? when the lead became known, ms
        opportunity_at_ms m? when it became an opportunity, ms
        won_at_ms m when it was won, ms
    """),
)
JOURNEY = Table(
    name="journey",
    says=(
        "what the credits of a journey were made from last, so that they are made anew only when "
        "that changes"
    ),
    key=("journey",),
    derived=True,
    exported=False,
    columns=columns("""
        journey t account or lead
        digest t digest of touches, deals and milestones
    """),
)
CREDIT = Table(
    name="credit",
    says="what each touch is credited with, by model; the sum over a conversion is its amount",
    key=("conversion_id", "model", "place"),
    derived=True,
    indexes=(("journey",), ("model", "won_at_ms")),
    columns=columns("""
        conversion_id t conversion
        model t model of attribution
        place i order of the touch in the journey
        journey t account or lead
        event_id t? touch; nothing: nobody touched it before
        campaign t campaign, or (none)
        source t source, or (none)
        amount_minor i credit in minor units
        currency t currency
        won_at_ms m when it was won, ms
    """),
)
