"""What ends with a new agreement: pools that it does not have any more, with the leads in them, and
the goals and promises that nobody owes from then on.

Pure. A pool that has another name is another pool: whoever waits in it is matched anew by the new
rules, and its turns begin again. Read from assignment's state and the two agreements.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from rich.console import RenderableType
from rich.table import Table

from baton.agreement.compiled.agreement import CompiledAgreement, context_of_qualified
from baton.agreement.compiler.slas import promise_name
from baton.agreement.model.agreement import Agreement
from baton.agreement.reference import AgreementReference
from baton.screens.live import ReducerStates
from baton.screens.pools import pool_state, waiting_leads

NOBODY = "nobody"
"""Where a lead goes that the new rules suppress."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolEnds:
    """A pool that goes. ``now_called``: a new pool that is the same but for its name;
    ``waiting_go_to``: how many of those who wait go where, as far as rules alone say it."""

    pool: str
    now_called: str | None
    waiting: int
    offered: int
    accepted: int
    waiting_go_to: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Endings:
    """All that ends; goals and promises by name."""

    pools: tuple[PoolEnds, ...] = ()
    goals: tuple[str, ...] = ()
    promises: tuple[str, ...] = ()


def endings(
    states: ReducerStates,
    reference: AgreementReference,
    new: CompiledAgreement,
    *,
    now_ms: int,
) -> Endings:
    """What of the agreement in ``reference`` ends with ``new``; ``states``: assignment's."""
    before, after = reference.agreement.raw, new.raw
    kept = {promise_name(promise) for promise in after.slas.promises}
    return Endings(
        pools=tuple(
            _pool_ends(name, states, reference, new, now_ms)
            for name in before.pools
            if name not in after.pools
        ),
        goals=tuple(name for name in before.goals if name not in after.goals),
        promises=_once(
            name for promise in before.slas.promises if (name := promise_name(promise)) not in kept
        ),
    )


def _pool_ends(
    name: str,
    states: ReducerStates,
    reference: AgreementReference,
    new: CompiledAgreement,
    now_ms: int,
) -> PoolEnds:
    view = states.view(name)
    counted = pool_state(view, reference, now_ms=now_ms, listed=0)
    goes_to = Counter[str]()
    for _, lead in waiting_leads(view):
        qualified = lead.item.qualified
        if qualified is None:
            continue
        facts = context_of_qualified(qualified, now_ms=now_ms)
        suppressed = new.routing.suppressed(facts).reason is not None
        goes_to[NOBODY if suppressed else new.routing.expected(facts)[0]] += 1
    return PoolEnds(
        pool=name,
        now_called=_same_by_another_name(name, reference.agreement.raw, new.raw),
        waiting=counted.waiting,
        offered=counted.offered,
        accepted=counted.accepted,
        waiting_go_to=dict(sorted(goes_to.items())),
    )


def _same_by_another_name(name: str, before: Agreement, after: Agreement) -> str | None:
    added = (other for other in after.pools if other not in before.pools)
    return next((other for other in added if after.pools[other] == before.pools[name]), None)


def _once(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


def endings_tables(found: Endings) -> Iterator[RenderableType]:
    """The endings for the terminal; nothing where nothing ends."""
    if found.pools:
        yield "Pools that end: who waits there is matched anew, what is offered or accepted stays"
        table = Table(box=None, header_style="bold")
        table.add_column("pool")
        for heading in ("waiting", "offered", "accepted"):
            table.add_column(heading, justify="right")
        table.add_column("who waits goes to")
        for ends in found.pools:
            name = f"{ends.pool} (now {ends.now_called})" if ends.now_called else ends.pool
            goes = ", ".join(f"{pool} {count}" for pool, count in ends.waiting_go_to.items())
            numbers = (str(count) for count in (ends.waiting, ends.offered, ends.accepted))
            table.add_row(name, *numbers, goes)
        yield table
    for what, names in (("goals", found.goals), ("promises", found.promises)):
        if names:
            yield f"{what} that end: {', '.join(names)}"
