"""A live shadow beside another tool that still routes the leads: whom the tool gave them to, as its
latest export says, and what the shadow decided since it began. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from baton.agreement.compiled.agreement import CompiledAgreement
from baton.backtest.cycle_keys import is_later
from baton.backtest.live_shadow import Shadow
from baton.backtest.shadow_decisions import Handed, ShadowReport, against_tool


def beside_tool(
    shadow: Shadow, agreement: CompiledAgreement, handed: Sequence[Handed]
) -> ShadowReport:
    """The shadow's decisions beside the tool's, from its beginning to its last round. Who was
    handed over by either before is left out, and of assignments without a moment those of leads
    that the shadow did not hand over: they may be older than it."""
    until_ms = shadow.until_ms or shadow.from_ms
    early = {key for key, one in shadow.decided.items() if one.at_ms < shadow.from_ms}
    early |= {one.lead_id for one in handed if one.at_ms and one.at_ms < shadow.from_ms}
    own = {
        key: one for key, one in shadow.decided.items() if key not in early and not is_later(key)
    }
    since = [
        one
        for one in handed
        if one.lead_id not in early
        and (one.lead_id in own if one.at_ms is None else one.at_ms < until_ms)
    ]
    return against_tool(shadow.leads, agreement, own, since)
