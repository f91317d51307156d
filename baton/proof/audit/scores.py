"""A score by the words of the agreement, from the accepted events alone: another way than the
scorer's, who keeps a ledger and sums.

Pure. It is asked for leads in their first cycle that were never merged; for the others there is
only the computing again.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from baton.agreement.compiled.agreement import CompiledAgreement
from baton.agreement.compiled.engagement import ScannerRule
from baton.contracts.intake import LeadEvent

TOLERANCE_MICRO = 2
"""Both ways round; the sums are of floats here."""


def engagement_micro(events: Sequence[LeadEvent], agreement: CompiledAgreement, now: int) -> int:
    """The engagement score at ``now`` in micro points, from all of a lead's accepted ``events``."""
    rules = agreement.engagement
    own_words = [agreement.synonyms.event(event) for event in events]
    acts = _counting(own_words, rules.count_automatic)
    scanned = _scanned(acts, rules.scanner)
    of_rule: Counter[tuple[str, str]] = Counter()
    of_group: Counter[tuple[str, str, bool]] = Counter()
    gained: dict[str, float] = defaultdict(float)
    lost = 0.0
    for at_ms, event in acts:
        rule = rules.rule_for(event.engagement) if event.engagement is not None else None
        if rule is None or event.event_id in scanned:
            continue
        group, day = rules.groups[rule.group], _day(at_ms, agreement.timezone)
        in_rule, in_group = (rule.name, day), (rule.group, day, rule.points_micro < 0)
        if (rule.per_day and of_rule[in_rule] >= rule.per_day) or of_group[
            in_group
        ] >= group.per_day:
            continue
        of_rule[in_rule] += 1
        of_group[in_group] += 1
        age_ms = now - at_ms
        if age_ms >= group.keeps_ms:
            continue
        points = rule.points_micro * (
            2.0 ** -(age_ms / group.half_life_ms) if group.half_life_ms else 1.0
        )
        if points > 0:
            gained[rule.group] += points
        else:
            lost += points
    for name, points in gained.items():
        cap = rules.groups[name].cap_micro
        lost += points if cap is None else min(points, cap)
    return max(0, round(lost))


def _counting(events: Sequence[LeadEvent], automatic_too: bool) -> list[tuple[int, LeadEvent]]:
    """The acts that were not taken back, each once and at the earlier of its times, in the order in
    which daily limits take them."""
    gone = {event.retracts for event in events if event.retracts is not None}
    first: dict[str, tuple[int, LeadEvent]] = {}
    for event in events:
        if (
            event.engagement is None
            or event.event_id in gone
            or (event.engagement.automatic and not automatic_too)
        ):
            continue
        at_ms = min(event.occurred_at_ms, event.received_at_ms)
        if event.event_id not in first or at_ms < first[event.event_id][0]:
            first[event.event_id] = at_ms, event
    return sorted(first.values(), key=lambda found: (found[0], found[1].event_id))


def _scanned(acts: Sequence[tuple[int, LeadEvent]], scanner: ScannerRule | None) -> set[str]:
    """Clicks of a mail scanner: so many on the links of one message within so short a time."""
    if scanner is None:
        return set()
    clicks: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for at_ms, event in acts:
        reported = event.engagement
        if reported is not None and reported.link_group and reported.act in scanner.acts:
            clicks[reported.link_group].append((at_ms, event.event_id))
    found: set[str] = set()
    for of_message in clicks.values():
        for at_ms, _ in of_message:
            near = [
                event_id
                for other_ms, event_id in of_message
                if 0 <= other_ms - at_ms <= scanner.within_ms
            ]
            if len(near) >= scanner.clicks:
                found.update(near)
    return found


@lru_cache(maxsize=16)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def _day(at_ms: int, zone: str) -> str:
    if zone == "UTC":
        return str(at_ms // 86_400_000)
    return datetime.fromtimestamp(at_ms // 1000, UTC).astimezone(_zone(zone)).date().isoformat()
