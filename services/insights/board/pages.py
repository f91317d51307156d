"""The pages: where each is, what it shows, which template writes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from services.insights.reports.accounts import accounts
from services.insights.reports.agreement import agreement
from services.insights.reports.clocks import sla
from services.insights.reports.context import Context
from services.insights.reports.data import data
from services.insights.reports.fairness import fairness
from services.insights.reports.funnel import funnel
from services.insights.reports.goals import goals
from services.insights.reports.monday import monday
from services.insights.reports.now import now
from services.insights.reports.objections import objections
from services.insights.reports.recycling import recycling
from services.insights.reports.sources import sources


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """``filters``: those that the page understands, besides none; ``live``: it follows what
    happens."""

    path: str
    title: str
    report: Callable[[Context], dict[str, Any]]
    filters: tuple[str, ...] = ("from", "until", "pool", "segment")

    @property
    def template(self) -> str:
        """Its template."""
        return f"{self.path.strip('/') or 'now'}.html"


_PERIOD: Final = ("from", "until")

PAGES: Final[tuple[Page, ...]] = (
    Page(path="/", title="Now", report=now, filters=("pool", "segment", "person")),
    Page(path="/monday", title="Monday", report=monday, filters=()),
    Page(path="/sla", title="SLA", report=sla),
    Page(path="/funnel", title="Funnel", report=funnel),
    Page(path="/sources", title="Sources", report=sources, filters=(*_PERIOD, "segment", "model")),
    Page(path="/goals", title="Goals", report=goals, filters=()),
    Page(path="/recycling", title="Recycling", report=recycling, filters=_PERIOD),
    Page(path="/objections", title="Objections", report=objections, filters=(*_PERIOD, "segment")),
    Page(path="/fairness", title="Fairness", report=fairness, filters=(*_PERIOD, "pool")),
    Page(path="/accounts", title="Accounts", report=accounts, filters=()),
    Page(path="/agreement", title="Agreement", report=agreement, filters=()),
    Page(path="/data", title="Data", report=data, filters=_PERIOD),
)
