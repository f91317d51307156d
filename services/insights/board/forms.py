"""What is sent from the pages: acts, absences, decisions. Each is sent on and answered by what
became of it; nothing is decided here."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.insights.board.absence_reports import absence_of
from services.insights.board.decisions import changed_decision, decision_of
from services.insights.board.guard import form_of
from services.insights.board.page_acts import NotDoable, line_of
from services.insights.board.publishing import NotSent
from services.insights.board.visits import Visits, audit
from services.insights.reports.lead import LeadUnknown


class Forms:
    """``lead_page``: the page of the lead that an act is about, with what went wrong."""

    def __init__(self, visits: Visits, lead_page: Callable[..., Response]) -> None:
        self._visits, self._lead_page = visits, lead_page

    async def act(self, request: Request) -> Response:
        form = await form_of(request)
        return await run_in_threadpool(self._acted, request, form)

    def _acted(self, request: Request, form: Mapping[str, str]) -> Response:
        lead_id = request.path_params["lead_id"]
        with self._visits.context(request, filtered=False) as context:
            self._visits.check_form(context, form)
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
                self._visits.parts.publisher.send_line(line.body, key=lead_id)
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

    async def absence(self, request: Request) -> Response:
        form = await form_of(request)
        return await run_in_threadpool(self._absent, request, form)

    def _absent(self, request: Request, form: Mapping[str, str]) -> Response:
        with self._visits.context(request, filtered=False) as context:
            self._visits.check_form(context, form)
            try:
                self._visits.parts.publisher.send_absence(
                    absence_of(form, context.viewer, context.agreement)
                )
            except NotDoable as error:
                raise HTTPException(422, str(error)) from None
            except NotSent as error:
                raise HTTPException(503, f"Not sent: {error}. Sending it again is safe.") from None
            audit.info("sent", extra={"act": "absent", "who": context.viewer.person})
        return RedirectResponse("/fairness", status_code=303)

    async def decide(self, request: Request) -> Response:
        form = await form_of(request)
        return await run_in_threadpool(self._decided, request, form)

    def _decided(self, request: Request, form: Mapping[str, str]) -> Response:
        """A new decision, or another state of a known one."""
        name = request.path_params.get("decision_id")
        with self._visits.context(request, filtered=False) as context:
            self._visits.check_form(context, form)
            viewer, now_ms = context.viewer, context.now_ms
            known = context.rows("SELECT * FROM decision WHERE decision_id = :name", name=name)
            if name is not None and not known:
                raise HTTPException(404)
            try:
                record = (
                    changed_decision(form, known[0], viewer=viewer, now_ms=now_ms)
                    if known
                    else decision_of(
                        form, viewer=viewer, agreement=context.agreement, now_ms=now_ms
                    )
                )
                self._visits.parts.publisher.send_decision(record)
            except NotDoable as error:
                raise HTTPException(422, str(error)) from None
            except NotSent as error:
                raise HTTPException(503, f"Not sent: {error}. Sending it again is safe.") from None
            audit.info("sent", extra={"act": "decision", "who": context.viewer.person})
        return RedirectResponse("/monday", status_code=303)
