"""A score by the words of the agreement, from the accepted events alone: another way than the
scorer's, who keeps a ledger and sums.

Pure. It is asked for leads in their first cycle that were never merged; for the others there is
only the computing again.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from baton.agreement.compiled.agreement import CompiledAgreement
from baton.agreement.compiled.engagement import ActRule, ScannerRule
from baton.contracts.intake import LeadEvent

TOLERANCE_MICRO = 2
"""Both ways round; the sums are of floats here."""


def engagement_micro(events: Sequence[LeadEvent], agreement: CompiledAgreement, now: int) -> int:
    """The engagement score at ``now`` in micro points, from all of a lead's accepted ``events``."""
    return Engagement(agreement).micro(events, now)


class _Act(NamedTuple):
    """What an event is by the agreement's words, whenever it is asked. ``rule`` None: it has no
    points."""

    event: LeadEvent
    at_ms: int
    rule: ActRule | None
    in_rule: tuple[str, str]
    in_group: tuple[str, str, bool]


class Engagement:
    """:func:`engagement_micro` under one agreement, asked again and again about the same event
    objects; for as long as they are all kept."""

    def __init__(self, agreement: CompiledAgreement) -> None:
        self._agreement, self._rules = agreement, agreement.engagement
        self._acts: dict[int, _Act] = {}

    def micro(self, events: Sequence[LeadEvent], now: int) -> int:
        """The score at ``now``."""
        acts = _counting([self._act(event) for event in events], self._rules.count_automatic)
        scanned = _scanned(acts, self._rules.scanner)
        of_rule: Counter[tuple[str, str]] = Counter()
        of_group: Counter[tuple[str, str, bool]] = Counter()
        gained: dict[str, float] = defaultdict(float)
        lost = 0.0
        for act in acts:
            rule = act.rule
            if rule is None or act.event.event_id in scanned:
                continue
            group = self._rules.groups[rule.group]
            if (rule.per_day and of_rule[act.in_rule] >= rule.per_day) or of_group[
                act.in_group
            ] >= group.per_day:
                continue
            of_rule[act.in_rule] += 1
            of_group[act.in_group] += 1
            age_ms = now - act.at_ms
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
            cap = self._rules.groups[name].cap_micro
            lost += points if cap is None else min(points, cap)
        return max(0, round(lost))

    def _act(self, event: LeadEvent) -> _Act:
        known = self._acts.get(id(event))
        if known is None:
            known = self._acts[id(event)] = self._new_act(event)
        return known

    def _new_act(self, event: LeadEvent) -> _Act:
        event = self._agreement.synonyms.event(event)
        at_ms = min(event.occurred_at_ms, event.received_at_ms)
        rule = self._rules.rule_for(event.engagement) if event.engagement is not None else None
        if rule is None:
            return _Act(event, at_ms, None, ("", ""), ("", "", False))
        day = _day(at_ms, self._agreement.timezone)
        in_group = rule.group, day, rule.points_micro < 0
        return _Act(event, at_ms, rule, (rule.name, day), in_group)


def _counting(acts: Sequence[_Act], automatic_too: bool) -> list[_Act]:
    """The acts that were not taken back, each once and at the earlier of its times, in the order in
    which daily limits take them."""
    gone = {act.event.retracts for act in acts if act.event.retracts is not None}
    first: dict[str, _Act] = {}
    for act in acts:
        event = act.event
        if (
            event.engagement is None
            or event.event_id in gone
            or (event.engagement.automatic and not automatic_too)
        ):
            continue
        if event.event_id not in first or act.at_ms < first[event.event_id].at_ms:
            first[event.event_id] = act
    return sorted(first.values(), key=lambda act: (act.at_ms, act.event.event_id))


def _scanned(acts: Sequence[_Act], scanner: ScannerRule | None) -> set[str]:
    """Clicks of a mail scanner: so many on the links of one message within so short a time."""
    if scanner is None:
        return set()
    clicks: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for act in acts:
        reported = act.event.engagement
        if reported is not None and reported.link_group and reported.act in scanner.acts:
            clicks[reported.link_group].append((act.at_ms, act.event.event_id))
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
