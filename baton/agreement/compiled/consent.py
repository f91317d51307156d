"""The compiled section ``consent``: whether a lead may be called or nurtured. Consent is by purpose
and channel."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from baton.agreement.condition_context import ANY_CHANNEL, GRANTED, REFUSED, consent_key


class ConsentDecision(NamedTuple):
    """Whether contact is allowed, and why in words."""

    allowed: bool
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentRule:
    """What one kind of contact needs.

    ``opt_in``: an explicit grant for one of ``channels``; otherwise no refusal of all of them.
    ``hand_raise_allows``: who asked for a contact is contacted, whatever was refused before.
    """

    purpose: str
    channels: tuple[str, ...]
    opt_in: bool
    hand_raise_allows: bool

    def decide(self, consents: Mapping[str, str], *, hand_raised: bool = False) -> ConsentDecision:
        """``consents`` as in :attr:`Facts.consents`."""
        if hand_raised and self.hand_raise_allows:
            return ConsentDecision(True, "asked for it")
        overall = consents.get(consent_key(self.purpose, ANY_CHANNEL))
        said = [
            consents.get(consent_key(self.purpose, channel), overall) for channel in self.channels
        ]
        if GRANTED in said:
            return ConsentDecision(True, f"consent for {self.purpose}")
        if all(consent == REFUSED for consent in said):
            return ConsentDecision(False, f"{self.purpose} refused")
        if self.opt_in:
            return ConsentDecision(False, f"no consent for {self.purpose}")
        return ConsentDecision(True, f"{self.purpose} not refused")


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentRules:
    """``hand_off``: before a lead is handed to a person. ``nurture``: before a track sends
    anything."""

    hand_off: ConsentRule
    nurture: ConsentRule
