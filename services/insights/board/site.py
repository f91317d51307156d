"""The board's web application: pages, one-time links, acts, live news. Every answer carries the
headers that keep it to itself.

GET changes nothing but using up a one-time link. Forms are taken from this site only: same origin,
a token made for the viewer, and a cookie that other sites' requests do not carry.
"""

from __future__ import annotations

import contextlib
import logging
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from urllib.parse import urlencode

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from baton.agreement.compiled.agreement import CompiledAgreement
from services.insights.board.absences import absence_of
from services.insights.board.access import COOKIE, Access, NotLetIn
from services.insights.board.acts import OUTCOMES, NotDoable, line_of
from services.insights.board.answers import answer_to
from services.insights.board.charts import curve
from services.insights.board.guard import (
    Guarded,
    form_of,
    http_page,
    not_let_in_page,
    unknown_page,
    wrong_page,
)
from services.insights.board.live import Live
from services.insights.board.pages import PAGES, Page
from services.insights.board.publishing import NotSent, Publisher
from services.insights.board.rendering import STATIC, render
from services.insights.board.words import clean
from services.insights.projection.dialect import reader, store_errors
from services.insights.projection.files import BoardStores
from services.insights.projection.projector import ProjectorState, Standing
from services.insights.projection.reference import book_in
from services.insights.reports.context import Context, Filters, Viewer, WrongFilter, filters_of
from services.insights.reports.lead import LeadUnknown, lead
from services.insights.settings import BoardSettings

log = logging.getLogger(__name__)
audit = logging.getLogger("services.insights.audit")

_STALE_MS: Final = 30_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What the site is made of; tests hand in their own clock, standing and publisher."""

    settings: BoardSettings
    files: BoardStores
    access: Access
    publisher: Publisher
    standing: Callable[[], Standing]
    now_ms: Callable[[], int] = lambda: int(time.time() * 1000)


class Site:
    """Answers requests from the file in use, each on a read-only connection of its own."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._live = Live(self._revision)
        self._agreed: tuple[tuple[str, int], CompiledAgreement | None, int] = (("", -1), None, 0)

    def app(self) -> ASGIApp:
        """The application."""
        routes: list[Route | Mount] = [Route(page.path, self._page(page)) for page in PAGES]
        routes += [
            Route("/leads/{lead_id:str}", self._lead),
            Route("/leads/{lead_id:str}/acts", self._act, methods=["POST"]),
            Route("/absences", self._absence, methods=["POST"]),
            Route("/enter", self._enter),
            Route("/leave", self._leave, methods=["POST"]),
            Route("/live", self._stream),
            Mount("/static", StaticFiles(directory=STATIC)),
        ]
        handlers: Mapping[Any, Any] = {
            NotLetIn: not_let_in_page,
            WrongFilter: wrong_page,
            HTTPException: http_page,
            LeadUnknown: unknown_page,
        }
        return Guarded(Starlette(routes=routes, exception_handlers=handlers), self._parts.settings)

    # ------------------------------------------------------------------ what every request needs

    @contextlib.contextmanager
    def _store(self) -> Iterator[Any]:
        place = self._parts.files.current()
        if place is None:
            raise HTTPException(
                503,
                "The board is being built from the topics. It opens when everything in them is "
                "read.",
            )
        db = reader(place)
        try:
            db.execute("BEGIN")  # one moment for all queries of a page
            yield db
        finally:
            db.close()

    def _revision(self) -> str:
        with contextlib.suppress(*store_errors(), HTTPException), self._store() as db:
            return str(next(iter(db.execute("SELECT value FROM meta WHERE name = 'revision'")))[0])
        return ""

    def _agreement(self, db: Any) -> CompiledAgreement | None:
        """The agreement in force, compiled once for as long as the reference topics have nothing
        new."""
        place = str(self._parts.files.current())
        key = (place, next(iter(db.execute("SELECT count(*) FROM reference")))[0])
        known, agreement, until = self._agreed
        now = self._parts.now_ms()
        if known != key or now >= until:
            found = book_in(db).at(now)
            agreement = found.agreement if found else None
            self._agreed = (key, agreement, now + 5_000)
        return agreement

    def _viewer(self, request: Request, agreement: CompiledAgreement | None) -> Viewer:
        client = request.client.host if request.client else ""
        return self._parts.access.viewer(
            client=client,
            headers=request.headers,
            cookie=request.cookies.get(COOKIE),
            agreement=agreement,
        )

    @contextlib.contextmanager
    def _context(self, request: Request, *, filtered: bool = True) -> Iterator[Context]:
        with self._store() as db:
            agreement = self._agreement(db)
            viewer = self._viewer(request, agreement)
            now = self._parts.now_ms()
            bare = Context(db=db, now_ms=now, viewer=viewer, filters=_ANY, agreement=agreement)
            query = dict(request.query_params) if filtered else {}
            filters = filters_of(query, bare.today)
            yield Context(
                db=db,
                now_ms=now,
                viewer=viewer,
                filters=filters,
                agreement=agreement,
                per_person=self._parts.settings.per_person or viewer.role.value == "manager",
            )

    def _shell(self, context: Context, path: str, title: str) -> dict[str, Any]:
        """What the frame of every page shows."""
        standing = self._parts.standing()
        stale = standing.asked_ms is None or context.now_ms - standing.asked_ms > _STALE_MS
        return {
            "pages": PAGES,
            "path": path,
            "title": clean(title, 60),
            "viewer": context.viewer,
            "filters": context.filters,
            "with_filters": lambda **more: _address(path, context.filters, more),
            "standing": standing,
            "trouble": standing.state in (ProjectorState.STOPPED, ProjectorState.AWAY)
            or (stale and standing.state == ProjectorState.LIVE),
            "news_ms": context.value("SELECT max(last_ms) FROM position"),
            "form_token": self._parts.access.form_token(context.viewer),
            "form_number": secrets.token_hex(8),
            "proxied": self._parts.settings.proxy_header is not None,
        }

    # ------------------------------------------------------------------ pages

    def _page(self, page: Page) -> Callable[[Request], Response]:
        def answer(request: Request) -> Response:
            with self._context(request) as context:
                if odd := sorted(context.filters.given.keys() - set(page.filters)):
                    raise WrongFilter(f'this page has no filter "{odd[0]}"')
                audit.info(
                    "viewed", extra={"page": page.title, "who": context.viewer.person or "link"}
                )
                values = {
                    "page": page,
                    **self._shell(context, page.path, page.title),
                    "report": page.report(context),
                }
                return HTMLResponse(render(page.template, context, **values))

        return answer

    def _lead(self, request: Request) -> Response:
        sent = request.query_params.get("sent", "")
        with self._context(request, filtered=False) as context:
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
            **self._shell(context, f"/leads/{lead_id}", report["lead"]["label"]),
            "report": report,
            "curve": curve(report["curve"], context.now_ms, context.zone),
            "outcomes": OUTCOMES,
            "answer": answer_to(context, sent) if sent else None,
            "failure": trouble,
        }
        return HTMLResponse(render("lead.html", context, **values), status_code=status)

    async def _stream(self, request: Request) -> Response:
        def look() -> Viewer:
            with self._store() as db:
                return self._viewer(request, self._agreement(db))

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

    # ------------------------------------------------------------------ coming, going, acting

    def _enter(self, request: Request) -> Response:
        session = self._parts.access.enter(request.query_params.get("token", ""))
        answer = RedirectResponse("/", status_code=303)
        secure = request.url.scheme == "https"
        answer.set_cookie(
            COOKIE, session, httponly=True, samesite="strict", secure=secure, path="/"
        )
        return answer

    async def _leave(self, request: Request) -> Response:
        self._parts.access.leave(request.cookies.get(COOKIE, ""))
        answer = HTMLResponse(
            render("message.html", None, title="Left", words="You have left the board.", status=200)
        )
        answer.delete_cookie(COOKIE, path="/")
        return answer

    async def _act(self, request: Request) -> Response:
        form = await form_of(request)
        return await run_in_threadpool(self._acted, request, form)

    def _acted(self, request: Request, form: Mapping[str, str]) -> Response:
        lead_id = request.path_params["lead_id"]
        with self._context(request, filtered=False) as context:
            self._check_form(context, form)
            found = context.rows("SELECT * FROM lead WHERE lead_id = :lead", lead=lead_id)
            if not found:
                raise LeadUnknown(lead_id)
            try:
                line = line_of(
                    form,
                    lead=found[0],
                    viewer=context.viewer,
                    agreement=context.agreement,
                    now_ms=context.now_ms,
                )
                self._parts.publisher.send_line(line.body, key=lead_id)
            except NotDoable as error:
                return self._lead_page(context, lead_id, trouble=str(error), status=422)
            except NotSent as error:
                words = f"Not sent: {error}. Sending it again is safe."
                return self._lead_page(context, lead_id, trouble=words, status=503)
            audit.info(
                "sent",
                extra={"act": form.get("do"), "lead_id": lead_id, "who": context.viewer.person},
            )
        return RedirectResponse(f"/leads/{lead_id}?sent={line.event_id}", status_code=303)

    async def _absence(self, request: Request) -> Response:
        form = await form_of(request)
        return await run_in_threadpool(self._absent, request, form)

    def _absent(self, request: Request, form: Mapping[str, str]) -> Response:
        with self._context(request, filtered=False) as context:
            self._check_form(context, form)
            try:
                self._parts.publisher.send_absence(
                    absence_of(form, context.viewer, context.agreement)
                )
            except NotDoable as error:
                raise HTTPException(422, str(error)) from None
            except NotSent as error:
                raise HTTPException(503, f"Not sent: {error}. Sending it again is safe.") from None
            audit.info("sent", extra={"act": "absent", "who": context.viewer.person})
        return RedirectResponse("/fairness", status_code=303)

    def _check_form(self, context: Context, form: Mapping[str, str]) -> None:
        if not self._parts.access.is_form_token(context.viewer, form.get("token", "")):
            raise HTTPException(
                403,
                "This form was made for another visit. Go back, reload the page, and send it "
                "again.",
            )


_ANY: Final = filters_of({}, date(2000, 1, 1))


def _address(path: str, filters: Filters, more: Mapping[str, str | None]) -> str:
    query = {name: value for name, value in {**filters.given, **more}.items() if value}
    return f"{path}?{urlencode(query)}" if query else path
