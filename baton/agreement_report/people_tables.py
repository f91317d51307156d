"""The tables of people and pools, and what every table of an agreement looks like."""

from rich.markup import escape
from rich.table import Table

from baton.agreement.compiled.agreement import CompiledAgreement
from baton.agreement.compiled.pools import Limits, Member


def table_of(title: str, *headings: str) -> Table:
    """An empty table with its headings."""
    table = Table(
        title=title,
        title_justify="left",
        title_style="bold",
        box=None,
        header_style="dim",
        pad_edge=False,
    )
    for heading in headings:
        table.add_column(heading, overflow="fold")
    return table


def people_table(agreement: CompiledAgreement) -> Table:
    """Who there is, with their limits over all pools."""
    table = table_of(
        "People", "person", "name", "calendar", "skills", "manager", "at most, over all pools"
    )
    for person, rule in sorted(agreement.people.items()):
        name = rule.name if rule.active else f"{rule.name} (not active)"
        table.add_row(
            person,
            escape(name),
            rule.calendar or "",
            ", ".join(sorted(rule.skills)),
            rule.manager or "",
            _limits(rule.limits),
        )
    return table


def _limits(limits: Limits) -> str:
    words = (
        (limits.capacity, "open"),
        (limits.offers, "unanswered"),
        (limits.per_day, "a day"),
        (limits.per_week, "a week"),
    )
    return ", ".join(f"{limit} {what}" for limit, what in words if limit is not None)


def pools_table(agreement: CompiledAgreement) -> Table:
    """Who shares a queue, by which weights and limits."""
    table = table_of("Pools", "pool", "kind", "calendar", "members (weight)", "if nobody is there")
    for pool in agreement.pools.values():
        members = ", ".join(f"{member.person} ({_member(member)})" for member in pool.members)
        table.add_row(
            pool.name,
            pool.kind,
            pool.calendar,
            members,
            _nobody(pool.nobody, pool.overflow_to, pool.watcher),
        )
    return table


def _member(member: Member) -> str:
    limits = ((member.per_day, "a day"), (member.per_week, "a week"))
    words = [
        f"{float(member.weight):g}",
        *(f"{limit} {span}" for limit, span in limits if limit is not None),
    ]
    if member.ramp is not None:
        words.append(f"from {member.ramp.starts} over {member.ramp.weeks} weeks")
    return ", ".join(words)


def _nobody(nobody: str, overflow_to: str | None, watcher: str | None) -> str:
    return (
        f"overflow to {overflow_to}" if overflow_to else f"{watcher} watches" if watcher else nobody
    )
