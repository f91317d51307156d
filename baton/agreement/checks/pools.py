"""Pools and people: pools with somebody in them, overflows that end somewhere, people who get
leads."""

from collections.abc import Iterator, Mapping

from baton.agreement.checks.context import CheckContext, Finding, odd, wrong
from baton.agreement.model.lifecycle import Bridge
from baton.agreement.model.people import PersonModel
from baton.agreement.model.pools import OverflowModel, PoolModel, WatchModel
from baton.agreement.problems import Path
from baton.contracts.routing import ASK_AGAIN, OpenWork


def check(context: CheckContext) -> Iterator[Finding]:
    """Pools, their overflows, and who is in none."""
    yield from _members(context)
    yield from _limits_of_people(context)
    yield from _absences(context)
    yield from _relaxing(context)
    yield from _overflows(context)
    yield from _bridge(context)
    yield from _unused(context)
    yield from _gone(context)


def _members(context: CheckContext) -> Iterator[Finding]:
    people = context.model.people
    for name, pool in context.model.pools.items():
        if not pool.members:
            yield wrong(
                ("pools", name, "members"),
                f'pool "{name}" has no members: nobody would ever get its leads',
            )
        elif all(member in people and not people[member].active for member in pool.members):
            yield wrong(("pools", name, "members"), f'nobody in pool "{name}" is active')
        elif not any(member.weight and member.capacity != 0 for member in pool.members.values()):
            yield wrong(
                ("pools", name, "members"),
                f'nobody in pool "{name}" takes leads in turn: each has weight 0 or capacity 0',
            )
        elif all(member.ramp is not None for member in pool.members.values()):
            first = min(
                member.ramp.starts for member in pool.members.values() if member.ramp is not None
            )
            yield odd(
                ("pools", name, "members"),
                f'everybody in pool "{name}" is new: before {first} nobody gets a lead of it',
            )
        yield from _limits(name, pool)
        yield from _beyond_all(name, pool, people)
        if isinstance(pool.nobody, WatchModel):
            watcher = people.get(pool.nobody.watch)
            if watcher is not None and not watcher.active:
                yield wrong(
                    ("pools", name, "nobody", "watch"),
                    f'"{pool.nobody.watch}" is not active and cannot watch a queue',
                )


def _limits(name: str, pool: PoolModel) -> Iterator[Finding]:
    for person, member in pool.members.items():
        path = ("pools", name, "members", person, "per_day")
        if (
            member.per_day is not None
            and member.per_week is not None
            and member.per_day >= member.per_week
        ):
            yield odd(
                path,
                f'"{person}" may have {member.per_day} leads a day but {member.per_week} a week: '
                "the day limits nothing",
            )


_LIMITS = ("capacity", "offers", "per_day", "per_week")


def _beyond_all(name: str, pool: PoolModel, people: Mapping[str, PersonModel]) -> Iterator[Finding]:
    """Limits of a membership that those of the person over all pools come before."""
    for person, member in pool.members.items():
        for limit in _LIMITS if person in people else ():
            own, over_all = getattr(member, limit), getattr(people[person], limit)
            if own is not None and over_all is not None and own > over_all:
                yield odd(
                    ("pools", name, "members", person, limit),
                    f'"{person}" has {limit} {own} in pool "{name}" but {over_all} over all pools: '
                    "the smaller one counts",
                )


def _limits_of_people(context: CheckContext) -> Iterator[Finding]:
    for person, known in context.model.people.items():
        if (
            known.per_day is not None
            and known.per_week is not None
            and known.per_day >= known.per_week
        ):
            yield odd(
                ("people", person, "per_day"),
                f'"{person}" may have {known.per_day} leads a day but {known.per_week} a week: '
                "the day limits nothing",
            )


def _absences(context: CheckContext) -> Iterator[Finding]:
    """Open work that is to go to a deputy who is not there, or never to anybody again."""
    people = context.model.people
    for name, pool in context.model.pools.items():
        path: Path = ("pools", name, "absences", "open_work")
        if pool.absences.open_work is OpenWork.KEEP and pool.absences.longer_than is not None:
            yield odd(
                ("pools", name, "absences", "longer_than"),
                f'pool "{name}" keeps open work in every absence: longer_than says nothing',
            )
        if pool.absences.open_work is not OpenWork.DEPUTY:
            continue
        for person in pool.members:
            if person not in people or not people[person].active:
                continue
            deputy = people[person].deputy
            if deputy is None:
                yield odd(
                    path,
                    f'"{person}" of pool "{name}" has no deputy: whose turn it is takes over '
                    "their open work",
                )
            elif deputy in people and not _takes_over(context, deputy, pool):
                yield wrong(
                    ("people", person, "deputy"),
                    f'"{deputy}" cannot take over from "{person}": they are in no pool of kind '
                    f"{pool.kind.value}",
                )


def _takes_over(context: CheckContext, deputy: str, pool: PoolModel) -> bool:
    return any(
        deputy in other.members for other in context.model.pools.values() if other.kind is pool.kind
    )


def _relaxing(context: CheckContext) -> Iterator[Finding]:
    for name, pool in context.model.pools.items():
        never = [step.value for step in ASK_AGAIN if step not in pool.relax]
        if never and pool.nobody == "hold":
            yield odd(
                ("pools", name, "relax"),
                f'pool "{name}" holds what nobody can take and never gives up {", ".join(never)}: '
                "a lead that everybody let pass or refused would wait for ever; let it overflow or "
                "be watched",
            )


def _overflows(context: CheckContext) -> Iterator[Finding]:
    pools = context.model.pools
    for name, pool in pools.items():
        path = ("pools", name, "nobody", "overflow")
        if not isinstance(pool.nobody, OverflowModel) or pool.nobody.overflow not in pools:
            continue
        target = pools[pool.nobody.overflow]
        if target.kind is not pool.kind:
            yield wrong(
                path,
                f'pool "{name}" ({pool.kind.value}) overflows into "{pool.nobody.overflow}", which '
                f"is {target.kind.value}",
            )
        chain = [name]
        while isinstance(pool.nobody, OverflowModel) and pool.nobody.overflow in pools:
            if pool.nobody.overflow in chain:
                if chain[0] == min(chain):
                    circle = " -> ".join([*chain, pool.nobody.overflow])
                    yield wrong(
                        path,
                        f"overflows run in a circle ({circle}): let one of them hold or be watched",
                    )
                break
            chain.append(pool.nobody.overflow)
            pool = pools[pool.nobody.overflow]


def _bridge(context: CheckContext) -> Iterator[Finding]:
    model = context.model
    kinds = {pool.kind.value for pool in model.pools.values()}
    bridge = model.lifecycle.bridge
    if bridge is Bridge.NONE and not model.lifecycle.poor_fit:
        if "sdr" in kinds:
            yield odd(
                ("lifecycle", "bridge"),
                "there is no bridge team by this, yet there are pools of kind sdr",
            )
    elif "sdr" not in kinds:
        why = (
            f"the bridge team takes {bridge.value}"
            if bridge is not Bridge.NONE
            else "poor fits go to SDR triage"
        )
        yield wrong(("lifecycle", "bridge"), f"{why}, but there is no pool of kind sdr")
    elif model.routing.default.sdr is None:
        yield wrong(
            ("routing", "default"),
            "the default names no sdr pool, so an SDR lead that fits no rule would have none",
        )
    if "sales" not in kinds:
        yield wrong(
            ("pools",),
            "there is no pool of kind sales: leads that are qualified have nowhere to go",
        )
    elif model.routing.default.sales is None:
        yield wrong(
            ("routing", "default"),
            "the default names no sales pool, so a sales lead that fits no rule would have none",
        )


def _gone(context: CheckContext) -> Iterator[Finding]:
    """Who gets no leads any more, but is still named."""
    model = context.model
    gone = {name for name, person_model in model.people.items() if not person_model.active}
    named: list[tuple[Path, str | None, str]] = [
        (
            ("routing", "accounts", domain, "owner"),
            account.owner,
            f'owns account "{domain}", whose leads go by the other rules',
        )
        for domain, account in model.routing.accounts.items()
    ]
    named += [
        (("people", name, "manager"), person_model.manager, f'is the manager of "{name}"')
        for name, person_model in model.people.items()
    ]
    named += [
        (("people", name, "deputy"), person_model.deputy, f'is the deputy of "{name}"')
        for name, person_model in model.people.items()
    ]
    named += [
        (("pools", name, "manager"), pool.manager, f'is the manager of pool "{name}"')
        for name, pool in model.pools.items()
    ]
    contacts = model.routing.contacts
    known = [*contacts.campaigns.items(), *contacts.segments.items()]
    named += [
        (("routing", "contacts"), person, f'is the marketing contact of "{what}"')
        for what, person in known
    ]
    named.append((("routing", "contacts"), contacts.default, "is the marketing contact"))
    for path, person, why in named:
        if person in gone and not (path[0] == "people" and path[1] in gone):
            yield odd(path, f'"{person}" is not active, but {why}')


def _unused(context: CheckContext) -> Iterator[Finding]:
    model = context.model
    rules = (*model.routing.territories, *model.routing.segments)
    destinations = [rule.to for rule in rules] + [model.routing.default]
    destinations += [account.to for account in model.routing.accounts.values() if account.to]
    reached = {
        name
        for destination in destinations
        for name in (destination.sdr, destination.sales)
        if name
    }
    reached |= {
        pool.nobody.overflow
        for pool in model.pools.values()
        if isinstance(pool.nobody, OverflowModel)
    }
    for name in model.pools:
        if name not in reached:
            yield odd(("pools", name), f'no rule sends leads to pool "{name}"')
    busy = {member for pool in model.pools.values() for member in pool.members}
    busy |= {account.owner for account in model.routing.accounts.values() if account.owner}
    busy |= {person.manager for person in model.people.values() if person.manager}
    busy |= {pool.manager for pool in model.pools.values() if pool.manager}
    busy |= {
        pool.nobody.watch for pool in model.pools.values() if isinstance(pool.nobody, WatchModel)
    }
    contacts = model.routing.contacts
    busy |= {*contacts.campaigns.values(), *contacts.segments.values()}
    busy |= {contacts.default} if contacts.default else set()
    for name in model.people:
        if name not in busy:
            yield odd(
                ("people", name), f'"{name}" is in no pool, manages nobody and owns no account'
            )
