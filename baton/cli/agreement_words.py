"""What ``baton agreement`` prints of a check, of a signature and of when a version is in force."""

from collections.abc import Sequence
from pathlib import Path

import typer

from baton.agreement.diff import summary
from baton.agreement.diff_forms import Change
from baton.agreement.publish import Written
from baton.agreement.reference import SINCE_EVER
from baton.agreement.source.read import Examined
from baton.cli.moments import written


def verdict(file: Path, version: str | None, examined: Examined) -> str:
    """The last line of a check: the version, or how many errors and warnings there are."""
    errors, warnings = len(examined.errors), len(examined.warnings)
    counted = (
        f"{errors} error{'' if errors == 1 else 's'}, {warnings} "
        f"warning{'' if warnings == 1 else 's'}"
    )
    if errors and not examined.complete:
        once = "it is" if errors == 1 else "they are"
        known = counted if warnings else counted.partition(",")[0]  # none found is not none
        counted = f"{known}; once {once} mended there may be further errors and warnings"
    return f"{file}: version {version}, {counted}" if version else f"{file}: {counted}"


def act_words(act: Written) -> str:
    """A signature, a publication, or what became of a challenger."""
    record = act.record
    if record.kind == "approved":
        account = f" ({record.account})" if record.account else ""
        return f"signed for {record.side} by {record.by or 'somebody'}{account}"
    if record.share_ppm and record.until_ms:
        return f"challenger for {record.share_ppm / 10_000:g}% until {written(record.until_ms)}"
    if record.kind == "challenger_stopped":
        return "challenger stopped"
    later = f", not before {written(record.effective_at_ms)}" if record.effective_at_ms else ""
    return f"published{later}"


def since_words(from_ms: int | None) -> str:
    """From when on a version is in force."""
    if from_ms is None:
        return "at no time"
    return (
        "since ever (it was the first)"
        if from_ms == SINCE_EVER
        else f"from {written(from_ms)} UTC on"
    )


def print_changes(found: Sequence[Change]) -> None:
    """Changes under the heading of their section, and how many there are of a kind."""
    section = ""
    for change in found:
        if change.section != section:
            typer.secho(change.section, bold=True)
            section = change.section
        typer.echo(f"  {change.text}")
    typer.echo(summary(found))
