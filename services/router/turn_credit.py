"""Whose fault it was that a hand-off ended: a turn is given back for what is nobody's fault, and
for nothing else.

The words travel in ``fault`` of a release: ``no_fault`` gives the turn back; a ``breach``, a
``rejected`` lead and a lead that ran its course (None) use it. Which reasons are nobody's fault the
agreement says (``turn_back``); an absence always is.
"""

from collections.abc import Set

from baton.contracts.leads import StageEvent

BREACH = "breach"
REJECTED = "rejected"
NO_FAULT = "no_fault"
ABSENCE = "absence"
TAKEN_BACK = frozenset({StageEvent.WITHDRAWN, StageEvent.MERGED, StageEvent.ERASED})
"""Ends that nobody at the receiving side caused; they give the turn back as long as the offer was
not accepted."""


def of_rejection(reason: str | None, blameless: Set[str]) -> str:
    """The fault in a rejection for ``reason``; ``blameless`` are the reasons that are nobody's
    fault."""
    return NO_FAULT if reason in blameless else REJECTED


def of_reassignment(reason: str | None, blameless: Set[str]) -> str:
    """The fault in being relieved of a lead for ``reason``: a breach, unless it is nobody's
    fault."""
    return NO_FAULT if reason in blameless else BREACH


def of_end(event: str, reason: str | None, blameless: Set[str], *, accepted: bool) -> str | None:
    """The fault in the end of a hand-off by stage ``event``."""
    taken_back = event in TAKEN_BACK and not accepted
    return NO_FAULT if taken_back or reason in blameless else None


def gives_back(fault: str | None) -> bool:
    """Whether a release with this fault gives the turn back."""
    return fault == NO_FAULT
