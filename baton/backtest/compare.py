"""Two agreements over the same leads: four cells, load, shift, and outcomes with what is not known
about them. Pure.

The unit is the account, or the lead where it has none, in one cycle: a buying group is one
decision, and a lead that came back is a further one. A unit that qualified before the window under
either agreement is left out and counted. Only-new units have no outcome of the new agreement's
making: they are not evaluable.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from statistics import median
from zoneinfo import ZoneInfo

from baton.agreement.wall_time import local_date
from baton.backtest.cycle_keys import cycle_key
from baton.backtest.history import History
from baton.backtest.replay import FirstQualification
from services.insights.figures.wilson_interval import Share

BOTH, ONLY_OLD, ONLY_NEW, NEITHER = "both", "only_old", "only_new", "neither"
CELLS = (BOTH, ONLY_OLD, ONLY_NEW, NEITHER)
_UNKNOWN = "(none)"
Key = Callable[[FirstQualification], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """An account or lead in one cycle, with its first qualification under each agreement.
    ``leads``: keys of lead and cycle."""

    name: str
    leads: tuple[str, ...]
    cycle: int = 1
    old: FirstQualification | None
    new: FirstQualification | None

    @property
    def cell(self) -> str:
        """Which of the four cells it is in."""
        match self.old is not None, self.new is not None:
            case True, True:
                return BOTH
            case True, False:
                return ONLY_OLD
            case False, True:
                return ONLY_NEW
        return NEITHER

    @property
    def shown(self) -> FirstQualification | None:
        """What the unit is counted by: the old one where there is one."""
        return self.old or self.new


@dataclass(frozen=True, slots=True, kw_only=True)
class Precision:
    """How many of a cell's units reached the outcome. ``rate`` and the bounds are None below twenty
    units."""

    cell: str
    units: int
    reached: int
    rate: float | None
    low: float | None
    high: float | None
    firm: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """Of the units in both: earlier or later under the new agreement, by how much."""

    earlier: int
    same: int
    later: int
    median_earlier_ms: int | None
    median_later_ms: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolLoad:
    """Units that go to a pool, by week, beside what its people may hold. ``capacity`` None: not
    limited."""

    pool: str
    old: int
    new: int
    peak_week_old: int
    peak_week_new: int
    capacity: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The result. ``later``: units of a later cycle than the first. ``moved``: units in both whose
    level or pool differs. ``by``: dimension -> value -> cell -> units."""

    units: int
    warm_up: int
    cells: dict[str, int]
    by: dict[str, dict[str, dict[str, int]]]
    shift: Shift
    moved: dict[str, int]
    loads: tuple[PoolLoad, ...]
    months: dict[str, dict[str, int]]
    outcome: str
    precision: tuple[Precision, ...]
    not_evaluable: int
    not_evaluable_share: float | None
    later: int = 0
    notes: tuple[str, ...] = field(default=())


def units_of(
    accounts: Mapping[str, str | None],
    old: Mapping[str, FirstQualification],
    new: Mapping[str, FirstQualification],
) -> list[Unit]:
    """The units. ``accounts``: every lead that was replayed, with its account as it was known
    last."""
    members: dict[str, list[str]] = defaultdict(list)
    for lead_id, account in accounts.items():
        members[account or lead_id].append(lead_id)
    cycles: dict[str, set[int]] = defaultdict(set)
    for one in (*old.values(), *new.values()):
        cycles[accounts[one.lead_id] or one.lead_id].add(one.cycle)
    return [
        _unit(name, cycle, members[name], old, new)
        for name in sorted(members)
        for cycle in sorted({1, *cycles[name]})
    ]


def _unit(
    name: str,
    cycle: int,
    leads: Iterable[str],
    old: Mapping[str, FirstQualification],
    new: Mapping[str, FirstQualification],
) -> Unit:
    keys = tuple(sorted(cycle_key(lead_id, cycle) for lead_id in leads))
    return Unit(name=name, leads=keys, cycle=cycle, old=_first(keys, old), new=_first(keys, new))


def _first(
    leads: Iterable[str], found: Mapping[str, FirstQualification]
) -> FirstQualification | None:
    return min(
        (found[lead_id] for lead_id in leads if lead_id in found),
        key=lambda one: (one.at_ms, one.lead_id),
        default=None,
    )


def compare(
    units: Sequence[Unit],
    *,
    since_ms: int,
    zone: ZoneInfo,
    capacities: Mapping[str, int | None],
    history: History | None,
    outcome: str,
) -> Comparison:
    """Compare what the two agreements do to ``units`` from ``since_ms`` on."""
    early = [unit for unit in units if _before(unit, since_ms)]
    inside = [unit for unit in units if not _before(unit, since_ms)]
    cells = Counter(unit.cell for unit in inside)
    evaluable = _evaluated(inside, history, outcome) if history is not None else ()
    unknown = [unit for unit in inside if unit.cell == ONLY_NEW and not _worked(unit, history)]
    return Comparison(
        units=len(inside),
        warm_up=len(early),
        later=sum(unit.cycle > 1 for unit in inside),
        cells={cell: cells[cell] for cell in CELLS},
        by={
            "week": _by(inside, lambda one: _week(one.at_ms, zone)),
            "pool": _by(inside, lambda one: one.pool),
            "segment": _by(inside, lambda one: one.segment or _UNKNOWN),
            "source": _by(inside, lambda one: one.source),
            "level": _by(inside, lambda one: one.level),
        },
        shift=_shift(inside),
        moved=_moved(inside),
        loads=_loads(inside, zone, capacities),
        months=_months(inside, zone),
        outcome=outcome,
        precision=evaluable,
        not_evaluable=len(unknown),
        not_evaluable_share=len(unknown) / cells[ONLY_NEW] if cells[ONLY_NEW] else None,
    )


def _before(unit: Unit, since_ms: int) -> bool:
    return any(one is not None and one.at_ms < since_ms for one in (unit.old, unit.new))


def _by(units: Sequence[Unit], key: Key) -> dict[str, dict[str, int]]:
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for unit in units:
        if unit.shown is not None:
            found[key(unit.shown)][unit.cell] += 1
    return {
        value: {cell: counted[cell] for cell in CELLS[:3]}
        for value, counted in sorted(found.items())
    }


def _week(at_ms: int, zone: ZoneInfo) -> str:
    day = local_date(at_ms, zone)
    return (day - timedelta(days=day.weekday())).isoformat()


def _shift(units: Sequence[Unit]) -> Shift:
    moved = [
        unit.new.at_ms - unit.old.at_ms
        for unit in units
        if unit.old is not None and unit.new is not None
    ]
    earlier, later = [-one for one in moved if one < 0], [one for one in moved if one > 0]
    return Shift(
        earlier=len(earlier),
        same=sum(one == 0 for one in moved),
        later=len(later),
        median_earlier_ms=int(median(earlier)) if earlier else None,
        median_later_ms=int(median(later)) if later else None,
    )


def _moved(units: Sequence[Unit]) -> dict[str, int]:
    pairs = [(unit.old, unit.new) for unit in units if unit.cell == BOTH]
    return {
        name: sum(getattr(old, name) != getattr(new, name) for old, new in pairs)
        for name in ("level", "leg", "pool")
    }


def _loads(
    units: Sequence[Unit], zone: ZoneInfo, capacities: Mapping[str, int | None]
) -> tuple[PoolLoad, ...]:
    weeks: dict[str, dict[str, Counter[str]]] = {"old": {}, "new": {}}
    for unit in units:
        for name, one in (("old", unit.old), ("new", unit.new)):
            if one is not None:
                weeks[name].setdefault(one.pool, Counter())[_week(one.at_ms, zone)] += 1
    pools = sorted({*weeks["old"], *weeks["new"]})
    return tuple(
        PoolLoad(
            pool=pool,
            old=sum(weeks["old"].get(pool, {}).values()),
            new=sum(weeks["new"].get(pool, {}).values()),
            peak_week_old=max(weeks["old"].get(pool, {}).values(), default=0),
            peak_week_new=max(weeks["new"].get(pool, {}).values(), default=0),
            capacity=capacities.get(pool),
        )
        for pool in pools
    )


def _months(units: Sequence[Unit], zone: ZoneInfo) -> dict[str, dict[str, int]]:
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for unit in units:
        for name, one in (("old", unit.old), ("new", unit.new)):
            if one is not None:
                found[local_date(one.at_ms, zone).strftime("%Y-%m")][name] += 1
    return {
        month: {"old": counted["old"], "new": counted["new"]}
        for month, counted in sorted(found.items())
    }


def _worked(unit: Unit, history: History | None) -> bool:
    """Somebody had it in hand, by history."""
    return history is not None and any(lead_id in history.handed for lead_id in unit.leads)


def _evaluated(units: Sequence[Unit], history: History, outcome: str) -> tuple[Precision, ...]:
    """The outcomes of what both, or only the old one, hand over."""
    found = []
    for cell in (BOTH, ONLY_OLD):
        handed = [unit for unit in units if unit.cell == cell and _worked(unit, history)]
        reached = sum(
            any(outcome in history.reached.get(lead_id, ()) for lead_id in unit.leads)
            for unit in handed
        )
        share = Share(count=reached, total=len(handed))
        found.append(
            Precision(
                cell=cell,
                units=len(handed),
                reached=reached,
                rate=share.rate if share.shown else None,
                low=share.low if share.shown else None,
                high=share.high if share.shown else None,
                firm=share.firm,
            )
        )
    return tuple(found)
