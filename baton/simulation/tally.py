"""What became of the events of a simulation besides facts: known before, dropped, in conflict,
refused, dead letters. Counts only."""

from collections import Counter
from dataclasses import dataclass, field

from baton.contracts.intake import AliasKind, IdentityAlias
from baton.contracts.leads import LeadRefused
from baton.contracts.topic_names import INTAKE_ALIASES, LEADS_INBOX_DEAD_LETTERS, LEADS_REFUSALS
from baton.engine.memory import Stored
from baton.simulation.direct.passed import Seen, read

COUNTED = (INTAKE_ALIASES, LEADS_REFUSALS, LEADS_INBOX_DEAD_LETTERS)
"""The topics whose records a :class:`Tally` is shown."""

_PLACES = 5


def number_of(number: int, noun: str) -> str:
    """``1 event``, ``2 events``."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


@dataclass(slots=True)
class Tally:
    """``dead`` by reason: how many, and the places of the first few; the others by reason or
    lead."""

    duplicates: int = 0
    dropped: int = 0
    conflicts: Counter[str] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)
    dead: dict[str, list[str]] = field(default_factory=dict)
    dead_counts: Counter[str] = field(default_factory=Counter)

    def note(self, stored: Seen, place: str = "") -> None:
        """Count a record of the log. ``place``: where the line came from that was just sent."""
        if stored.value is None:
            return
        if stored.topic == INTAKE_ALIASES:
            self._note_alias(read(stored, IdentityAlias))
        elif stored.topic == LEADS_REFUSALS:
            refused: LeadRefused = read(stored, LeadRefused)
            self.refusals[f"{refused.event} in stage {refused.stage}: {refused.reason}"] += 1
        elif isinstance(stored, Stored):
            self._note_dead(stored, place)

    def lines(self) -> list[str]:
        """In words; nothing where every event was taken and changed something."""
        found = []
        if self.duplicates:
            found.append(f"{number_of(self.duplicates, 'duplicate')}: had been taken before")
        if self.dropped:
            found.append(f"{self.dropped} dropped: the person had been erased")
        found += [
            f"{number_of(number, 'conflict')} of identity at lead {lead}"
            for lead, number in self.conflicts.most_common()
        ]
        found += [f"{number} refused: {reason}" for reason, number in self.refusals.most_common()]
        for reason, number in self.dead_counts.most_common():
            places = ", ".join(self.dead[reason]) + (", ..." if number > _PLACES else "")
            found.append(f"{number_of(number, 'dead letter')}: {reason} ({places})")
        return found

    def _note_alias(self, alias: IdentityAlias) -> None:
        match alias.kind:
            case AliasKind.DUPLICATE:
                self.duplicates += 1
            case AliasKind.DROPPED:
                self.dropped += 1
            case AliasKind.CONFLICT:
                self.conflicts[alias.lead_id] += 1

    def _note_dead(self, stored: Stored, place: str) -> None:
        reasons = [
            value.decode("utf-8", "replace")
            for name, value in stored.headers
            if name == "__dlq.errors.message"
        ]
        reason = reasons[0] if reasons else "no reason given"
        self.dead_counts[reason] += 1
        shown = self.dead.setdefault(reason, [])
        if len(shown) < _PLACES:
            shown.append(place or f"offset {stored.offset}")
