"""Section ``fit``: what a profile is worth."""

from baton.agreement.model.base import Label, Points, Section
from baton.agreement.model.condition import ConditionModel


class CriterionModel(Section):
    """One criterion of the ideal customer."""

    points: Points
    when: ConditionModel
    """The profile only: fit never decays."""


FitModel = dict[Label, CriterionModel]
