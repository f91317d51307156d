"""Tables of counts by day and month, functions of the rows that they count. Pure.

Besides the key every column is a sum, or the highest value where ``highest`` names it. ``span`` is
a day (2026-11-30) or a month (2026-11) of the agreement's zone: of a table with both, add up one
kind. Nothing is kept of zeros. An empty text stands for what is not known.
"""

from services.insights.facts.table import Table, columns


def _counts(name: str, says: str, *, by: str, sums: str, highest: tuple[str, ...] = ()) -> Table:
    """``by``: the columns of the key, ``sums``: the others; written as in :func:`columns`."""
    key = columns(by)
    return Table(
        name=name,
        says=says,
        key=tuple(column.name for column in key),
        columns=key + columns(sums),
        sums=True,
        highest=highest,
    )


CLOCKS_BY_SPAN = _counts(
    "clocks_by_span",
    "clocks by the span in which they fell due, and what became of them",
    by="""
        span t day or month of the deadline
        side t sales, marketing or sales_management
        clock t kind of clock
        pool t pool
        segment t segment
        state t running, met, breached ...
        ended_late i 1: cancelled after the deadline
        reason t why it was cancelled
        unproven i 1: a breach that could not be proven yet
    """,
    sums="""
        number i clocks
        spent_system_ms i time Baton took on those that ended, ms
        spent_queue_ms i time in a queue, ms
        spent_human_ms i time with a person, ms
        spent_buyer_ms i time waiting for the buyer, ms
        spent_rest_ms i other time, ms
    """,
)
PASSAGES_BY_SPAN = _counts(
    "passages_by_span",
    "cycles by the span in which they reached a stage, and how many reached the next",
    by="""
        span t day or month in which the stage was reached
        stage t stage
        segment t segment of the cycle's qualification
        pool t pool of its last hand-off
    """,
    sums="""
        entered i cycles
        reached i of these, those that reached the next stage
        resolved i those that reached it, or ended
        inferred i those for which the next stage was inferred
    """,
)
WAITS_BY_SPAN = _counts(
    "waits_by_span",
    "how long steps take: from a stage to the next, from a raised hand to the first "
    "attempt and the first contact",
    by="""
        segment t segment, or * for all
        pool t pool, or * for all
        step t stage it starts from, attempt or contact
        span t month (of raised hands day, too) of the start
        ended t reached, left (ended another way) or open
        length_ms i how long it took, rounded up; of an open one the moment of its start
    """,
    sums="""
        number i how many
    """,
)
QUALIFIED_BY_SPAN = _counts(
    "qualified_by_span",
    "qualifications by span, and what became of them",
    by="""
        span t day or month of the qualification
        campaign t campaign of the latest touch
        segment t segment
        pool t pool of the last hand-off
        became t accepted, rejected, recycled, disqualified, withdrawn; empty: waits
        reason t why it was rejected
    """,
    sums="""
        number i qualifications
    """,
)
TOUCHES_BY_SPAN = _counts(
    "touches_by_span",
    "touches by span and campaign, without those of machines and those taken back",
    by="""
        span t day or month
        campaign t campaign
    """,
    sums="""
        touches i touches
        leads i leads whose first touch by the campaign it was
    """,
)
ACTS_BY_SPAN = _counts(
    "acts_by_span",
    "acts of people by kind",
    by="""
        span t day or month
        kind t accepted, rejected, call ...
    """,
    sums="""
        number i acts
    """,
)
EVENTS_BY_SOURCE = _counts(
    "events_by_source",
    "what each source has sent",
    by="""
        source t source
        kind t touch or act
    """,
    sums="""
        events i events
        clamped i those whose time lay in the future
        unnamed i touches without a campaign
        last_ms m when its latest one was received, ms
    """,
    highest=("last_ms",),
)
CREDITS_BY_SPAN = _counts(
    "credits_by_span",
    "what campaigns are credited with, by model and by the span in which the deals were won",
    by="""
        span t day or month
        model t model of attribution
        currency t currency
        campaign t campaign, or (none)
    """,
    sums="""
        credits i credits
        amount_minor i their sum, minor units
    """,
)
RECYCLED_BY_SPAN = _counts(
    "recycled_by_span",
    "cycles that ended, by span and reason, and what became of the leads",
    by="""
        span t day or month of the end
        reason t reason, a word of the agreement
        outcome t recycle or disqualify
    """,
    sums="""
        ended i cycles
        back i those that came back
        again i those whose lead qualified again since
        won i those whose lead won a deal since
    """,
)
REASONS_BY_SPAN = _counts(
    "reasons_by_span",
    "why leads were rejected, lost, recycled or disqualified",
    by="""
        span t day or month
        segment t segment
        event t rejected, lost, recycled or disqualified
        reason t reason, a word of the agreement
    """,
    sums="""
        number i how often
    """,
)
CONTENT_BY_SPAN = _counts(
    "content_by_span",
    "deals that ended, by titled content that their lead had seen before",
    by="""
        span t day or month in which the deal ended
        segment t segment
        title t title of the content; empty: every deal that ended
        state t won or lost
    """,
    sums="""
        deals i deals
    """,
)
HANDOFFS_BY_SPAN = _counts(
    "handoffs_by_span",
    "hand-offs by span, pool and person, and what became of them",
    by="""
        span t day or month
        pool t pool
        owner t person
    """,
    sums="""
        handed i hand-offs
        turns i turns they used up
        hot i hot ones
        accepted i accepted ones
        rejected i rejected ones
        taken i those taken away for another person
    """,
)
MENTIONS_BY_SPAN = _counts(
    "mentions_by_span",
    "what acts named, by the day on which the same lead had named it before: the leads of a period "
    "are the mentions before which there was none in it",
    by="""
        span t day or month
        kind t objection, competitor, sent or asked
        word t what was named
        before t day of the lead's mention before; empty: it was the first
    """,
    sums="""
        number i mentions
    """,
)
DEALS_BY_MENTION = _counts(
    "deals_by_mention",
    "deals that ended, by objections and competitors that acts on their lead had named before",
    by="""
        span t day or month in which the deal ended
        segment t segment
        kind t objection or competitor
        word t what was named
        state t won or lost
    """,
    sums="""
        deals i deals
    """,
)
DEALS_BY_SPAN = _counts(
    "deals_by_span",
    "deals by the span in which they were opened, and what became of them",
    by="""
        span t day or month in which the deal was opened
        currency t currency; empty: not known
    """,
    sums="""
        deals i deals
        amounts i those whose amount is known
        amount_minor i their sum, minor units
        won i deals won
        ended i deals won or lost
        took_ms i time from opening to winning of the won ones together, ms
    """,
)
REFUSALS_BY_SPAN = _counts(
    "refusals_by_span",
    "acts that were not carried out, by why",
    by="""
        span t day or month
        event t what it was
        reason t why it was not carried out
    """,
    sums="""
        number i how many
        last_ms m the latest of them, ms
    """,
    highest=("last_ms",),
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
    MENTIONS_BY_SPAN,
    DEALS_BY_MENTION,
    DEALS_BY_SPAN,
    REFUSALS_BY_SPAN,
)
