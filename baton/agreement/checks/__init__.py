"""What needs two places of the agreement to be seen: names that lead nowhere, thresholds nobody
reaches, rules nobody gets to.

Each module checks one subject and yields findings; none stops at the first. A finding says what is
wrong and what to do.
"""

from collections.abc import Callable, Iterable, Iterator

from baton.agreement.checks import (
    calendars,
    conditions,
    examples,
    goals,
    holdout,
    levels,
    points,
    pools,
    recycling,
    references,
    routing,
    slas,
    wall_clock,
)
from baton.agreement.checks.context import CheckContext, Finding
from baton.agreement.document import Document
from baton.agreement.model.agreement import Agreement
from baton.agreement.problems import Problem

CHECKS: tuple[Callable[[CheckContext], Iterable[Finding]], ...] = (
    references.check,
    conditions.check,
    levels.check,
    holdout.check,
    points.check,
    calendars.check,
    wall_clock.check,
    pools.check,
    routing.check,
    slas.check,
    recycling.check,
    goals.check,
    examples.check,
)


def check_meaning(model: Agreement, document: Document) -> Iterator[Problem]:
    """Every finding of every check, with its line."""
    context = CheckContext(model=model)
    for check in CHECKS:
        for finding in check(context):
            place = document.place(finding.path)
            yield Problem(
                message=finding.message,
                path=finding.path,
                line=place.line if place else 0,
                column=place.column if place else 0,
                severity=finding.severity,
            )
