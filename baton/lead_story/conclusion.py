"""The last word of a story: who has the lead now, and because of what. Pure."""

from collections.abc import Iterable
from typing import Any

from baton.contracts.leads import LeadQualified
from baton.contracts.routing import LeadRouted, LeadUnrouted

_MOST = 3


def conclusion(values: Iterable[Any], *, name: str | None = None) -> str | None:
    """``ae-greta got lead 3f2a... because ...``, of the last hand-off; None where the lead was
    never ready. ``name``: the lead's."""
    last = None
    for value in values:
        if isinstance(value, LeadQualified | LeadRouted | LeadUnrouted):
            last = value
    match last:
        case LeadRouted():
            return (
                f"{last.owner} got {_lead(last.lead_id, name)} because {_why(last.qualified)}; "
                f"{_rule(last)}"
            )
        case LeadUnrouted():
            where = f" in {last.pool}" if last.pool else ""
            return (
                f"nobody got {_lead(last.lead_id, name)} yet: {last.outcome}{where}, "
                f"{last.reason.replace('_', ' ')}"
            )
        case LeadQualified():
            return (
                f"{_lead(last.lead_id, name)} is ready because {_why(last)}; it is on its way to a "
                "person"
            )
    return None


def _lead(lead_id: str, name: str | None) -> str:
    return name or f"lead {lead_id}"


def _why(qualified: LeadQualified) -> str:
    shown = qualified.story.why_now[:_MOST]
    made_of = ", ".join(
        f"{contribution.name} {_points(contribution.points_micro)}" for contribution in shown
    )
    asked = "it asked for a person" if qualified.hand_raised else f"it became {qualified.level}"
    return f"{asked} ({qualified.grade}: {made_of})" if made_of else f"{asked} ({qualified.grade})"


def _points(micro: int) -> str:
    """To a tenth of a point, as people read them."""
    return f"{micro / 1_000_000:.1f}".removesuffix(".0")


def _rule(routed: LeadRouted) -> str:
    return f"{routed.pool} by {routed.rule.replace('_', ' ')}" + (
        f", attempt {routed.attempt}" if routed.attempt > 1 else ""
    )
