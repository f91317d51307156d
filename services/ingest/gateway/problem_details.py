"""The answer to what cannot be taken: RFC 9457 problem documents. No values of
the event are repeated."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

from starlette.responses import JSONResponse, Response

from baton.intake.line_reading import LineRefused, Problem


class Refused(Exception):
    """An answer instead of a success. ``code`` is a stable word."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        errors: Iterable[Mapping[str, Any]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.errors = tuple(errors)
        self.headers = dict(headers or {})


def refused_line(refused: LineRefused) -> Refused:
    """The answer to one event that is not right."""
    unreadable = refused.code in ("malformed", "wrong_type", "too_nested", "duplicate_key")
    status = 413 if refused.code == "too_long" else 400 if unreadable else 422
    return Refused(
        status, refused.code, f"Not taken: {refused}.", errors=errors_of(refused.problems)
    )


def errors_of(problems: Iterable[Problem], **more: Any) -> list[dict[str, Any]]:
    """Problems as members of ``errors``."""
    return [{**more, "field": problem.field, "detail": problem.reason} for problem in problems]


def not_now(code: str, detail: str, seconds: int) -> Refused:
    """Retry after so many seconds: 429 for what the sender does too often, 503 for what cannot be
    done now."""
    return Refused(
        429 if code == "rate_limited" else 503,
        code,
        detail,
        headers={"Retry-After": str(max(1, seconds))},
    )


def document(refused: Refused) -> Response:
    """The problem document. ``code`` and ``message`` are where Segment's clients look for words to
    log."""
    content: dict[str, Any] = {
        "type": f"urn:baton:problem:{refused.code}",
        "title": HTTPStatus(refused.status).phrase,
        "status": refused.status,
        "detail": refused.detail,
        "code": refused.code,
        "message": refused.detail,
    }
    if refused.errors:
        content["errors"] = list(refused.errors)
    return JSONResponse(
        content, refused.status, refused.headers, media_type="application/problem+json"
    )
