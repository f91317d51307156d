"""What ``baton calibrate --suggest`` prints and writes: points as a proposal, never applied."""

from collections.abc import Iterator
from pathlib import Path

from baton.agreement.diff import changes
from baton.agreement.source.new_points import with_points
from baton.agreement.source.read import agreement_of, read_agreement
from baton.backtest.suggested_points import SuggestedPoint, Suggestion


def write_suggestion(found: Suggestion, agreement: Path, out: Path) -> None:
    """The agreement's file with the suggested points, checked; nothing where none is suggested."""
    if found.changed:
        text = with_points(agreement.read_text(encoding="utf-8"), found.changed)
        agreement_of(text, str(out))
        out.write_text(text, encoding="utf-8")


def suggestion_lines(found: Suggestion, agreement: Path, out: Path) -> Iterator[str]:
    """For people: every point that could be weighed, the changes, and what to do with them."""
    if found.why_not is not None:
        yield f"no points can be suggested: {found.why_not}"
        return
    yield f"of {found.leads:,} leads that the score alone made ready {found.converted:,} converted"
    for one in found.points:
        yield f"  {one.section} {one.name}: {_words(one)}"
    if not found.changed:
        yield "the outcomes give no reason to change a point"
        return
    yield f"{out} has these changes, as a proposal:"
    for change in changes(read_agreement(agreement), read_agreement(out)):
        yield f"  {change.text}"
    yield f"see what it would have done before anybody signs it: baton backtest {out}"
    yield (
        "Nobody was handed the leads below the threshold, so they say nothing here; and among "
        "those above it single points look weaker than they are."
    )


def _words(one: SuggestedPoint) -> str:
    said = f"{one.agreed:g} agreed, {one.found:.1f} ({one.low:.1f} - {one.high:.1f}) by outcomes"
    if one.suggested is None:
        return f"{said}: stays, {one.reason}"
    return f"{said}: {one.suggested:g} suggested, {one.conversions} conversions"
