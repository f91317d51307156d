"""Every counting there is. Pure."""

from __future__ import annotations

from typing import Final

from services.insights.rollups.clocks import CLOCKS
from services.insights.rollups.counting import Counting
from services.insights.rollups.flow import HANDOFFS, QUALIFIED, REASONS, RECYCLED
from services.insights.rollups.touches import ACTS, CONTENT, CREDITS, TOUCHES
from services.insights.rollups.waits import CYCLES, HANDS

BY_LEAD: Final[tuple[Counting, ...]] = (
    CLOCKS,
    CYCLES,
    HANDS,
    QUALIFIED,
    HANDOFFS,
    RECYCLED,
    REASONS,
    TOUCHES,
    ACTS,
    CONTENT,
)
COUNTINGS: Final[tuple[Counting, ...]] = (*BY_LEAD, CREDITS)
