"""What a lead allows: the newest explicit act for each purpose and channel.

An act for ``any`` channel is about all of them: it stands for each channel whose own act is older,
and of the same moment the refusal does.
"""

from __future__ import annotations

from baton.agreement.condition_context import ANY_CHANNEL, GRANTED, REFUSED, consent_key
from services.scorer.lead.state import CONSENT, ConsentAct
from services.scorer.lead.step import LeadStep


def consents_of(step: LeadStep) -> dict[str, str]:
    """``purpose/channel`` to ``granted`` or ``refused``."""
    return consents_from([act for _, act in step.items(CONSENT)])


def consents_from(acts: list[ConsentAct]) -> dict[str, str]:
    """The same of the newest acts by purpose and channel."""
    overall = {act.purpose: act for act in acts if act.channel == ANY_CHANNEL}
    newest = {
        consent_key(act.purpose, act.channel): max(act, overall.get(act.purpose, act), key=_newer)
        for act in acts
    }
    return {key: GRANTED if item.granted else REFUSED for key, item in newest.items()}


def _newer(consent_act: ConsentAct) -> tuple[int, bool, str]:
    return consent_act.at_ms, not consent_act.granted, consent_act.event_id
