"""The hold-out: small enough that the bridge team still mostly calls leads that are ready."""

from collections.abc import Iterator

from baton.agreement.checks.context import CheckContext, Finding, odd, wrong
from baton.agreement.model.definitions import LevelsModel
from baton.contracts.leads import Level

_PATH = ("lifecycle", "holdout")
MOST_PERCENT = 10


def check(context: CheckContext) -> Iterator[Finding]:
    """Its size, and leads in it that nothing else would ever hand over."""
    percent = context.model.lifecycle.holdout
    if not percent:
        return
    if percent > MOST_PERCENT:
        yield wrong(
            _PATH,
            f"a hold-out of {percent}% hands over more cold leads than people bear with: "
            f"{MOST_PERCENT}% at most, 2% is usual",
        )
    never = _never_qualify(context.model.definitions.levels)
    if never:
        yield odd(
            _PATH,
            f"leads with fit {', '.join(never)} never qualify by their score; {percent}% of those "
            "that do something are handed over too",
        )


def _never_qualify(levels: LevelsModel) -> list[str]:
    return [
        fit
        for fit, row in levels.matrix.items()
        if all(level == Level.COLD.value for level in row.values())
    ]
