"""The board's web application: pages, one-time links, acts, live news. Every answer carries the
headers that keep it to itself.

GET changes nothing but using up a one-time link. Forms are taken from this site only: same origin,
a token made for the viewer, and a cookie that other sites' requests do not carry.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from services.insights.board.access import NotLetIn
from services.insights.board.answers import answer_to
from services.insights.board.charts import curve
from services.insights.board.entrances import Entrances
from services.insights.board.forms import Forms
from services.insights.board.guard import (
    Guarded,
    http_page,
    not_let_in_page,
    unknown_page,
    wrong_page,
)
from services.insights.board.kept import KeptReports
from services.insights.board.live import Live
from services.insights.board.page_acts import OUTCOMES
from services.insights.board.pages import PAGES, Page
from services.insights.board.rendering import STATIC, render
from services.insights.board.visits import Parts, Visits, audit
from services.insights.board_metrics import PAGE_SECONDS
from services.insights.packs.pack_store import packs_of
from services.insights.packs.writing import FORMS, csv_file, heading, sections
from services.insights.reports.buying_group import AccountUnknown, account
from services.insights.reports.context import Context, Role, Viewer, WrongFilter
from services.insights.reports.lead import LeadUnknown, lead
from services.insights.trials.kept_trials import Trials

__all__ = ["Parts", "Site"]


class Site:
    """Answers requests from the store in use."""

    def __init__(self, parts: Parts, kept: KeptReports | None = None) -> None:
        self._parts = parts
        self._visits = Visits(parts)
        self._forms = Forms(self._visits, self._lead_page)
        self._entrances = Entrances(self._visits)
        self._kept = kept or KeptReports()
        self._live = Live(self._visits.revision)

    def app(self) -> ASGIApp:
        """The application."""
        routes: list[Route | Mount] = [Route(page.path, self._page(page)) for page in PAGES]
        routes += [
            Route("/leads/{lead_id:str}", self._lead),
            Route("/accounts/{account_id:str}", self._account),
            Route("/leads/{lead_id:str}/acts", self._forms.act, methods=["POST"]),
            Route("/packs/{week:str}", self._pack),
            Route("/packs/{week:str}/{form:str}", self._pack),
            Route("/trials/{name:str}", self._trial),
            Route("/absences", self._forms.absence, methods=["POST"]),
            Route("/decisions", self._forms.decide, methods=["POST"]),
            Route("/decisions/{decision_id:str}", self._forms.decide, methods=["POST"]),
            *self._entrances.routes(),
            Route("/live", self._stream),
            Mount("/static", StaticFiles(directory=STATIC)),
        ]
        handlers: Mapping[Any, Any] = {
            NotLetIn: not_let_in_page,
            WrongFilter: wrong_page,
            HTTPException: http_page,
            LeadUnknown: unknown_page,
            AccountUnknown: unknown_page,
        }
        return Guarded(Starlette(routes=routes, exception_handlers=handlers), self._parts.settings)

    # ------------------------------------------------------------------ pages

    def _page(self, page: Page) -> Callable[[Request], Response]:
        def answer(request: Request) -> Response:
            took = PAGE_SECONDS.labels(page.title).time()
            with took, self._visits.context(request) as context:
                if odd := sorted(context.filters.given.keys() - set(page.filters)):
                    raise WrongFilter(f'this page has no filter "{odd[0]}"')
                audit.info(
                    "viewed", extra={"page": page.title, "who": context.viewer.person or "link"}
                )
                report, as_of_ms = self._kept.report(page.path, page.report, context)
                values = {
                    "page": page,
                    **self._visits.shell(context, page.path, page.title),
                    "report": report,
                }
                shown = replace(context, now_ms=as_of_ms)
                return HTMLResponse(render(page.template, shown, **values))

        return answer

    def _lead(self, request: Request) -> Response:
        sent = request.query_params.get("sent", "")
        took = PAGE_SECONDS.labels("Lead").time()
        with took, self._visits.context(request, filtered=False) as context:
            return self._lead_page(context, request.path_params["lead_id"], sent=sent)

    def _lead_page(
        self,
        context: Context,
        lead_id: str,
        *,
        sent: str = "",
        trouble: str = "",
        status: int = 200,
    ) -> Response:
        report = lead(context, lead_id)
        audit.info(
            "viewed",
            extra={"page": "lead", "lead_id": lead_id, "who": context.viewer.person or "link"},
        )
        values = {
            **self._visits.shell(context, f"/leads/{lead_id}", report["lead"]["label"]),
            "report": report,
            "curve": curve(report["curve"], context.now_ms, context.zone),
            "outcomes": OUTCOMES,
            "answer": answer_to(context, sent) if sent else None,
            "failure": trouble,
        }
        return HTMLResponse(render("lead.html", context, **values), status_code=status)

    def _account(self, request: Request) -> Response:
        took = PAGE_SECONDS.labels("Account").time()
        with took, self._visits.context(request, filtered=False) as context:
            report = account(context, request.path_params["account_id"])
            audit.info("viewed", extra={"page": "account", "who": context.viewer.person or "link"})
            values = {
                **self._visits.shell(context, "/accounts", report["account_id"]),
                "report": report,
            }
            return HTMLResponse(render("account.html", context, **values))

    def _pack(self, request: Request) -> Response:
        """A frozen pack as a page, or as the file that is mailed."""
        form = request.path_params.get("form")
        with self._visits.context(request, filtered=False) as context:
            pack = packs_of(self._parts.files).get(request.path_params["week"])
            if pack is None or form not in (None, *FORMS):
                raise HTTPException(404)
            audit.info("viewed", extra={"page": "pack", "who": context.viewer.person or "link"})
            if form is not None:
                media = {"txt": "text/plain", "html": "text/html", "csv": "text/csv"}[form]
                name = f'attachment; filename="baton-{pack.week}.{form}"'
                body = csv_file(pack) if form == "csv" else FORMS[form](pack)
                return Response(body, media_type=media, headers={"content-disposition": name})
            values = {
                **self._visits.shell(context, f"/packs/{pack.week}", f"Week {pack.week}"),
                "report": {"pack": pack, "heading": heading(pack), "sections": sections(pack)},
            }
            return HTMLResponse(render("pack_page.html", context, **values))

    def _trial(self, request: Request) -> Response:
        """What a backtest, a challenger or a calibration found, as it was made."""
        with self._visits.context(request, filtered=False) as context:
            trial = Trials(self._parts.files.folder).get(request.path_params["name"])
            if trial is None:
                raise HTTPException(404)
            audit.info("viewed", extra={"page": "trial", "who": context.viewer.person or "link"})
            named = context.viewer.role is Role.MANAGER
            values = {
                **self._visits.shell(context, f"/trials/{trial.name}", trial.title),
                "report": {"trial": trial.shown(named=named)},
            }
            return HTMLResponse(render("trial_page.html", context, **values))

    async def _stream(self, request: Request) -> Response:
        def look() -> Viewer:
            with self._visits.store() as db:
                return self._visits.viewer(request, self._visits.agreement(db))

        look()
        if self._live.full:
            raise HTTPException(
                503, "Too many live pages are open. This page works without; reload it for news."
            )

        def allowed() -> bool:
            with contextlib.suppress(NotLetIn, HTTPException):
                look()
                return True
            return False

        return StreamingResponse(self._live.stream(allowed), media_type="text/event-stream")
