"""What comes in during a run, wave by wave, so that a script of any length takes the memory of a
few waves. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from baton.local.demo.company import Arrival, visitors

_WAVE_EVENTS = 2_000
_WAVE_MS = 30_000
_LINES_A_LEAD = 5
_LEADS_A_FIRM = 4
_FEWEST_FIRMS = 97
_POISON_SHARE = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Wave:
    """Visitors who begin to come at ``starts_ms`` after the start of the run; times of ``arrivals``
    count from there too."""

    starts_ms: int
    arrivals: tuple[Arrival, ...]


def waves(*, events: int, span_ms: int, seed: int, begins_ms: int) -> Iterator[Wave]:
    """About ``events`` lines over ``span_ms``, one per cent of them rubbish. ``begins_ms``: the
    time of the first."""
    number = max(1, events // _WAVE_EVENTS)
    wave_ms = min(span_ms, _WAVE_MS) if number > 1 else span_ms
    leads = max(1, events // number // _LINES_A_LEAD)
    firms = max(_FEWEST_FIRMS, number * leads // _LEADS_A_FIRM)
    left = events
    for wave in range(number):
        starts_ms = (span_ms - wave_ms) * wave // max(1, number - 1)
        script = visitors(
            leads=leads if wave < number - 1 else max(leads, left // _LINES_A_LEAD),
            span_ms=wave_ms,
            seed=seed * 1_000_003 + wave,
            begins_ms=begins_ms + starts_ms,
            first=wave * leads,
            firms=firms,
            poison_share=_POISON_SHARE,
        )
        arrivals = tuple(islice(script, left if wave == number - 1 else events // number))
        left -= len(arrivals)
        yield Wave(starts_ms=starts_ms, arrivals=arrivals)
