"""Every figure in words, printed on the Data page and beside the figures: a disputed report is
mostly a disputed definition."""

from __future__ import annotations

from typing import Final

from services.insights.figures.attribution import DEFINITIONS as MODELS

DEFINITIONS: Final[tuple[tuple[str, str, str], ...]] = (
    (
        "compliance",
        "SLA compliance",
        (
            "Clocks met of the clocks whose deadline fell in the period. Met: ended with evidence "
            "by the deadline, withdrawn breaches included. Late,"
            " still open past the deadline, and abandoned are not met. Cancelled clocks, and those "
            "not due yet, stand outside and are shown beside."
        ),
    ),
    (
        "speed",
        "Speed to lead",
        (
            "From the buyer's raised hand, also one raised after the lead was handed over, to the "
            "next call, mail or meeting of a person, around the clock, by anybody. Auto-responders "
            "do not count. Rounded up: to the minute up to an hour, then coarser."
            " Buyers who still wait are in the figure (Kaplan–Meier). The SLA of the same lead "
            "counts business time and one holder: both are true."
        ),
    ),
    (
        "cohort",
        "Cohort conversion",
        (
            "Of the leads that reached a stage in the period, those that have reached the next by "
            "now. A cohort is ripe when it is older than nine of"
            " ten take; until then the truth lies between “so far” and “at most”."
        ),
    ),
    (
        "acceptance",
        "Acceptance rate",
        (
            "Accepted, of accepted, rejected and expired unanswered, by when the lead qualified. Those "
            "waiting for an answer stand beside it."
        ),
    ),
    (
        "win",
        "Win rate",
        (
            "Narrow: won of won and lost. Broad: won of won, lost and those that left the opportunity "
            "another way."
        ),
    ),
    (
        "velocity",
        "Velocity",
        (
            "Opportunities × win rate × average amount ÷ days from opportunity to won, all four of the "
            "deals that were opened in the period."
        ),
    ),
    (
        "coverage",
        "Pipeline coverage",
        (
            "Open deals expected to close in the period and not past, divided by what is left of "
            "the quota. Stale, undated and foreign-currency deals"
            " stand beside it."
        ),
    ),
    (
        "pace",
        "Pace",
        (
            "Achieved × working days of the period ÷ (target × working days gone); 1 is on course. "
            "Forecast: the same speed until the end."
        ),
    ),
    (
        "touch",
        "Touch",
        (
            "An engagement of one of the account's leads, at or before the deal was won, not taken "
            "back, not done by a machine. Repeated ones of one"
            " lead, campaign and day count as one. First touch looks at the whole history, the "
            "other models at what came since the last deal."
        ),
    ),
    (
        "known",
        "Lead creation",
        (
            "When a lead became known is not published. The act that made it an MQL for the first time "
            "stands in for it in the models U, W and full path."
        ),
    ),
    (
        "share",
        "Shares",
        (
            "With 95 % Wilson intervals on hover and in the tables. No rate is shown of fewer than 20; "
            "below 100 it is a hint."
        ),
    ),
    (
        "lift",
        "Lift of content",
        (
            "Share of the won deals whose lead had seen the content before the deal ended, divided "
            "by the same share of lost deals. Shown where both are of at least 20 deals."
        ),
    ),
    (
        "cost",
        "Cost and return of campaigns",
        (
            "What was reported for the months that the period touches, shared out by days. Cost per "
            "accepted: divided by the hand-offs accepted of those that qualified in the period. "
            "Return: won and credited, divided by the cost, in one currency. A campaign without a "
            "reported cost has none of the three."
        ),
    ),
    (
        "meetings",
        "Meetings",
        (
            "Acts of people: booked, held, and those the buyer did not come to. Show rate: held of "
            "held and missed. Who reports no meetings has no figure here, and no zero."
        ),
    ),
    (
        "not_known",
        "Not known",
        (
            "What nobody reports to Baton (costs of campaigns, meetings, objections, competitors, "
            "content that was sent) has no figure on the board, and no zero."
        ),
    ),
    *(
        (f"model-{model.value}", f"Model {model.value.replace('_', ' ')}", words)
        for model, words in MODELS.items()
    ),
)
