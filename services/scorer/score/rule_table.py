"""An agreement as scoring needs it: groups and rules by number, days of its time zone.

It is compiled once a version and decides nothing.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

from baton.agreement.compiled.decay import Decay, Divisor
from baton.agreement.compiled.engagement import ActRule, Group
from baton.agreement.compiled.engagement import Engagement as ActRules
from baton.agreement.quantities import DAY_MS, MINUTE_MS
from baton.agreement.wall_time import instant_ms, local_date, zone_named
from services.scorer.score.ledger import stage_code, word_code

if TYPE_CHECKING:
    from baton.agreement.compiled.agreement import CompiledAgreement

UNSCORED: Final = "unscored"
"""Group and rule of acts that the agreement gives no points: they are kept for a while, as content
and for conditions."""
UNSCORED_KEEPS_MS: Final = 90 * DAY_MS
UNSCORED_PER_DAY: Final = 10
SPARE: Final = 32
"""So many acts beyond a daily limit are kept, so that a retraction or a scanner's clicks let the
next ones count."""
_QUARTER_MS: Final = 15 * MINUTE_MS
_MAX_DAYS: Final = 20_000
_TERMS: Final = struct.Struct("<qq")


@dataclass(frozen=True, slots=True)
class GroupLine:
    """A group. ``cap_micro`` -1: no cap."""

    name: str
    decay: Decay
    keeps_ms: int
    cap_micro: int
    per_day: int


@dataclass(frozen=True, slots=True)
class RuleLine:
    """A rule. ``per_day`` 0: no limit of its own. ``stores``: so many entries a day are kept."""

    number: int
    name: str
    group: int
    points_micro: int
    per_day: int
    stores: int
    rule: ActRule | None


class ScoreTable:
    """``groups`` and ``rules`` by number; ``lag_ms``: how long after an entry stopped to count it
    is still kept; ``fast_acts``: acts that a fast-track rule is about; ``terms``: half-life and cap
    of each group, packed."""

    def __init__(self, acts: ActRules, timezone: str) -> None:
        self.acts = acts
        self.scanner = acts.scanner
        self.lag_ms = acts.scanner.within_ms if acts.scanner else 0
        self.scanned = (
            frozenset(word_code(act) for act in acts.scanner.acts) if acts.scanner else frozenset()
        )
        self._zone = zone_named(timezone)
        self._days: dict[int, tuple[int, int]] = {}
        self._dates: dict[date, tuple[int, int]] = {}
        self._divided_at = -1
        self._divisors: tuple[Divisor, ...] = ()
        self.groups = (*(_group_line(group) for group in acts.groups.values()), _UNSCORED_GROUP)
        self.terms = tuple(
            _TERMS.pack(line.decay.half_life_ms, line.cap_micro) for line in self.groups
        )
        self._decays = {line.decay for line in self.groups}
        numbers = {name: number for number, name in enumerate(acts.groups)}
        every = [
            rule
            for act in {**acts.exceptions, **acts.acts}
            for rule in (*acts.exceptions.get(act, ()), *_plain(acts, act))
        ]
        lines = [
            self._rule_line(number, rule, numbers[rule.group]) for number, rule in enumerate(every)
        ]
        self.unscored = RuleLine(
            len(lines), UNSCORED, len(numbers), 0, 0, UNSCORED_PER_DAY + SPARE, None
        )
        self.rules = (*lines, self.unscored)
        self.fast_acts = frozenset(rule.act for rule in every if rule.fast_track)
        self._by_act: dict[int, list[tuple[int, frozenset[int], RuleLine]]] = {}
        for line, rule in zip(lines, every, strict=True):
            stage = stage_code(rule.stage) if rule.stage is not None else -1
            topics = frozenset(word_code(topic) for topic in rule.topics)
            self._by_act.setdefault(word_code(rule.act), []).append((stage, topics, line))

    def _rule_line(self, number: int, rule: ActRule, group: int) -> RuleLine:
        per_day = rule.per_day or 0
        stores = (per_day or self.groups[group].per_day) + SPARE
        return RuleLine(number, rule.name, group, rule.points_micro, per_day, stores, rule)

    def rule_of(self, act: int, stage: int, topics: Iterable[int]) -> RuleLine:
        """The rule of an entry, by its codes: the first exception that covers it, else the plain
        rule of its act."""
        for wanted, any_of, line in self._by_act.get(act, ()):
            if wanted in (-1, stage) and (not any_of or not any_of.isdisjoint(topics)):
                return line
        return self.unscored

    def day_of(self, at_ms: int) -> tuple[int, int]:
        """The local day of a moment: its first millisecond and the next day's."""
        quarter = at_ms // _QUARTER_MS
        day = self._days.get(quarter)
        if day is None:
            day = self._bounds(local_date(at_ms, self._zone))
            if len(self._days) >= _MAX_DAYS:
                self._days.clear()
            self._days[quarter] = day
        return day

    def _bounds(self, day: date) -> tuple[int, int]:
        bounds = self._dates.get(day)
        if bounds is None:
            tomorrow = day + timedelta(days=1)
            bounds = instant_ms(day, 0, self._zone), instant_ms(tomorrow, 0, self._zone)
            if len(self._dates) >= _MAX_DAYS:
                self._dates.clear()
            self._dates[day] = bounds
        return bounds

    def divisors(self, at_ms: int) -> tuple[Divisor, ...]:
        """What the sums of each group are to be divided by at ``at_ms``; kept for the last
        moment."""
        if at_ms != self._divided_at:
            divisors = {decay: decay.divisor(at_ms) for decay in self._decays}
            self._divisors = tuple([divisors[line.decay] for line in self.groups])
            self._divided_at = at_ms
        return self._divisors


_UNSCORED_GROUP: Final = GroupLine(UNSCORED, Decay(), UNSCORED_KEEPS_MS, -1, UNSCORED_PER_DAY)


def _plain(acts: ActRules, act: str) -> tuple[ActRule, ...]:
    rule = acts.acts.get(act)
    return () if rule is None else (rule,)


def _group_line(group: Group) -> GroupLine:
    cap = -1 if group.cap_micro is None else group.cap_micro
    return GroupLine(group.name, group.decay, group.keeps_ms, cap, group.per_day)


_TABLES: dict[int, tuple[object, ScoreTable]] = {}
_MAX_TABLES: Final = 64


def table_of(agreement: CompiledAgreement) -> ScoreTable:
    """The table of an agreement, made once."""
    known = _TABLES.get(id(agreement))
    if known is not None and known[0] is agreement:
        return known[1]
    if len(_TABLES) >= _MAX_TABLES:
        _TABLES.clear()
    table = ScoreTable(agreement.engagement, agreement.timezone)
    _TABLES[id(agreement)] = agreement, table
    return table
