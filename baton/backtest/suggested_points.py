"""Points that outcomes would suggest, as a proposal and never more. Needs scikit-learn (the extra
``baton[calibrate]``).

A logistic regression on what each lead had when its score alone made it ready, drawn to the
agreement's own points: the whole score is free, and the deviations of single points are penalised,
as strongly as cross-validation finds best. Outcomes say points up to a common factor only; it is
taken so that the middle one of the points stays as agreed. Intervals are of the bootstrap, and not
drawn to the agreement. A point is suggested only where at least twenty of the leads that had it
converted and the interval excludes what is agreed. Its sign stays, and it is rounded to the
agreement's steps.

What nobody was handed has no outcome, so nothing is said of leads below the threshold, and among
those above it single points look weaker than they are.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import gcd
from typing import Any, Final

from baton.agreement.compiled.agreement import CompiledAgreement
from baton.backtest.score_outcomes import MICRO, Ledger, Terms, ripe_leads
from baton.contracts import topic_names
from baton.contracts.leads import Stage

FEWEST_CONVERSIONS: Final = 20
BOOTSTRAPS: Final = 200
_HALF_A_POINT: Final = MICRO // 2
_FREE: Final = 100.0
"""The whole score is scaled up by this, so that the penalty hardly touches it."""
_HARDLY_PENALISED: Final = 30.0
_PENALTIES: Final = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
_FOLDS: Final = 5

Point = tuple[str, str]
"""``fit`` or ``engagement``, and the name of the criterion or the act."""


class NeedsExtra(RuntimeError):
    """scikit-learn is not installed; the text says how to."""


@dataclass(slots=True)
class Traits:
    """By lead, what it had at its first qualification, from public facts in any order: 1 for a
    criterion that is met, and for an act the sum of what is left of each after its decay."""

    agreement: CompiledAgreement
    at_ms: dict[str, int] = field(default_factory=dict)
    of: dict[str, dict[Point, float]] = field(default_factory=dict)

    def take(self, document: Mapping[str, Any]) -> None:
        """One public fact, as ``baton simulate --json`` prints it."""
        value = document.get("value")
        if document.get("topic") != topic_names.LEADS_QUALIFIED or not isinstance(value, Mapping):
            return
        if value["stage"] != Stage.MQL or "story" not in value:
            return
        lead_id, at_ms = value["lead_id"], int(value["qualified_at_ms"])
        if at_ms < self.at_ms.get(lead_id, at_ms + 1):
            self.at_ms[lead_id] = at_ms
            self.of[lead_id] = self._traits(value["story"])

    def _traits(self, story: Mapping[str, Any]) -> dict[Point, float]:
        found: dict[Point, float] = {}
        points = points_of(self.agreement)
        for one in story["criteria"]:
            if one["outcome"] == "met" and ("fit", one["name"]) in points:
                found["fit", one["name"]] = 1.0
        for one in story["why_now"]:
            point = ("engagement", one["name"])
            # other points for a stage or a topic are the exception's, which is not judged
            if (
                one["kind"] == "act"
                and one["base_micro"]
                and one["base_micro"] == points.get(point)
            ):
                left = one["points_micro"] / one["base_micro"]
                found[point] = found.get(point, 0.0) + left
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class SuggestedPoint:
    """``agreed`` points, what the outcomes say with a 95 % interval, and ``suggested``: None where
    the agreed ones stay, with the reason."""

    section: str
    name: str
    conversions: int
    agreed: float
    found: float
    low: float
    high: float
    suggested: float | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """``why_not``: nothing can be said at all."""

    leads: int
    converted: int
    points: tuple[SuggestedPoint, ...]
    why_not: str | None = None

    @property
    def changed(self) -> dict[Point, float]:
        """What is suggested."""
        return {
            (one.section, one.name): one.suggested
            for one in self.points
            if one.suggested is not None
        }


def points_of(agreement: CompiledAgreement) -> dict[Point, int]:
    """The agreed points of criteria and acts, in millionths; those without points are left out."""
    raw = agreement.raw
    found = {("fit", name): one.points for name, one in raw.fit.items()}
    found |= {("engagement", name): one.points for name, one in raw.engagement.acts.items()}
    return {point: micro for point, micro in found.items() if micro}


def suggest(traits: Traits, ledger: Ledger, terms: Terms) -> Suggestion:
    """What the outcomes of ``ledger`` suggest for the agreement of ``traits``. The same facts give
    the same."""
    kept, _, _ = ripe_leads(ledger, terms)
    judged = [
        (traits.of[one.lead_id], converted)
        for one, converted in kept
        if not one.hand_raised and one.lead_id in traits.of and one.lead_id not in ledger.held_out
    ]
    converted = sum(yes for _, yes in judged)
    few = min(converted, len(judged) - converted)
    if few < FEWEST_CONVERSIONS:
        return Suggestion(
            leads=len(judged),
            converted=converted,
            points=(),
            why_not=(
                f"{converted} of {len(judged)} leads converted: of either kind at least "
                f"{FEWEST_CONVERSIONS} are needed to say anything"
            ),
        )
    return _suggested(traits.agreement, judged, converted)


def _suggested(
    agreement: CompiledAgreement,
    judged: Sequence[tuple[Mapping[Point, float], bool]],
    converted: int,
) -> Suggestion:
    points = points_of(agreement)
    conversions = {
        point: sum(yes and point in traits for traits, yes in judged) for point in points
    }
    names = [point for point in points if conversions[point] >= FEWEST_CONVERSIONS]
    found = _Regression(points, names, judged).points()
    if found is None:
        why = "the score as a whole does not say who converts, so its points cannot be weighed"
        return Suggestion(leads=len(judged), converted=converted, points=(), why_not=why)
    steps = {section: _step(points, section) for section in ("fit", "engagement")}
    return Suggestion(
        leads=len(judged),
        converted=converted,
        points=tuple(
            _point(point, points[point] / MICRO, conversions[point], interval, steps[point[0]])
            for point, interval in found.items()
        ),
    )


def _point(
    point: Point, agreed: float, conversions: int, found: tuple[float, float, float], step: float
) -> SuggestedPoint:
    value, low, high = found
    suggested, reason = None, "the interval has the agreed points in it"
    if not low <= agreed <= high:
        rounded = round(value / step) * step
        kept = max(rounded, 0.0) if agreed > 0 else min(rounded, 0.0)
        if kept == agreed:
            reason = "the difference is less than a step"
        else:
            suggested, reason = kept, ""
    return SuggestedPoint(
        section=point[0],
        name=point[1],
        conversions=conversions,
        agreed=agreed,
        found=value,
        low=low,
        high=high,
        suggested=suggested,
        reason=reason,
    )


def _step(points: Mapping[Point, int], section: str) -> float:
    """The step in which the section's points go: their greatest common divisor, at least half a
    point."""
    step = gcd(*(abs(micro) for (own, _), micro in points.items() if own == section), 0)
    return max(step, _HALF_A_POINT) / MICRO


class _Regression:
    """The regression of one set of leads: the whole score, and the deviations of ``names``."""

    def __init__(
        self,
        points: Mapping[Point, int],
        names: Sequence[Point],
        judged: Sequence[tuple[Mapping[Point, float], bool]],
    ) -> None:
        self._numpy, self._linear, self._selection = _libraries()
        numpy = self._numpy
        self._names = names
        self._agreed = numpy.array([points[name] / MICRO for name in names])
        score = [
            sum(points[name] / MICRO * value for name, value in traits.items())
            for traits, _ in judged
        ]
        own = [[traits.get(name, 0.0) for name in names] for traits, _ in judged]
        self._x = numpy.column_stack([numpy.array(score) * _FREE, numpy.array(own)])
        self._y = numpy.array([yes for _, yes in judged])

    def points(self) -> dict[Point, tuple[float, float, float]] | None:
        """Points and their bounds; None where the whole score says nothing."""
        numpy = self._numpy
        strength = self._strength()
        value = self._fitted(self._x, self._y, strength)
        if value is None:
            return None
        random = numpy.random.default_rng(0)
        drawn = []
        for _ in range(BOOTSTRAPS):
            rows = random.integers(0, len(self._y), len(self._y))
            found = self._fitted(self._x[rows], self._y[rows], _HARDLY_PENALISED)
            if found is not None:
                drawn.append(found)
        if len(drawn) < BOOTSTRAPS * 0.95:
            return None
        low, high = numpy.percentile(numpy.array(drawn), [2.5, 97.5], axis=0)
        value = numpy.clip(value, low, high)
        return {
            name: (float(value[at]), float(low[at]), float(high[at]))
            for at, name in enumerate(self._names)
        }

    def _strength(self) -> float:
        """The penalty that foretells best what was left out."""
        folds = self._selection.StratifiedKFold(_FOLDS, shuffle=True, random_state=0)
        scored = []
        for strength in _PENALTIES:
            model = self._model(strength)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                losses = self._selection.cross_val_score(
                    model, self._x, self._y, cv=folds, scoring="neg_log_loss"
                )
            scored.append((float(losses.mean()), -strength))
        return -max(scored)[1]

    def _model(self, strength: float) -> Any:
        """Newton's method with the exact Hessian: a handful of steps, whatever the scales."""
        return self._linear.LogisticRegression(C=strength, solver="newton-cholesky", max_iter=200)

    def _fitted(self, x: Any, y: Any, strength: float) -> Any:
        if len(set(y.tolist())) < 2:
            return None
        model = self._model(strength)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.fit(x, y)
        whole, *own = model.coef_[0]
        worth = self._agreed * whole * _FREE + self._numpy.array(own)
        factor = float(self._numpy.median(worth / self._agreed))
        return worth / factor if factor > 0 else None


def _libraries() -> tuple[Any, Any, Any]:
    try:
        import numpy
        from sklearn import linear_model, model_selection
    except ImportError:
        raise NeedsExtra(
            "suggestions need scikit-learn: install Baton with the extra baton[calibrate]"
        ) from None
    return numpy, linear_model, model_selection
