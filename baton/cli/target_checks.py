"""What ``baton doctor`` asks of the targets of delivery: whether each could be delivered to."""

from collections.abc import Iterator

from baton.cli.findings import Finding, Verdict
from baton.flow import delivery_commands
from baton.settings import Settings


def target_findings(settings: Settings) -> Iterator[Finding]:
    """One finding a target; delivers no record."""
    for name, good, text in delivery_commands().check(settings):
        verdict = Verdict.GOOD if good else Verdict.WRONG
        yield Finding(check=f"target {name}", verdict=verdict, text=text)
