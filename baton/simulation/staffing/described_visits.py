"""Event lines of a described demand: new leads come at random at the agreed mean rate, by month and
day of the week. Pure; the same seed gives the same lines."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from math import exp
from random import Random
from typing import Any, Final

from baton.agreement.compiled.agreement import CompiledAgreement
from baton.agreement.quantities import HOUR_MS, MINUTE_MS
from baton.agreement.wall_time import instant_ms, zone_named
from baton.simulation.input_lines import Arrival
from baton.simulation.quarter.visitors import arrival
from baton.simulation.staffing.demand import Behaviour, Demand, SegmentDemand

_FIRST_HOUR, _LAST_HOUR = 7, 21
_LONGEST_PAUSE_MS: Final = 8 * HOUR_MS
_ONE_DRAW: Final = 500.0
"""The largest mean of one draw: beyond it the exponential is too small."""


def visits_of(demand: Demand, agreement: CompiledAgreement, seed: int) -> Iterator[Arrival]:
    """Every line of the quarter, in no order. A lead comes between 7 and 21 of the agreement's
    time, all of them alike."""
    zone, number = zone_named(agreement.timezone), 0
    for name, segment in demand.segments.items():
        random = Random(f"{seed} {name}")
        for day in _days(demand):
            midnight_ms = instant_ms(day, 0, zone)
            for _ in range(_poisson(random, _per_day(demand, segment, day))):
                number += 1
                at_ms = midnight_ms + random.randrange(_FIRST_HOUR * HOUR_MS, _LAST_HOUR * HOUR_MS)
                yield from _visit(random, f"{name}-{number}", segment, at_ms)


def _days(demand: Demand) -> Iterator[date]:
    for number in range(demand.weeks * 7):
        yield demand.begins + timedelta(days=number)


def _per_day(demand: Demand, segment: SegmentDemand, day: date) -> float:
    weight = demand.weekend if day.weekday() >= 5 else 1.0
    return segment.per_week * weight / (5 + 2 * demand.weekend) * demand.season(day)


def _poisson(random: Random, mean: float) -> int:
    """Knuth's multiplication method, in parts whose exponential does not vanish."""
    count = 0
    while mean > 0:
        part = min(mean, _ONE_DRAW)
        mean -= part
        least, product = exp(-part), random.random()
        while product > least:
            count += 1
            product *= random.random()
    return count


def _visit(random: Random, name: str, segment: SegmentDemand, at_ms: int) -> Iterator[Arrival]:
    behaviour = _drawn(random, segment)
    for place, act in enumerate(behaviour.acts):
        body: dict[str, Any] = {"act": act}
        if behaviour.stage is not None:
            body["content_stage"] = behaviour.stage
        line: dict[str, Any] = {
            "id": f"{name}-{place}",
            "source": "website",
            "kind": "engagement",
            "identifiers": {"email": f"{name}@{name}.example"},
            "engagement": body,
        }
        if place == 0:
            line |= {"profile": segment.profile, "person": {"phone": "+49 30 1234567"}}
        yield arrival(at_ms, line)
        at_ms += random.randrange(10 * MINUTE_MS, _LONGEST_PAUSE_MS)


def _drawn(random: Random, segment: SegmentDemand) -> Behaviour:
    draw = random.random()
    for one in segment.does:
        draw -= one.share
        if draw < 0:
            return one
    return segment.does[-1]
