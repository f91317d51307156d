"""Champion against challenger: which share of what each arm handed over reached the outcome. Pure.

Rates and not volumes, since both arms share the same people. One verdict, once: at the fixed end
and when every outcome had its time; before that only counts are shown, for whoever looks often
finds a difference by chance in the end. Where the arms are not as large as they should be, there is
no verdict: something chose among the leads. Arms are drawn by account, so accounts are what is
counted for that, and intervals are those of account totals.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from math import ceil, sqrt
from typing import Any, Final

from baton.agreement.challengers import PPM, Challenge
from baton.backtest.arm_sizes import is_unlikely
from baton.backtest.clustered import AccountTotals, Difference, difference
from baton.backtest.history import OUTCOMES, STAGES
from baton.contracts import topic_names
from baton.contracts.leads import Stage
from services.insights.figures.wilson_interval import FEWEST_FOR_A_RATE, Z_95

Z_POWER_80: Final = 0.8416


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
    accounts: dict[str, tuple[int, str]] = field(default_factory=dict)

    def take(self, document: Mapping[str, Any]) -> None:
        """One public fact, as ``baton simulate --json`` prints it."""
        value = document.get("value")
        if not isinstance(value, Mapping):
            return
        match document.get("topic"):
            case topic_names.LEADS_SCORED:
                self._arm(self.scored, value, int(value["scored_at_ms"]), latest=True)
            case topic_names.LEADS_QUALIFIED if value["stage"] == Stage.MQL:
                self._arm(self.first, value, int(value["qualified_at_ms"]), latest=False)
                self._account(value, (value.get("story") or {}).get("account_id"))
            case topic_names.LEADS_ACCEPTED:
                self._account(value, (value.get("profile") or {}).get("domain"))
            case topic_names.LEADS_STAGES if value["to_stage"] in STAGES:
                outcome = STAGES[value["to_stage"]]
                at = self.reached.setdefault(value["lead_id"], {})
                at_ms = int(value["occurred_at_ms"])
                at[outcome] = min(at_ms, at.get(outcome, at_ms))

    def _account(self, value: Mapping[str, Any], account: str | None) -> None:
        """The latest account of a lead counts."""
        at_ms = int(value.get("received_at_ms") or value.get("qualified_at_ms") or 0)
        if account and at_ms >= self.accounts.get(value["lead_id"], (0, ""))[0]:
            self.accounts[value["lead_id"]] = at_ms, account

    def account_of(self, lead_id: str) -> str:
        """The account of a lead; itself where it has none."""
        return self.accounts.get(lead_id, (0, lead_id))[1]

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
    """``scored`` leads of ``accounts`` accounts were scored by it, ``handed`` were handed over;
    ``rate`` and its bounds are None before the verdict, or below twenty accounts."""

    version: str
    scored: int
    accounts: int
    handed: int
    reached: int | None
    rate: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """``more``: so many further leads an arm would be needed to see a difference of ``detect``;
    ``difference`` is challenger less champion, with the bounds of its 95 % interval.
    ``design_effect``: so many leads of the champion say as much as one independent one."""

    finding: Finding
    outcome: str
    window_ms: int
    verdict_at_ms: int
    champion: Arm
    challenger: Arm
    detect: float
    more: int
    design_effect: float
    difference: float | None = None
    low: float | None = None
    high: float | None = None


def verdict(
    ledger: ArmLedger, *, outcome: str, window_ms: int, now_ms: int, detect: float = 0.05
) -> Verdict:
    """What can be said at ``now_ms`` of an outcome within ``window_ms`` of being handed over."""
    at_ms = ledger.challenge.until_ms + window_ms
    versions = (ledger.champion, ledger.challenge.version)
    arms = [_totals(ledger, version, outcome, window_ms) for version in versions]
    scored = [
        [lead_id for lead_id, (_, arm) in ledger.scored.items() if arm == version]
        for version in versions
    ]
    sizes = [len({ledger.account_of(lead_id) for lead_id in leads}) for leads in scored]
    ended = now_ms >= at_ms
    shown = [
        _arm(version, len(leads), size, totals, shown=ended)
        for version, leads, size, totals in zip(versions, scored, sizes, arms, strict=True)
    ]
    effect = arms[0].design_effect if arms[0].handed else 1.0
    enough = ceil(needed((arms[0].handed, arms[0].reached), detect) * effect)
    finding, found = Finding.NOT_YET, None
    if ended:
        finding, found = _judged(ledger.challenge, sizes, arms)
    return Verdict(
        finding=finding,
        outcome=outcome,
        window_ms=window_ms,
        verdict_at_ms=at_ms,
        champion=shown[0],
        challenger=shown[1],
        detect=detect,
        more=max(enough - min(totals.handed for totals in arms), 0),
        design_effect=effect,
        difference=None if found is None else found[0],
        low=None if found is None else found[1],
        high=None if found is None else found[2],
    )


Count = tuple[int, int]
"""Handed over, and how many of those reached the outcome."""


def _judged(
    challenge: Challenge, sizes: list[int], arms: list[AccountTotals]
) -> tuple[Finding, Difference | None]:
    if unequal(sizes[0], sizes[1], challenge.share_ppm):
        return Finding.UNEQUAL, None
    if min(len(totals.totals) for totals in arms) < FEWEST_FOR_A_RATE:
        return Finding.TOO_FEW, None
    found = difference(arms[1], arms[0])
    if found[1] > 0:
        return Finding.CHALLENGER, found
    if found[2] < 0:
        return Finding.CHAMPION, found
    return Finding.NONE, found


def _totals(ledger: ArmLedger, version: str, outcome: str, window_ms: int) -> AccountTotals:
    beyond = OUTCOMES[OUTCOMES.index(outcome) :]
    found: dict[str, Count] = {}
    for lead_id, (at_ms, arm) in ledger.first.items():
        if arm == version:
            times = ledger.reached.get(lead_id, {})
            yes = any(at_ms <= times[name] <= at_ms + window_ms for name in beyond if name in times)
            account = ledger.account_of(lead_id)
            handed, reached = found.get(account, (0, 0))
            found[account] = handed + 1, reached + yes
    return AccountTotals(list(found.values()))


def _arm(version: str, scored: int, accounts: int, totals: AccountTotals, *, shown: bool) -> Arm:
    firm = shown and len(totals.totals) >= FEWEST_FOR_A_RATE
    low, high = totals.bounds if firm else (None, None)
    return Arm(
        version=version,
        scored=scored,
        accounts=accounts,
        handed=totals.handed,
        reached=totals.reached if shown else None,
        rate=totals.rate if firm else None,
        low=low,
        high=high,
    )


def unequal(champion: int, challenger: int, share_ppm: int) -> bool:
    """Whether the sizes of the arms, in accounts, are further from the agreed share than chance
    allows."""
    return is_unlikely(challenger, champion + challenger, share_ppm / PPM)


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
