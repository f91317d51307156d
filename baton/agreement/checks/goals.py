"""Goals: both sides owe something."""

from collections.abc import Iterator

from baton.agreement.checks.context import CheckContext, Finding, odd


def check(context: CheckContext) -> Iterator[Finding]:
    """An agreement in which one side promises nothing is not one."""
    goals = context.model.goals
    for side in ("marketing", "sales"):
        if goals and not any(goal.side == side for goal in goals.values()):
            yield odd(("goals",), f"{side} has no goal: an agreement has two sides")
    if not goals:
        yield odd((), "there are no goals: neither side owes a number")
