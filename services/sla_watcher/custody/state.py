"""What the custody reducer remembers of one lead."""

from dataclasses import dataclass

from baton.contracts.custody import Holding
from baton.evolve import quick


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class LeadCustody:
    """``since_ms``: since when nobody holds the lead, 0 where somebody does. ``orphan``: the cause
    that was published, empty where none was."""

    holding: Holding
    since_ms: int = 0
    orphan: str = ""
