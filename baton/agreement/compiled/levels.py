"""The compiled levels: fit band by engagement band gives the level, with separate thresholds for
the way up and down.

A band is entered at its ``enter`` points and left below its ``exit`` points. Entering is judged at
the tenth of a point that people read (``score >= enter - 0.05``): points decay from the moment of
the act, so an act worth exactly the threshold would otherwise miss it by what it takes to arrive.
Leaving is exact, and never above where the band would be entered again. The level a lead may enter
is read from the matrix by the enter thresholds, the level it may keep by the exit ones; the current
level moves only if it lies outside of these two. So a score that trembles around one threshold
changes nothing. Delays (dwell) are the scorer's to keep.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from baton.agreement.quantities import points_words
from baton.contracts.leads import Level

LEVELS: tuple[str, ...] = (Level.COLD.value, Level.WARM.value, Level.HOT.value)
RANK: Mapping[str, int] = {level: rank for rank, level in enumerate(LEVELS)}

READ_MICRO: Final = 50_000
"""Half a tenth of a point: a score this much below a number is read as that number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """Entered at ``enter_micro``, left below ``exit_micro``: as the agreement says them. The lowest
    band has 0 for both.

    ``entered_from_micro`` and ``kept_from_micro`` are the first scores that do enter and keep it.
    """

    name: str
    enter_micro: int
    exit_micro: int

    @property
    def entered_from_micro(self) -> int:
        """The smallest score that is read as the enter threshold."""
        return max(self.enter_micro - READ_MICRO, 0)

    @property
    def kept_from_micro(self) -> int:
        """The smallest score at which the band is not left: what enters a band keeps it."""
        return min(self.exit_micro, self.entered_from_micro)


class LevelDecision(NamedTuple):
    """The level, and why in words without numbers of the lead."""

    level: str
    reason: str


class LevelTable:
    """Reads levels and grades. ``fit_bands`` and ``engagement_bands`` are best first;
    ``matrix[fit][engagement]``."""

    def __init__(
        self,
        *,
        fit_bands: Sequence[Band],
        engagement_bands: Sequence[Band],
        matrix: Mapping[str, Mapping[str, str]],
        dwell_ms: int,
    ) -> None:
        self.fit_bands = tuple(fit_bands)
        self.engagement_bands = tuple(engagement_bands)
        self.matrix = matrix
        self.dwell_ms = dwell_ms
        self._fit_up = _Ladder(tuple(reversed(fit_bands)), up=True)
        self._fit_down = _Ladder(tuple(reversed(fit_bands)), up=False)
        self._act_up = _Ladder(tuple(reversed(engagement_bands)), up=True)
        self._act_down = _Ladder(tuple(reversed(engagement_bands)), up=False)
        self._ranks = {
            fit: {act: RANK[level] for act, level in row.items()} for fit, row in matrix.items()
        }
        self._reasons = {
            (fit.name, act.name): self._words(fit, act)
            for fit in self.fit_bands
            for act in self.engagement_bands
        }

    @property
    def bands(self) -> tuple[tuple[Band, ...], tuple[Band, ...]]:
        """Fit bands and engagement bands, best first."""
        return self.fit_bands, self.engagement_bands

    def fit_band(self, fit_micro: int) -> str:
        """The fit band by its enter threshold."""
        return self._fit_up.name(fit_micro)

    def engagement_band(self, engagement_micro: int) -> str:
        """The engagement band by its enter threshold."""
        return self._act_up.name(engagement_micro)

    def grade(self, fit_micro: int, engagement_micro: int) -> str:
        """``A1`` (best) .. ``D4``: fit band by engagement band, both by their enter thresholds."""
        return self._fit_up.name(fit_micro) + self._act_up.name(engagement_micro)

    def level_for(
        self, fit_micro: int, engagement_micro: int, current_level: str | None
    ) -> LevelDecision:
        """The level now, given the one the lead has (None: new, cold). Knows no dwell: a level
        below ``current_level`` is what the lead falls to once the dwell has passed."""
        fit, act = self._fit_up.name(fit_micro), self._act_up.name(engagement_micro)
        may_enter = self._ranks[fit][act]
        current = RANK.get(current_level or LEVELS[0], 0)
        if current < may_enter:
            return LevelDecision(LEVELS[may_enter], self._reasons[fit, act])
        if current == may_enter:
            return LevelDecision(LEVELS[current], self._reasons[fit, act])
        kept_fit, kept_act = self._fit_down.name(fit_micro), self._act_down.name(engagement_micro)
        may_keep = self._ranks[kept_fit][kept_act]
        if current <= may_keep:
            return LevelDecision(
                LEVELS[current], f"kept: not below the exit of {kept_fit}{kept_act}"
            )
        return LevelDecision(LEVELS[may_keep], self._reasons[kept_fit, kept_act])

    def exit_below_micro(self, fit_micro: int, level: str) -> int | None:
        """The smallest engagement that still keeps ``level`` at this fit: below it the lead falls.
        None: this fit cannot keep the level whatever the engagement. 0: engagement alone never
        loses it."""
        return self._least(self._fit_down.name(fit_micro), level, up=False)

    def enter_at_micro(self, fit_micro: int, level: str) -> int | None:
        """The smallest engagement that enters ``level`` at this fit, None if none does."""
        return self._least(self._fit_up.name(fit_micro), level, up=True)

    def _least(self, fit: str, level: str, *, up: bool) -> int | None:
        row, rank = self._ranks[fit], RANK[level]
        wanted = [band for band in self.engagement_bands if row[band.name] >= rank]
        return min(
            (band.entered_from_micro if up else band.kept_from_micro for band in wanted),
            default=None,
        )

    def _words(self, fit: Band, act: Band) -> str:
        return (
            f"{fit.name}{act.name}: fit from {points_words(fit.enter_micro)}, "
            f"engagement from {points_words(act.enter_micro)}: {self.matrix[fit.name][act.name]}"
        )


class _Ladder:
    """Finds the band of a number by bisection; ``bands`` is worst first."""

    __slots__ = ("_names", "_thresholds")

    def __init__(self, bands: Sequence[Band], *, up: bool) -> None:
        self._names = tuple(band.name for band in bands)
        self._thresholds = [
            band.entered_from_micro if up else band.kept_from_micro for band in bands[1:]
        ]

    def name(self, points_micro: int) -> str:
        return self._names[bisect_right(self._thresholds, points_micro)]
