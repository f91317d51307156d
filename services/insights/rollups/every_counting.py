"""Every counting there is. Pure."""

from __future__ import annotations

from typing import Final

from services.insights.rollups.clock_counts import CLOCKS
from services.insights.rollups.flow_counts import (
    DEALS,
    HANDOFFS,
    QUALIFIED,
    REASONS,
    RECYCLED,
    REFUSALS,
)
from services.insights.rollups.mention_counts import DEALS_HEARD, MENTIONS
from services.insights.rollups.span_counting import Counting
from services.insights.rollups.touch_counts import ACTS, CONTENT, CREDITS, FIRST_TOUCHES, TOUCHES
from services.insights.rollups.wait_counts import CYCLES, HANDS

BY_ROW: Final[tuple[Counting, ...]] = (
    CLOCKS,
    CYCLES,
    HANDS,
    QUALIFIED,
    HANDOFFS,
    RECYCLED,
    REASONS,
    TOUCHES,
    FIRST_TOUCHES,
    ACTS,
    CONTENT,
    MENTIONS,
    DEALS_HEARD,
    REFUSALS,
    DEALS,
)
COUNTINGS: Final[tuple[Counting, ...]] = (*BY_ROW, CREDITS)
