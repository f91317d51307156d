"""The hold-out: a share of the leads below the threshold is handed over blind, so that something
can be said of them. Which lead, and at how many points, is a hash of its id: no chance, no clock,
and nothing that staff could know."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

from baton.agreement.compiled.levels import LevelTable
from baton.contracts.leads import Level

_WHOLE: Final = 1 << 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdout:
    """``percent`` of the leads, 0 for none."""

    percent: int = 0

    def enters_at_micro(self, lead_id: str, fit_micro: int, levels: LevelTable) -> int | None:
        """From how many points on the lead is handed over although it is cold; None: it is not held
        out.

        Spread evenly below the threshold of its fit band (below the highest one where its fit
        never qualifies), so that every score below it is tried.
        """
        if not self.percent:
            return None
        digest = blake2b(f"holdout {lead_id}".encode(), digest_size=16).digest()
        if int.from_bytes(digest[:8], "big") * 100 >= self.percent * _WHOLE:
            return None
        threshold = levels.enter_at_micro(fit_micro, Level.WARM.value)
        if threshold is None:
            threshold = levels.engagement_bands[0].entered_from_micro
        return max(int.from_bytes(digest[8:], "big") * threshold // _WHOLE, 1)


NO_HOLDOUT: Final = Holdout()
