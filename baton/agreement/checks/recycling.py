"""Recycling: every reason people use is there, and each way back makes sense."""

from collections.abc import Iterator

from baton.agreement.checks.context import CheckContext, Finding, odd, quoted, wrong
from baton.agreement.model.recycling import Outcome
from baton.agreement.quantities import duration_words

COMES_BACK = (
    "not_ready",
    "no_budget",
    "no_authority",
    "no_need_now",
    "no_response",
    "in_contract",
    "lost_to_competitor",
    "lost_other",
    "sla_expired",
    "rejected_by_sales",
)
STAYS_AWAY = (
    "bad_data",
    "not_icp",
    "competitor",
    "student",
    "duplicate",
    "existing_customer",
    "consent_withdrawn",
)


def check(context: CheckContext) -> Iterator[Finding]:
    """Reasons and tracks."""
    model = context.model.recycling
    missing = [outcome for outcome in (*COMES_BACK, *STAYS_AWAY) if outcome not in model.reasons]
    if missing:
        message = (
            f"usual reasons are not listed: {quoted(missing)}; a tool that sends one is refused"
        )
        yield odd(("recycling", "reasons"), message)
    for name, reason in model.reasons.items():
        path = ("recycling", "reasons", name)
        after = reason.comes_back.after_ms if reason.comes_back else None
        if after is not None and reason.cool_off > after:
            yield odd(
                (*path, "cool_off"),
                f'"{name}" comes back after {duration_words(after)}, but cools off for '
                f"{duration_words(reason.cool_off)}: the later counts",
            )
        if name in STAYS_AWAY and reason.outcome is Outcome.RECYCLE:
            yield odd((*path, "outcome"), f'"{name}" usually means not to come back (disqualify)')
    fallback = model.reasons.get(model.fallback)
    if fallback is not None and fallback.outcome is not Outcome.RECYCLE:
        yield wrong(
            ("recycling", "fallback"),
            f'"{model.fallback}" does not recycle: an unknown reason must not lose a lead',
        )
    used = {reason.track for reason in model.reasons.values()} | {model.long_term.track}
    for name in model.tracks:
        if name not in used:
            yield odd(("recycling", "tracks", name), f'no reason leads to track "{name}"')
