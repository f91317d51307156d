"""Section ``goals``: what both sides owe in a period."""

from enum import StrEnum
from typing import Final, Literal

from pydantic import Field, model_validator

from baton.agreement.model.base import Label, Name, Section, problem


class Metric(StrEnum):
    """What a goal counts. ``coverage`` is open pipeline against what is left of the quota, not a
    count."""

    MQL = "mql"
    SAL = "sal"
    SQL = "sql"
    OPPORTUNITY = "opportunity"
    WON = "won"
    WON_AMOUNT = "won_amount"
    FOLLOW_UP = "follow_up"
    COVERAGE = "coverage"


MONEY_METRICS: Final = frozenset({Metric.WON_AMOUNT.value, Metric.COVERAGE.value})
"""What counts money; the others count people."""


class GoalPeriod(StrEnum):
    """How long a goal runs."""

    MONTH = "month"
    QUARTER = "quarter"


class GoalModel(Section):
    """What one side owes in a period."""

    side: Literal["marketing", "sales"]
    metric: Metric
    target: int = Field(ge=1)
    """How many; for won_amount whole units of ``currency``; for coverage how many times the
    quota."""
    per: GoalPeriod = GoalPeriod.MONTH
    segment: Name | None = None
    """Left out: all segments together."""
    label: Label | None = None
    calendar: Name | None = None
    """Whose working days the pace is counted in. Left out: the house calendar."""
    quota: int | None = Field(default=None, ge=1)
    """For coverage: the quota in whole units of ``currency``."""
    currency: str | None = Field(default=None, pattern=r"^[A-Z]{3}$")
    warn_below: int = Field(default=90, ge=1, le=100)
    """The pace, in percent, below which a breach is forecast."""

    @model_validator(mode="after")
    def _money(self) -> "GoalModel":
        if self.metric in (Metric.WON_AMOUNT, Metric.COVERAGE) and self.currency is None:
            raise problem(f"{self.metric.value} is about money: add currency: EUR")
        if (self.metric is Metric.COVERAGE) is not (self.quota is not None):
            raise problem("a quota belongs to coverage, and coverage needs one")
        return self
