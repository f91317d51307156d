"""Around every answer: the host that is meant, the security headers, nothing kept by caches; and
errors as pages.

Forms are taken from this site only: same origin by the browser's own word, and small.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import urlencode, urlsplit

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.insights.board.access import NotSignedIn
from services.insights.board.rendering import render
from services.insights.reports.buying_group import AccountUnknown
from services.insights.settings import BoardSettings

_SECURITY: Final = {
    "content-security-policy": "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}
_MOST_FORM_BYTES: Final = 4_096
_LONGEST_ADDRESS: Final = 2_000


async def form_of(request: Request) -> dict[str, str]:
    """The fields of a small form of this very site; raises 403 for one that another site sends, 413
    for a long one."""
    own_form(request)
    length = request.headers.get("content-length", "")
    if not length.isdigit() or int(length) > _MOST_FORM_BYTES:
        raise HTTPException(413, "The form is too long.")
    async with request.form(max_files=0, max_fields=20) as form:
        return {name: value for name, value in form.items() if isinstance(value, str)}


def own_form(request: Request) -> None:
    """Raises 403 for a form that another site sends."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    own = (
        urlsplit(origin).netloc == request.headers.get("host")
        if origin and origin != "null"
        else None
    )
    if site not in (None, "same-origin") or own is False or (site is None and own is None):
        raise HTTPException(403, "Forms are taken from the board's own pages only.")


def own_page(address: str) -> str:
    """The address as one of this site's pages, with its filters; what is none is the first page, so
    that no link can send people elsewhere once they have signed in."""
    parts = urlsplit(address)
    own = (
        len(address) <= _LONGEST_ADDRESS
        and address.startswith("/")
        and not address.startswith("//")
        and not parts.scheme
        and not parts.netloc
        and address.isprintable()
        and "\\" not in address
        and not parts.path.startswith(("/oidc/", "/live"))
    )
    return address if own else "/"


class Guarded:
    """Around everything: the host that is meant, the security headers, and nothing kept by caches
    but static files."""

    def __init__(self, app: ASGIApp, settings: BoardSettings) -> None:
        self._app = app
        self._hosts = {"127.0.0.1", "localhost", "[::1]"} if settings.on_loopback else set()
        if settings.public_host:
            self._hosts.add(settings.public_host.lower())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                static = scope["path"].startswith("/static/")
                kept = "private, max-age=86400" if static else "no-store"
                added = [
                    (name.encode(), value.encode())
                    for name, value in {**_SECURITY, "cache-control": kept}.items()
                ]
                message["headers"] = [
                    *(header for header in message["headers"] if header[0] != b"cache-control"),
                    *added,
                ]
            await send(message)

        host = dict(scope["headers"]).get(b"host", b"").decode("latin-1").lower()
        name = host.rsplit(":", 1)[0] if not host.endswith("]") else host
        if name not in self._hosts:
            refused = HTMLResponse(
                _message(421, "This is not the host of the board."), status_code=421
            )
            await refused(scope, receive, guarded)
            return
        await self._app(scope, receive, guarded)


def _message(status: int, text: str) -> str:
    titles = {403: "Not let in", 404: "Not here", 422: "Not sent", 503: "Not now"}
    return render(
        "message.html", None, title=titles.get(status, "Not possible"), words=text, status=status
    )


def not_let_in_page(request: Request, error: Exception) -> Response:
    if isinstance(error, NotSignedIn):
        query = f"?{request.url.query}" if request.url.query else ""
        wanted = own_page(f"{request.url.path}{query}" if request.method == "GET" else "/")
        page = render(
            "message.html",
            None,
            title="Baton",
            words=str(error),
            way="/oidc/start" if wanted == "/" else f"/oidc/start?{urlencode({'to': wanted})}",
            way_says="Sign in",
        )
        return HTMLResponse(page, status_code=401)
    return HTMLResponse(_message(403, str(error)), status_code=403)


def wrong_page(_: Request, error: Exception) -> Response:
    return HTMLResponse(
        _message(400, f"The address asks for something that there is not: {error}."),
        status_code=400,
    )


def unknown_page(_: Request, error: Exception) -> Response:
    what = "account" if isinstance(error, AccountUnknown) else "lead"
    return HTMLResponse(_message(404, f"There is no such {what} on the board."), status_code=404)


def http_page(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    text = "There is no such page." if error.status_code == 404 else error.detail
    return HTMLResponse(_message(error.status_code, text), status_code=error.status_code)
