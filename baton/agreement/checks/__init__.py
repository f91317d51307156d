"""What needs two places of the agreement to be seen: names that lead nowhere, thresholds nobody reaches, rules nobody gets to.

Each module checks one subject and yields findings; none stops at the first. A finding says what is wrong and what to do.
"""

from collections.abc import Callable, Iterable, Iterator

from baton.agreement.checks import (
    amounts,
    asking,
    calendars,
    examples,
    levels,
    names,
    pools,
    promises,
    recycling,
    routing,
    targets,
)
from baton.agreement.checks.look import Finding, Look
from baton.agreement.model.agreement import Agreement
from baton.agreement.problems import Problem
from baton.agreement.yaml_text import Document

CHECKS: tuple[Callable[[Look], Iterable[Finding]], ...] = (
    names.check,
    asking.check,
    levels.check,
    amounts.check,
    calendars.check,
    pools.check,
    routing.check,
    promises.check,
    recycling.check,
    targets.check,
    examples.check,
)


def check_meaning(model: Agreement, document: Document) -> Iterator[Problem]:
    """Every finding of every check, with its line."""
    look = Look(model=model)
    for check in CHECKS:
        for finding in check(look):
            place = document.place(finding.path)
            yield Problem(
                message=finding.message,
                path=finding.path,
                line=place.line if place else 0,
                column=place.column if place else 0,
                severity=finding.severity,
            )
