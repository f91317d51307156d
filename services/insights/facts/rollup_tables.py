"""Tables of counts by day and month, functions of the rows that they count. Pure.

Besides the key every column is a sum, or the highest value where ``highest`` names it. ``span`` is
a day (2026-11-30) or a month (2026-11) of the agreement's zone: of a table with both, add up one
kind. Nothing is kept of zeros. An empty text stands for what is not known.
"""

from services.insights.facts.table import Table, columns

CLOCKS_BY_SPAN = Table(
    name="clocks_by_span",
    says="clocks by the span in which they fell due, and what became of them",
    key=(
        *("span", "side", "clock", "pool", "segment"),
        *("state", "ended_late", "reason", "unproven"),
    ),
    sums=True,
    columns=columns("""
        span t day or month of the deadline
        side t sales, marketing or sales_management
        clock t kind of clock
        pool t pool
        segment t segment
        state t running, met, breached ...
        ended_late i 1: cancelled after the deadline
        reason t why it was cancelled
        unproven i 1: a breach that could not be proven yet
        number i clocks
        spent_system_ms i time Baton took on those that ended, ms
        spent_queue_ms i time in a queue, ms
        spent_human_ms i time with a person, ms
        spent_buyer_ms i time waiting for the buyer, ms
        spent_rest_ms i other time, ms
    """),
)
PASSAGES_BY_SPAN = Table(
    name="passages_by_span",
    says="cycles by the span in which they reached a stage, and how many reached the next",
    key=("span", "stage", "segment", "pool"),
    sums=True,
    columns=columns("""
        span t day or month in which the stage was reached
        stage t stage
        segment t segment of the cycle's qualification
        pool t pool of its last hand-off
        entered i cycles
        reached i of these, those that reached the next stage
        resolved i those that reached it, or ended
        inferred i those for which the next stage was inferred
    """),
)
WAITS_BY_SPAN = Table(
    name="waits_by_span",
    says=(
        "how long steps take: from a stage to the next, from a raised hand to the first attempt "
        "and the first contact"
    ),
    key=("segment", "pool", "step", "span", "ended", "length_ms"),
    sums=True,
    columns=columns("""
        segment t segment, or * for all
        pool t pool, or * for all
        step t stage it starts from, attempt or contact
        span t month (of raised hands day, too) of the start
        ended t reached, left (ended another way) or open
        length_ms i how long it took, rounded up; of an open one the moment of its start
        number i how many
    """),
)
QUALIFIED_BY_SPAN = Table(
    name="qualified_by_span",
    says="qualifications by span, and what became of them",
    key=("span", "campaign", "segment", "pool", "became", "reason"),
    sums=True,
    columns=columns("""
        span t day or month of the qualification
        campaign t campaign of the latest touch
        segment t segment
        pool t pool of the last hand-off
        became t accepted, rejected, recycled, disqualified, withdrawn; empty: waits
        reason t why it was rejected
        number i qualifications
    """),
)
TOUCHES_BY_SPAN = Table(
    name="touches_by_span",
    says="touches by span and campaign, without those of machines and those taken back",
    key=("span", "campaign"),
    sums=True,
    columns=columns("""
        span t day or month
        campaign t campaign
        touches i touches
        leads i leads whose first touch by the campaign it was
    """),
)
ACTS_BY_SPAN = Table(
    name="acts_by_span",
    says="acts of people by kind",
    key=("span", "kind"),
    sums=True,
    columns=columns("""
        span t day or month
        kind t accepted, rejected, call ...
        number i acts
    """),
)
EVENTS_BY_SOURCE = Table(
    name="events_by_source",
    says="what each source has sent",
    key=("source", "kind"),
    sums=True,
    highest=("last_ms",),
    columns=columns("""
        source t source
        kind t touch or act
        events i events
        clamped i those whose time lay in the future
        unnamed i touches without a campaign
        last_ms i when its latest one was received, ms
    """),
)
CREDITS_BY_SPAN = Table(
    name="credits_by_span",
    says="what campaigns are credited with, by model and by the span in which the deals were won",
    key=("span", "model", "currency", "campaign"),
    sums=True,
    columns=columns("""
        span t day or month
        model t model of attribution
        currency t currency
        campaign t campaign, or (none)
        credits i credits
        amount_minor i their sum, minor units
    """),
)
RECYCLED_BY_SPAN = Table(
    name="recycled_by_span",
    says="cycles that ended, by span and reason, and what became of the leads",
    key=("span", "reason", "outcome"),
    sums=True,
    columns=columns("""
        span t day or month of the end
        reason t reason, a word of the agreement
        outcome t recycle or disqualify
        ended i cycles
        back i those that came back
        again i those whose lead qualified again since
        won i those whose lead won a deal since
    """),
)
REASONS_BY_SPAN = Table(
    name="reasons_by_span",
    says="why leads were rejected, lost, recycled or disqualified",
    key=("span", "segment", "event", "reason"),
    sums=True,
    columns=columns("""
        span t day or month
        segment t segment
        event t rejected, lost, recycled or disqualified
        reason t reason, a word of the agreement
        number i how often
    """),
)
CONTENT_BY_SPAN = Table(
    name="content_by_span",
    says="deals that ended, by titled content that their lead had seen before",
    key=("span", "segment", "title", "state"),
    sums=True,
    columns=columns("""
        span t day or month in which the deal ended
        segment t segment
        title t title of the content; empty: every deal that ended
        state t won or lost
        deals i deals
    """),
)
HANDOFFS_BY_SPAN = Table(
    name="handoffs_by_span",
    says="hand-offs by span, pool and person, and what became of them",
    key=("span", "pool", "owner"),
    sums=True,
    columns=columns("""
        span t day or month
        pool t pool
        owner t person
        handed i hand-offs
        turns i turns they used up
        hot i hot ones
        accepted i accepted ones
        rejected i rejected ones
        taken i those taken away for another person
    """),
)
ROLLUPS = (
    CLOCKS_BY_SPAN,
    PASSAGES_BY_SPAN,
    WAITS_BY_SPAN,
    QUALIFIED_BY_SPAN,
    TOUCHES_BY_SPAN,
    ACTS_BY_SPAN,
    EVENTS_BY_SOURCE,
    CREDITS_BY_SPAN,
    RECYCLED_BY_SPAN,
    REASONS_BY_SPAN,
    CONTENT_BY_SPAN,
    HANDOFFS_BY_SPAN,
)
