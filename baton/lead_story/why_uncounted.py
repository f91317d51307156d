"""Why an act of a lead counts nothing: what the agreement and the lead's other acts say of it.
Pure.

It goes through the acts as the scorer does (retracted, before the cycle, a scanner's, beyond a
daily limit) and gives words instead of points. Nothing is decided by it; where the two differ, the
scorer's contributions are right.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from baton.agreement.compiled.agreement import CompiledAgreement
from baton.agreement.compiled.engagement import ActRule
from baton.agreement.quantities import duration_words
from baton.agreement.wall_time import local_datetime, zone_named
from baton.contracts.intake import Engagement, LeadEvent


class _Act(NamedTuple):
    event: LeadEvent
    engagement: Engagement
    rule: ActRule


def uncounted(
    story: Sequence[LeadEvent], agreement: CompiledAgreement, *, cycle_began_ms: int, now_ms: int
) -> Mapping[str, str]:
    """By event id, why an act counts nothing at ``now_ms``; what is not in it counts. ``story``:
    all events of the lead."""
    retracted = {event.retracts for event in story if event.retracts is not None}
    why: dict[str, str] = {}
    acts: list[_Act] = []
    own_words = map(agreement.synonyms.event, story)
    for event in sorted(own_words, key=lambda event: (event.occurred_at_ms, event.event_id)):
        if event.engagement is None:
            continue
        rule = agreement.engagement.rule_for(event.engagement)
        reason = _by_itself(event, rule, agreement, cycle_began_ms=cycle_began_ms, now_ms=now_ms)
        if event.event_id in retracted:
            reason = "it was retracted"
        if reason is not None or rule is None:
            why[event.event_id] = reason or "the agreement gives no points to it"
        else:
            acts.append(_Act(event, event.engagement, rule))
    scanned = _scanned(acts, agreement)
    why |= dict.fromkeys(
        scanned, "so many clicks on one message in so short a time are a mail scanner's"
    )
    why |= _beyond_limits([act for act in acts if act.event.event_id not in scanned], agreement)
    return {event_id: f"counts nothing: {reason}" for event_id, reason in why.items()}


def _by_itself(
    event: LeadEvent,
    rule: ActRule | None,
    agreement: CompiledAgreement,
    *,
    cycle_began_ms: int,
    now_ms: int,
) -> str | None:
    engagement, rules = event.engagement, agreement.engagement
    assert engagement is not None, "only acts are asked for"
    if engagement.act not in rules.acts:
        return f"the agreement does not know the act {engagement.act}; see: baton words"
    if rule is None:
        return "it is marked automatic, and the agreement does not count what machines do"
    if rule.points_micro == 0:
        return f"the agreement gives no points to {rule.name}"
    if event.occurred_at_ms <= cycle_began_ms:
        return "it belongs to a former cycle"
    keeps_ms = rules.groups[rule.group].keeps_ms
    if now_ms - event.occurred_at_ms >= keeps_ms:
        return f"it is older than {duration_words(keeps_ms)}, for which {rule.group} counts"
    return None


def _scanned(acts: Sequence[_Act], agreement: CompiledAgreement) -> set[str]:
    scanner = agreement.engagement.scanner
    if scanner is None:
        return set()
    by_message: dict[str, list[LeadEvent]] = {}
    for act in acts:
        if act.engagement.link_group and act.engagement.act in scanner.acts:
            by_message.setdefault(act.engagement.link_group, []).append(act.event)
    found: set[str] = set()
    for clicks in by_message.values():
        for first in range(len(clicks) - scanner.clicks + 1):
            some = clicks[first : first + scanner.clicks]
            if some[-1].occurred_at_ms - some[0].occurred_at_ms <= scanner.within_ms:
                found |= {click.event_id for click in some}
    return found


def _beyond_limits(acts: Iterable[_Act], agreement: CompiledAgreement) -> dict[str, str]:
    zone, found = zone_named(agreement.timezone), {}
    of_rule: Counter[tuple[str, object]] = Counter()
    of_group: Counter[tuple[str, object, bool]] = Counter()
    for event, _, rule in acts:
        day = local_datetime(event.occurred_at_ms, zone).date()
        in_rule, in_group = (rule.name, day), (rule.group, day, rule.points_micro < 0)
        most = agreement.engagement.groups[rule.group].per_day
        if rule.per_day is not None and of_rule[in_rule] >= rule.per_day:
            found[event.event_id] = (
                f"{rule.per_day} {rule.name} of a day count, and it came after them"
            )
        elif of_group[in_group] >= most:
            found[event.event_id] = (
                f"{most} acts of {rule.group} of a day count, and it came after them"
            )
        else:
            of_rule[in_rule] += 1
            of_group[in_group] += 1
    return found
