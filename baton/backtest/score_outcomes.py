"""Whether the score says what it should: outcomes by band of the score as it was when a lead first
became ready. Pure.

The score is taken at one fixed moment, before anybody touched the lead; an outcome counts within
one window that is the same for all. What would let the future into the score is left out and
counted: leads that staff acted on before, leads that took over a merged one's history, other
versions of the agreement, and those whose window is not over. Raised hands are judged apart: they
qualify whatever the sum.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final

from baton.backtest.auc import Auc, auc_of
from baton.backtest.history import OUTCOMES, STAGES
from baton.contracts import topic_names
from baton.contracts.leads import Stage
from services.insights.figures.calibration import BandFigures, Scored, by_band

DAY_MS: Final = 86_400_000
MICRO: Final = 1_000_000
RIPE_QUANTILE: Final = 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class Qualification:
    """A lead's first qualification; points in millionths."""

    lead_id: str
    at_ms: int
    fit_micro: int
    engagement_micro: int
    grade: str
    hand_raised: bool
    agreement: str


@dataclass(slots=True)
class Ledger:
    """What is known of leads, from public facts in any order."""

    first: dict[str, Qualification] = field(default_factory=dict)
    reached: dict[str, dict[str, int]] = field(default_factory=dict)
    acted: dict[str, int] = field(default_factory=dict)
    took_over: dict[str, int] = field(default_factory=dict)
    held_out: set[str] = field(default_factory=set)

    def take(self, document: Mapping[str, Any]) -> None:
        """One public fact, as ``baton simulate --json`` prints it."""
        value = document.get("value")
        if not isinstance(value, Mapping):
            return
        match document.get("topic"):
            case topic_names.LEADS_QUALIFIED if value["stage"] == Stage.MQL:
                self.qualified(
                    Qualification(
                        lead_id=value["lead_id"],
                        at_ms=int(value["qualified_at_ms"]),
                        fit_micro=int(value["fit_micro"]),
                        engagement_micro=int(value["engagement_micro"]),
                        grade=value["grade"],
                        hand_raised=bool(value["hand_raised"]),
                        agreement=value["agreement"],
                    )
                )
            case topic_names.LEADS_STAGES:
                self.staged(value["lead_id"], value["to_stage"], int(value["occurred_at_ms"]))
            case topic_names.LEADS_ACTS:
                _earliest(self.acted, value["lead_id"], int(value["occurred_at_ms"]))
            case topic_names.LEADS_MERGES:
                _earliest(self.took_over, value["survivor"], int(value["occurred_at_ms"]))
            case topic_names.SCORER_HOLDOUTS:
                self.held_out.add(value["lead_id"])

    def take_all(self, documents: Iterable[Mapping[str, Any]]) -> "Ledger":
        """All of them; gives itself."""
        for document in documents:
            self.take(document)
        return self

    def qualified(self, found: Qualification) -> None:
        """A qualification; the first of a lead counts."""
        known = self.first.get(found.lead_id)
        if known is None or found.at_ms < known.at_ms:
            self.first[found.lead_id] = found

    def staged(self, lead_id: str, to_stage: str, at_ms: int) -> None:
        """A stage that a lead reached."""
        outcome = STAGES.get(to_stage)
        if outcome is not None:
            _earliest(self.reached.setdefault(lead_id, {}), outcome, at_ms)


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """A band of a score in points; ``rate``, its bounds and ``lift`` are None below twenty
    leads."""

    low: float
    high: float
    leads: int
    converted: int
    rate: float | None
    rate_low: float | None
    rate_high: float | None
    lift: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreFigures:
    """One score (``engagement``, ``fit``) by its bands; ``auc`` None: too few to say."""

    score: str
    bands: tuple[Band, ...]
    auc: Auc | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """The result. ``left_out`` by reason. ``grades``: grade -> (leads, converted).
    ``below_threshold``: engagement of the leads of the hold-out, None where there are none."""

    outcome: str
    window_days: int
    window_ms: int
    leads: int
    converted: int
    left_out: dict[str, int]
    scores: tuple[ScoreFigures, ...]
    grades: dict[str, tuple[int, int]]
    raised_hands: tuple[int, int]
    below_threshold: ScoreFigures | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How to judge: which outcome, within ``window_ms`` (None: what nine in ten conversions took),
    seen from ``until_ms``. ``agreement`` None: all versions. ``edges``: of the bands, by score."""

    outcome: str
    until_ms: int
    window_ms: int | None
    agreement: str | None
    edges: Mapping[str, Sequence[float]]


def calibrate(ledger: Ledger, terms: Terms) -> Calibration:
    """The figures of what ``ledger`` knows."""
    kept, left_out, window_ms = ripe_leads(ledger, terms)
    raised = [converted for one, converted in kept if one.hand_raised]
    blind: list[tuple[Qualification, bool]] = []
    judged: list[tuple[Qualification, bool]] = []
    for one, converted in kept:
        if not one.hand_raised:
            (blind if one.lead_id in ledger.held_out else judged).append((one, converted))
    edges = terms.edges["engagement"]
    return Calibration(
        outcome=terms.outcome,
        window_days=round(window_ms / DAY_MS),
        window_ms=window_ms,
        leads=len(judged),
        converted=sum(converted for _, converted in judged),
        left_out=dict(sorted(left_out.items())),
        scores=(
            _figures("engagement", judged, edges),
            _figures("fit", judged, terms.edges["fit"]),
        ),
        grades=_grades(judged),
        raised_hands=(len(raised), sum(raised)),
        below_threshold=_figures("engagement", blind, _below(edges)) if blind else None,
    )


def ripe_leads(
    ledger: Ledger, terms: Terms
) -> tuple[list[tuple[Qualification, bool]], dict[str, int], int]:
    """The leads that can be judged, and whether they converted; how many are left out, by reason;
    and the window, in ms."""
    window_ms = terms.window_ms or ripe_after_ms(ledger, terms.outcome)
    left_out: dict[str, int] = {}
    kept: list[tuple[Qualification, bool]] = []
    for one in sorted(ledger.first.values(), key=lambda found: found.lead_id):
        reason = _left_out(one, ledger, terms, window_ms)
        if reason is not None:
            left_out[reason] = left_out.get(reason, 0) + 1
            continue
        at_ms = outcome_at(ledger, one.lead_id, terms.outcome)
        kept.append((one, at_ms is not None and one.at_ms <= at_ms <= one.at_ms + window_ms))
    return kept, left_out, window_ms


def outcome_at(ledger: Ledger, lead_id: str, outcome: str) -> int | None:
    """When the lead first reached the outcome or one beyond it."""
    reached = ledger.reached.get(lead_id, {})
    beyond = OUTCOMES[OUTCOMES.index(outcome) :]
    return min((reached[name] for name in beyond if name in reached), default=None)


def ripe_after_ms(ledger: Ledger, outcome: str) -> int:
    """The time in which nine in ten of those that convert do so; a quarter where nobody has."""
    took = sorted(
        at_ms - one.at_ms
        for one in ledger.first.values()
        if (at_ms := outcome_at(ledger, one.lead_id, outcome)) is not None and at_ms >= one.at_ms
    )
    if not took:
        return 90 * DAY_MS
    return max(took[min(int(len(took) * RIPE_QUANTILE), len(took) - 1)], DAY_MS)


def _left_out(one: Qualification, ledger: Ledger, terms: Terms, window_ms: int) -> str | None:
    if terms.agreement is not None and one.agreement != terms.agreement:
        return "another version of the agreement"
    if ledger.acted.get(one.lead_id, one.at_ms) < one.at_ms:
        return "staff had acted before"
    if ledger.took_over.get(one.lead_id, one.at_ms) < one.at_ms:
        return "took over a merged lead"
    if one.at_ms + window_ms > terms.until_ms:
        return "its window is not over"
    return None


def _below(edges: Sequence[float]) -> list[float]:
    """The bands below the threshold: what lies between two edges is halved, since the lowest band
    is all there is in most agreements."""
    found = set(edges)
    found.update((low + high) / 2 for low, high in pairwise(edges))
    return sorted(found)


def _figures(
    score: str, judged: Sequence[tuple[Qualification, bool]], edges: Sequence[float]
) -> ScoreFigures:
    points = [
        ((one.engagement_micro if score == "engagement" else one.fit_micro) / MICRO, converted)
        for one, converted in judged
    ]
    values = [value for value, _ in points]
    bottom, top = min([edges[0], *values]), max([edges[-1] + 1, *values])
    scored = [Scored(score=value, converted=yes) for value, yes in points]
    found = by_band(scored, [bottom, *edges[1:], top])
    return ScoreFigures(score=score, bands=tuple(_band(band) for band in found), auc=auc_of(points))


def _band(found: BandFigures) -> Band:
    share = found.share
    return Band(
        low=found.low,
        high=found.high,
        leads=share.total,
        converted=share.count,
        rate=share.rate if share.shown else None,
        rate_low=share.low if share.shown else None,
        rate_high=share.high if share.shown else None,
        lift=found.lift if share.shown else None,
    )


def _grades(judged: Iterable[tuple[Qualification, bool]]) -> dict[str, tuple[int, int]]:
    found: dict[str, tuple[int, int]] = {}
    for one, converted in judged:
        leads, yes = found.get(one.grade, (0, 0))
        found[one.grade] = (leads + 1, yes + converted)
    return dict(sorted(found.items()))


def _earliest(found: dict[str, int], name: str, at_ms: int) -> None:
    found[name] = min(at_ms, found.get(name, at_ms))
