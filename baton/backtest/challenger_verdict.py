"""Champion against challenger: which share of what each arm handed over reached the outcome. Pure.

Rates and not volumes, since both arms share the same people. One verdict, once: at the fixed end
and when every outcome had its time; before that only counts are shown, for whoever looks often
finds a difference by chance in the end. Where the arms are not as large as they should be, there is
no verdict: something chose among the leads.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from math import ceil, sqrt
from typing import Any, Final

from baton.agreement.challengers import PPM, Challenge
from baton.backtest.history import OUTCOMES, STAGES
from services.insights.figures.intervals import FEWEST_FOR_A_RATE, Z_95, wilson

Z_POWER_80: Final = 0.8416
UNLIKELY_RATIO: Final = 10.83
"""Chi-square of one degree of freedom that chance exceeds once in a thousand times."""


class Finding(StrEnum):
    """What can be said."""

    NOT_YET = "not yet"
    UNEQUAL = "the arms are not of the agreed sizes"
    TOO_FEW = "too few"
    NONE = "no difference found"
    CHALLENGER = "the challenger is better"
    CHAMPION = "the champion is better"


@dataclass(slots=True)
class ArmLedger:
    """What is known of leads during a challenge, from public facts in any order."""

    challenge: Challenge
    champion: str
    scored: dict[str, tuple[int, str]] = field(default_factory=dict)
    first: dict[str, tuple[int, str]] = field(default_factory=dict)
    reached: dict[str, dict[str, int]] = field(default_factory=dict)

    def take(self, document: Mapping[str, Any]) -> None:
        """One public fact, as ``baton simulate --json`` prints it."""
        value = document.get("value")
        if not isinstance(value, Mapping):
            return
        match document.get("topic"):
            case "leads.scored.v1":
                self._arm(self.scored, value, int(value["scored_at_ms"]), latest=True)
            case "leads.qualified.v1" if value["stage"] == "mql":
                self._arm(self.first, value, int(value["qualified_at_ms"]), latest=False)
            case "leads.stages.v1" if value["to_stage"] in STAGES:
                outcome = STAGES[value["to_stage"]]
                at = self.reached.setdefault(value["lead_id"], {})
                at_ms = int(value["occurred_at_ms"])
                at[outcome] = min(at_ms, at.get(outcome, at_ms))

    def _arm(
        self,
        found: dict[str, tuple[int, str]],
        value: Mapping[str, Any],
        at_ms: int,
        *,
        latest: bool,
    ) -> None:
        one = self.challenge
        if not one.from_ms <= at_ms < one.until_ms:
            return
        if value["agreement"] not in (self.champion, one.version):
            return
        known = found.get(value["lead_id"])
        if known is None or (at_ms > known[0]) == latest:
            found[value["lead_id"]] = at_ms, value["agreement"]

    def take_all(self, documents: Iterable[Mapping[str, Any]]) -> ArmLedger:
        """All of them; gives itself."""
        for document in documents:
            self.take(document)
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """``scored`` leads were scored by it, ``handed`` were handed over; ``rate`` and its bounds are
    None before the verdict, or below twenty."""

    version: str
    scored: int
    handed: int
    reached: int | None
    rate: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """``more``: so many further leads an arm would be needed to see a difference of ``detect``;
    ``difference`` is challenger less champion, with the bounds of Newcombe's interval (1998, method
    10), 95 %."""

    finding: Finding
    outcome: str
    window_ms: int
    verdict_at_ms: int
    champion: Arm
    challenger: Arm
    detect: float
    more: int
    difference: float | None = None
    low: float | None = None
    high: float | None = None


def verdict(
    ledger: ArmLedger, *, outcome: str, window_ms: int, now_ms: int, detect: float = 0.05
) -> Verdict:
    """What can be said at ``now_ms`` of an outcome within ``window_ms`` of being handed over."""
    at_ms = ledger.challenge.until_ms + window_ms
    versions = (ledger.champion, ledger.challenge.version)
    counts = [_counts(ledger, version, outcome, window_ms) for version in versions]
    sizes = [sum(arm == version for _, arm in ledger.scored.values()) for version in versions]
    ended = now_ms >= at_ms
    arms = [
        _arm(version, size, handed, reached, shown=ended)
        for version, size, (handed, reached) in zip(versions, sizes, counts, strict=True)
    ]
    more = max(needed(counts[0], detect) - min(handed for handed, _ in counts), 0)
    finding, difference = Finding.NOT_YET, None
    if ended:
        finding, difference = _judged(ledger.challenge, sizes, counts)
    return Verdict(
        finding=finding,
        outcome=outcome,
        window_ms=window_ms,
        verdict_at_ms=at_ms,
        champion=arms[0],
        challenger=arms[1],
        detect=detect,
        more=more,
        difference=None if difference is None else difference[0],
        low=None if difference is None else difference[1],
        high=None if difference is None else difference[2],
    )


Count = tuple[int, int]
"""Handed over, and how many of those reached the outcome."""
Difference = tuple[float, float, float]


def _judged(
    challenge: Challenge, sizes: list[int], counts: list[Count]
) -> tuple[Finding, Difference | None]:
    if unequal(sizes[0], sizes[1], challenge.share_ppm):
        return Finding.UNEQUAL, None
    if min(handed for handed, _ in counts) < FEWEST_FOR_A_RATE:
        return Finding.TOO_FEW, None
    found = newcombe(counts[1], counts[0])
    if found[1] > 0:
        return Finding.CHALLENGER, found
    if found[2] < 0:
        return Finding.CHAMPION, found
    return Finding.NONE, found


def _counts(ledger: ArmLedger, version: str, outcome: str, window_ms: int) -> Count:
    beyond = OUTCOMES[OUTCOMES.index(outcome) :]
    handed = reached = 0
    for lead_id, (at_ms, arm) in ledger.first.items():
        if arm == version:
            handed += 1
            times = ledger.reached.get(lead_id, {})
            reached += any(
                at_ms <= times[name] <= at_ms + window_ms for name in beyond if name in times
            )
    return handed, reached


def _arm(version: str, scored: int, handed: int, reached: int, *, shown: bool) -> Arm:
    firm = shown and handed >= FEWEST_FOR_A_RATE
    low, high = wilson(reached, handed)
    return Arm(
        version=version,
        scored=scored,
        handed=handed,
        reached=reached if shown else None,
        rate=reached / handed if firm else None,
        low=low if firm else None,
        high=high if firm else None,
    )


def newcombe(one: Count, other: Count) -> Difference:
    """The difference of two shares, and its 95 % interval from the two Wilson intervals."""
    first, second = one[1] / one[0], other[1] / other[0]
    (low_1, high_1), (low_2, high_2) = wilson(one[1], one[0]), wilson(other[1], other[0])
    difference = first - second
    low = difference - sqrt((first - low_1) ** 2 + (high_2 - second) ** 2)
    high = difference + sqrt((high_1 - first) ** 2 + (second - low_2) ** 2)
    return difference, low, high


def unequal(champion: int, challenger: int, share_ppm: int) -> bool:
    """Whether the sizes of the arms are further from the agreed share than chance allows."""
    total, share = champion + challenger, share_ppm / PPM
    if not total:
        return False
    wanted = total * share
    return (challenger - wanted) ** 2 / (wanted * (1 - share)) > UNLIKELY_RATIO


def needed(champion: Count, detect: float) -> int:
    """Leads an arm with which a difference of ``detect`` is found in four of five cases, at 95 %
    confidence. Where nothing is known of the rate it is taken for a half, the worst."""
    handed, reached = champion
    first = reached / handed if handed >= FEWEST_FOR_A_RATE else 0.5
    second = min(first + detect, 1.0)
    mean = (first + second) / 2
    spread = Z_95 * sqrt(2 * mean * (1 - mean)) + Z_POWER_80 * sqrt(
        first * (1 - first) + second * (1 - second)
    )
    return ceil(spread**2 / (second - first) ** 2) if second > first else 0
