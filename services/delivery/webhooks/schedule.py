"""When a delivery is tried again, when it is given up, and when a target is disabled. Pure.

The schedule is that of the Standard Webhooks specification: ten attempts over 75 hours and a half.
A target is disabled by 410, or after failures that are many and last long: neither a burst of
errors nor one lonely failure a week ago is enough.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Final

SECOND_MS: Final = 1_000
_MINUTE, _HOUR = 60 * SECOND_MS, 3_600 * SECOND_MS
SCHEDULE_MS: Final = (
    5 * SECOND_MS,
    5 * _MINUTE,
    30 * _MINUTE,
    2 * _HOUR,
    5 * _HOUR,
    10 * _HOUR,
    14 * _HOUR,
    20 * _HOUR,
    24 * _HOUR,
)
"""What to wait after the first attempt, the second one, and so on."""
MAX_RETRY_AFTER_MS: Final = _HOUR
DISABLE_AFTER_MS: Final = 5 * 24 * _HOUR
DISABLE_AFTER_FAILURES: Final = 20
CAREFUL_AFTER_FAILURES: Final = 5
GONE: Final = 410
_SLOW_DOWN: Final = frozenset({429, 502, 503, 504})
_JITTER: Final = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of an attempt. ``status`` None: there was no answer, or it is no HTTP. ``final``:
    trying again is of no use. ``held``: nothing was tried; it is due again at ``held_until_ms``.
    ``words`` never have personal data or the answer's body."""

    ok: bool
    words: str
    status: int | None = None
    retry_after_ms: int | None = None
    final: bool = False
    held_until_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How a target is: failures in a row, since when, and when it may be called again."""

    failures: int = 0
    failing_since_ms: int | None = None
    not_before_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Next:
    """What becomes of the delivery, and why its target is disabled, if it is."""

    state: str
    at_ms: int = 0
    disable: str | None = None


def next_of(
    delivery_id: str, attempts: int, outcome: Outcome, health: Health, now_ms: int
) -> tuple[Next, Health]:
    """``attempts``: those before this one; ``health``: the target's before this one."""
    if outcome.held_until_ms is not None:
        return Next(state="waiting", at_ms=outcome.held_until_ms), health
    if outcome.ok:
        return Next(state="sent"), Health(not_before_ms=health.not_before_ms)
    after = _worse(health, outcome, now_ms)
    disable = _disable(outcome, after, now_ms)
    if outcome.status == GONE:
        return Next(state="waiting", at_ms=now_ms, disable=disable), after
    if outcome.final or attempts >= len(SCHEDULE_MS):
        return Next(state="dead", disable=disable), after
    wait = max(_jittered(SCHEDULE_MS[attempts], delivery_id, attempts), _asked(outcome))
    return Next(state="waiting", at_ms=now_ms + wait, disable=disable), after


def _worse(health: Health, outcome: Outcome, now_ms: int) -> Health:
    since = health.failing_since_ms if health.failing_since_ms is not None else now_ms
    after = replace(health, failures=health.failures + 1, failing_since_ms=since)
    if outcome.status in _SLOW_DOWN:
        pause = max(_asked(outcome), SECOND_MS)
        return replace(after, not_before_ms=max(after.not_before_ms, now_ms + pause))
    return after


def _asked(outcome: Outcome) -> int:
    return min(max(outcome.retry_after_ms or 0, 0), MAX_RETRY_AFTER_MS)


def _disable(outcome: Outcome, health: Health, now_ms: int) -> str | None:
    if outcome.status == GONE:
        return "it answered 410 Gone"
    lasted = now_ms - (health.failing_since_ms if health.failing_since_ms is not None else now_ms)
    if health.failures >= DISABLE_AFTER_FAILURES and lasted >= DISABLE_AFTER_MS:
        return f"{health.failures} attempts in a row failed over {lasted // (24 * _HOUR)} days"
    return None


def _jittered(wait_ms: int, delivery_id: str, attempts: int) -> int:
    """Up to a tenth more, by the delivery's id: many that failed at once do not come back at
    once."""
    digest = blake2b(f"{delivery_id} {attempts}".encode(), digest_size=2).digest()
    return wait_ms + int(wait_ms * _JITTER * int.from_bytes(digest, "big") / 65_535)


def slots(parallel: int, health: Health, now_ms: int) -> int:
    """How many requests the target may have in flight now: one while it keeps failing."""
    if health.not_before_ms > now_ms:
        return 0
    return 1 if health.failures >= CAREFUL_AFTER_FAILURES else parallel
