"""A challenger: another scoring, for a share of the accounts, for a fixed time, beside the
agreement in force. Which account is in which arm is a hash of it, so everybody can say it.

Only how leads are scored may differ, and only in one section: pools, people and promises are
shared by both arms.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, Final

from baton.contracts.reference_records import AgreementRecord

PPM: Final = 1_000_000
CHANGEABLE: Final = ("fit", "engagement", "levels", "gates")
"""What a challenger may change: one of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
    """``version`` for ``share_ppm`` millionths of the accounts, in ``[from_ms, until_ms)``."""

    version: str
    text: str
    share_ppm: int
    from_ms: int
    until_ms: int

    @property
    def name(self) -> str:
        """Names who is scored how: what a lead adopts."""
        return f"{self.version}@{self.share_ppm}"

    def takes(self, unit: str) -> bool:
        """Whether the account (or the lead without one) is in the challenger's arm."""
        return in_arm(unit, self.version, self.share_ppm)


def in_arm(unit: str, version: str, share_ppm: int) -> bool:
    """By hash of the challenger and the account, so that another challenger has other accounts."""
    digest = blake2b(f"{version} {unit}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") % PPM < share_ppm


@dataclass(slots=True)
class ChallengerBook:
    """The challenges that were written, in order, with what ended them."""

    _challenges: list[Challenge] = field(default_factory=list)
    _waiting: list[AgreementRecord] = field(default_factory=list)

    def take(self, record: AgreementRecord, soonest_ms: int, signed: Callable[[str], bool]) -> bool:
        """A record of a kind ``challenger`` or ``challenger_stopped``; True where something may
        have changed. ``soonest_ms``: it counts from then on at the earliest."""
        if record.kind == "challenger_stopped":
            self._end_at(soonest_ms)
            self._waiting.clear()
            return True
        if record.kind == "challenger" and record.text and record.share_ppm and record.until_ms:
            self._waiting.append(record)
            return self.signed(soonest_ms, signed)
        return False

    def signed(self, soonest_ms: int, signed: Callable[[str], bool]) -> bool:
        """Signatures have come; True where a challenge begins by them."""
        ready = [record for record in self._waiting if signed(record.version)]
        for record in ready:
            self._waiting.remove(record)
            self._begin(record, soonest_ms)
        return bool(ready)

    def published(self, from_ms: int) -> None:
        """Another agreement comes into force then: what it was tried against is no more."""
        self._end_at(from_ms)

    def at(self, now: int) -> Challenge | None:
        """The challenge that runs at ``now``."""
        return next((one for one in self._challenges if one.from_ms <= now < one.until_ms), None)

    def changes(self) -> list[int]:
        """Every moment at which a challenge begins or ends."""
        return [at_ms for one in self._challenges for at_ms in (one.from_ms, one.until_ms)]

    def all(self) -> tuple[Challenge, ...]:
        """Every challenge, in order."""
        return tuple(self._challenges)

    def _begin(self, record: AgreementRecord, soonest_ms: int) -> None:
        from_ms = max(record.effective_at_ms or soonest_ms, soonest_ms)
        self._end_at(from_ms)
        assert record.text is not None
        assert record.share_ppm is not None
        assert record.until_ms is not None
        if from_ms < record.until_ms:
            self._challenges.append(
                Challenge(
                    version=record.version,
                    text=record.text,
                    share_ppm=record.share_ppm,
                    from_ms=from_ms,
                    until_ms=record.until_ms,
                )
            )

    def _end_at(self, at_ms: int) -> None:
        self._challenges = [
            Challenge(
                version=one.version,
                text=one.text,
                share_ppm=one.share_ppm,
                from_ms=one.from_ms,
                until_ms=min(one.until_ms, at_ms),
            )
            for one in self._challenges
            if one.from_ms < at_ms
        ]


def changed_sections(champion: str, challenger: str) -> tuple[str, ...]:
    """Where two canonical texts differ. Of ``definitions`` and ``lifecycle`` the parts that score
    have names of their own: ``levels`` and ``gates``. The name of the agreement and its examples
    change nothing."""
    one, other = (_sections(json.loads(text)) for text in (champion, challenger))
    return tuple(
        sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))
    )


def _sections(plain: dict[str, Any]) -> dict[str, Any]:
    kept = {
        name: value
        for name, value in plain.items()
        if name not in ("name", "effective_at", "examples")
    }
    for name, part in (("definitions", "levels"), ("lifecycle", "gates")):
        whole = dict(kept.get(name, {}))
        if part in whole:
            kept[part] = whole.pop(part)
        kept[name] = whole
    return kept
