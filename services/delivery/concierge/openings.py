"""The times that can be offered, from cached busy times: of a pool while nobody is named yet, of a
person afterwards. Computed at most once in a while, so that an answer costs no computing."""

from __future__ import annotations

import heapq
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from baton.agreement.compiled.agreement import AnyCalendar
from baton.agreement.compiled.open_intervals import merged_intervals
from baton.agreement.reference import AgreementReference
from services.delivery.concierge.busy_cache import BusyCache
from services.delivery.concierge.slots import Busy, free_slots, is_free, is_outside, shown_of
from services.delivery.targets.people_model import SlotRules

_KEPT_S: Final = 20.0
_KEPT_AT_MOST: Final = 5_000


class Openings:
    """Used by several threads."""

    def __init__(self, rules: SlotRules, cache: BusyCache, kept_s: float = _KEPT_S) -> None:
        self.rules, self._cache, self._kept_s = rules, cache, kept_s
        self._lock = threading.Lock()
        self._made: dict[tuple[str, str, str], tuple[float, int, list[int]]] = {}

    def of_pool(
        self,
        reference: AgreementReference,
        pool: str,
        people: Iterable[str],
        given: Mapping[str, Busy],
        now_ms: int,
    ) -> tuple[int, ...]:
        """Times at which one of the people is free."""
        busy = self._cache.at(now_ms)
        of_each = [
            self._without(
                self._starts(reference, pool, person, busy[person], now_ms), given.get(person, ())
            )
            for person in people
            if person in busy
        ]
        return shown_of(heapq.merge(*of_each), self.rules)

    def is_free(
        self,
        reference: AgreementReference,
        pool: str,
        person: str,
        start_ms: int,
        given: Busy,
        now_ms: int,
    ) -> bool:
        """Whether the person can be given the time: False where their calendar is not known."""
        known = self._cache.at(now_ms).get(person)
        if known is None:
            return False
        calendar = _hours(reference, person, pool)
        return is_free(calendar, merged_intervals([*known, *given]), self.rules, start_ms, now_ms)

    def knows(self, person: str, now_ms: int) -> bool:
        """Whether the person's calendar is known and fresh."""
        return person in self._cache.at(now_ms)

    def _starts(
        self, reference: AgreementReference, pool: str, person: str, busy: Busy, now_ms: int
    ) -> list[int]:
        place = reference.agreement.version, pool, person
        version = self._cache.version
        with self._lock:
            made_at, of_version, starts = self._made.get(place, (-1e9, -1, []))
        if of_version == version and time.monotonic() - made_at < self._kept_s:
            return starts
        starts = free_slots(_hours(reference, person, pool), busy, self.rules, now_ms)
        with self._lock:
            if len(self._made) >= _KEPT_AT_MOST:
                self._made.clear()
            self._made[place] = time.monotonic(), version, starts
        return starts

    def _without(self, starts: Iterable[int], given: Busy) -> Iterator[int]:
        length = self.rules.minutes * 60_000
        return (start for start in starts if is_outside(given, start, start + length))


def _hours(reference: AgreementReference, person: str, pool: str) -> AnyCalendar:
    return reference.agreement.calendar_for(
        person=person, pool=pool, absences=reference.away(person)
    )
