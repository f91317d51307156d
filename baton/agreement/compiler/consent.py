"""Compiles the section ``consent``."""

from baton.agreement.compiled.consent import ConsentRule, ConsentRules
from baton.agreement.model.consent import Basis, ConsentModel, ConsentsModel


def compile_consent(model: ConsentsModel) -> ConsentRules:
    """What contact by a person, and what nurture needs."""
    return ConsentRules(hand_off=_consent(model.hand_off), nurture=_consent(model.nurture))


def _consent(model: ConsentModel) -> ConsentRule:
    return ConsentRule(
        purpose=model.purpose,
        channels=model.channels,
        opt_in=model.basis is Basis.OPT_IN,
        hand_raise_allows=model.hand_raise_allows,
    )
