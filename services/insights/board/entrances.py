"""Coming and going: by a one-time link, or by a sign-in at a provider; leaving ends the session."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from services.insights.board.guard import own_form, own_page
from services.insights.board.oidc import BACK_PATH, LOGIN_COOKIE, ProviderAway, SignIn
from services.insights.board.rendering import render
from services.insights.board.visits import Visits, audit

_LOGIN_S = 600


class Entrances:
    """The ways in that the settings open, and the way out."""

    def __init__(self, visits: Visits) -> None:
        self._visits = visits
        settings = visits.parts.settings
        self._sign_in = SignIn(settings) if settings.oidc_issuer else None

    def routes(self) -> list[Route]:
        """A one-time link works only where nobody signs in."""
        leave = Route("/leave", self._leave, methods=["POST"])
        if self._sign_in is None:
            return [Route("/enter", self._enter), leave]
        return [Route("/oidc/start", self._start), Route(BACK_PATH, self._back), leave]

    def _enter(self, request: Request) -> Response:
        session = self._visits.parts.access.enter(request.query_params.get("token", ""))
        answer = RedirectResponse("/", status_code=303)
        secure = request.url.scheme == "https"
        cookie = self._visits.cookie
        answer.set_cookie(
            cookie, session, httponly=True, samesite="strict", secure=secure, path="/"
        )
        return answer

    def _start(self, request: Request) -> Response:
        assert self._sign_in is not None
        try:
            address, name = self._sign_in.begin(own_page(request.query_params.get("to", "")))
        except ProviderAway as error:
            raise HTTPException(503, f"Nobody can sign in now: {error}.") from None
        answer = RedirectResponse(address, status_code=303)
        answer.set_cookie(
            LOGIN_COOKIE, name, max_age=_LOGIN_S, httponly=True, samesite="lax", secure=True
        )
        return answer

    def _back(self, request: Request) -> Response:
        assert self._sign_in is not None
        asked = request.query_params
        try:
            name, wanted = self._sign_in.end(
                request.cookies.get(LOGIN_COOKIE),
                code=asked.get("code", ""),
                state=asked.get("state", ""),
            )
        except ProviderAway as error:
            raise HTTPException(503, f"Nobody can sign in now: {error}.") from None
        with self._visits.store() as db:
            agreement = self._visits.agreement(db)
        session = self._visits.parts.access.signed_in(name, agreement)
        audit.info("signed in")
        # A page of this site sends the browser on: the session's cookie then comes with it.
        answer = RedirectResponse(wanted, status_code=303)
        answer.delete_cookie(LOGIN_COOKIE, path="/", secure=True, httponly=True)
        answer.set_cookie(
            self._visits.cookie, session, httponly=True, samesite="lax", secure=True, path="/"
        )
        return answer

    async def _leave(self, request: Request) -> Response:
        own_form(request)
        self._visits.parts.access.leave(request.cookies.get(self._visits.cookie, ""))
        page = render("message.html", None, title="Left", words="You have left the board.")
        answer = HTMLResponse(page)
        answer.delete_cookie(self._visits.cookie, path="/")
        return answer
