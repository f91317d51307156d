"""The tables of the projection, column by column: the store is made from them, exports describe
them.

Names of people stand in ``person`` alone, and what is kept whole in ``fact``; neither may leave the
board.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from services.insights.facts.derived_tables import (
    CONVERSION,
    CREDIT,
    CYCLE,
    DEAL,
    JOURNEY,
    LEAD,
    OPEN_CLOCK,
    WORK,
)
from services.insights.facts.flow_tables import (
    AMENDMENT,
    HANDOFF,
    NOTE,
    ORPHAN,
    QUALIFICATION,
    REACTIVATED,
    RECYCLED,
    REFUSAL,
    REST,
    STAGE_MOVE,
    UNROUTED,
)
from services.insights.facts.intake_tables import (
    ACT,
    DEAD_LETTER,
    FACT,
    MEMBERSHIP,
    MENTION,
    MERGE,
    PERSON,
    REFERENCE,
    RETRACTION,
    TOUCH,
)
from services.insights.facts.level_tables import (
    ACCOUNT,
    ACTION,
    CLOCK,
    DIGEST,
    GOAL,
    VIOLATION,
)
from services.insights.facts.meeting_tables import CAMPAIGN_COST, DECISION
from services.insights.facts.rollup_tables import ROLLUPS
from services.insights.facts.table import Table

TABLES: Final[Mapping[str, Table]] = {
    table.name: table
    for table in (
        FACT,
        TOUCH,
        RETRACTION,
        MEMBERSHIP,
        ACT,
        MENTION,
        STAGE_MOVE,
        QUALIFICATION,
        AMENDMENT,
        HANDOFF,
        UNROUTED,
        NOTE,
        CLOCK,
        VIOLATION,
        ACTION,
        DIGEST,
        RECYCLED,
        REST,
        REACTIVATED,
        REFUSAL,
        GOAL,
        ACCOUNT,
        ORPHAN,
        MERGE,
        PERSON,
        REFERENCE,
        DEAD_LETTER,
        DECISION,
        CAMPAIGN_COST,
        LEAD,
        WORK,
        OPEN_CLOCK,
        CYCLE,
        DEAL,
        CONVERSION,
        JOURNEY,
        CREDIT,
        *ROLLUPS,
    )
}
