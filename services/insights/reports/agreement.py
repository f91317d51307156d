"""The agreement in force as a page: who signed it, what it promises, and how the versions before
differed, in words."""

from __future__ import annotations

from typing import Any

from baton.agreement.diff import changes
from baton.agreement.model.agreement import Agreement
from baton.agreement.reference import SINCE_EVER, AgreementBook
from services.insights.projection.reference_state import book_in
from services.insights.reports.context import Context


def _model(book: AgreementBook, version: str) -> Agreement:
    compiled = book.compiled(version)
    if compiled is None:
        raise KeyError(f"version {version} was never published whole")
    return compiled.raw


def agreement(context: Context) -> dict[str, Any]:
    """The page Agreement."""
    book = book_in(context.db)
    terms = book.terms()
    history = []
    for number, term in enumerate(terms):
        before = _model(book, terms[number - 1].version) if number else None
        model = _model(book, term.version)
        history.append(
            {
                "version": term.version,
                "from_ms": None if term.from_ms == SINCE_EVER else term.from_ms,
                "signed": sorted(
                    book.approvals(term.version).values(), key=lambda approval: approval.side
                ),
                "changes": changes(before, model) if before is not None else (),
                "in_force": context.agreement is not None
                and term.version == context.agreement.version,
            }
        )
    return {"agreement": context.agreement, "history": history[::-1]}
