"""The compiled section ``engagement``: which points which act is worth.

Points are integers of a millionth (``..._micro``), times are ``..._ms``.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from baton.agreement.compiled.decay import Decay, decay_of
from baton.contracts.intake import Engagement as EngagementEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Acts that decay together.

    ``half_life_ms`` None: no decay. ``window_ms`` None: entries count until they have faded.
    ``cap_micro`` None: no cap on the positive sum. ``per_day``: at most so many acts a day count,
    the earliest first, positive and negative ones apart, after the acts' own daily limits: it
    bounds the ledger.
    """

    name: str
    half_life_ms: int | None
    window_ms: int | None
    cap_micro: int | None
    per_day: int

    @property
    def decay(self) -> Decay:
        """How points of the group lose their worth."""
        return decay_of(self.half_life_ms or 0)

    @property
    def keeps_ms(self) -> int:
        """The age from which on an entry no longer counts and may be dropped."""
        # checked where the agreement is read: a group has one of the two
        return self.decay.faded_ms if self.window_ms is None else self.window_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class ActRule:
    """What one act is worth.

    ``name`` is the rule's in explanations (``download (decision)``). ``per_day`` None: only the
    group's daily limit. ``fast_track``: qualifies at once if not older than ``max_age_ms`` and no
    backfill. ``stage`` (content stage) and ``topics`` (any of them) narrow the rule; None and empty
    mean any.
    """

    name: str
    act: str
    group: str
    points_micro: int
    per_day: int | None
    fast_track: bool
    max_age_ms: int
    stage: str | None = None
    topics: tuple[str, ...] = ()

    def covers(self, engagement: EngagementEvent) -> bool:
        """Whether the rule's stage and topics are those of ``engagement`` (its act is taken as the
        same)."""
        if self.stage is not None and engagement.content_stage != self.stage:
            return False
        return not self.topics or any(topic in self.topics for topic in engagement.topics)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScannerRule:
    """Mail scanners click every link: ``clicks`` or more of ``acts`` with one ``link_group`` inside
    ``within_ms`` count for nothing, all of them."""

    acts: frozenset[str]
    clicks: int
    within_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Engagement:
    """``acts``: the plain rule of each act. ``count_automatic``: whether acts marked automatic
    count."""

    groups: Mapping[str, Group]
    acts: Mapping[str, ActRule]
    exceptions: Mapping[str, tuple[ActRule, ...]]
    scanner: ScannerRule | None
    count_automatic: bool = False

    def rule_for(self, engagement: EngagementEvent) -> ActRule | None:
        """The rule an act is scored by: the first of its exceptions that covers it, else its plain
        rule.

        None: the agreement gives no points to it. An automatic act has no rule unless the agreement
        counts those.
        """
        if engagement.automatic and not self.count_automatic:
            return None
        for rule in self.exceptions.get(engagement.act, ()):
            if rule.covers(engagement):
                return rule
        return self.acts.get(engagement.act)
