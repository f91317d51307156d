"""Why a person takes no further lead, as the record says it: limits of a membership, and those over
all pools."""

from typing import Final

FULL: Final = "full"
OFFERS_OPEN: Final = "offers_open"
DAY_LIMIT: Final = "day_limit"
WEEK_LIMIT: Final = "week_limit"
FULL_ALL: Final = "full:all_pools"
OFFERS_OPEN_ALL: Final = "offers_open:all_pools"
DAY_LIMIT_ALL: Final = "day_limit:all_pools"
WEEK_LIMIT_ALL: Final = "week_limit:all_pools"
UNREPORTED: Final = "unreported:all_pools"
"""Not every pool has said yet what the person has from it, after a new agreement."""
