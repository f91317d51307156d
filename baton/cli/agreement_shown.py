"""An agreement as tables for the terminal."""

from collections.abc import Iterator

from rich.console import RenderableType
from rich.markup import escape
from rich.table import Table

from baton.agreement.compiled import Band, CompiledAgreement
from baton.agreement.model.calendar import hours_words
from baton.agreement.wording import condition_words, ladder_words, promise_subject
from baton.agreement.words import duration_words, points_words


def shown(agreement: CompiledAgreement) -> Iterator[RenderableType]:
    """Title, then a table for each section."""
    yield f"[bold]{escape(agreement.name)}[/]   version {agreement.version}   {agreement.timezone}"
    yield _levels(agreement)
    yield _fit(agreement)
    yield _acts(agreement)
    yield _groups(agreement)
    yield _pools(agreement)
    yield _routing(agreement)
    yield _promises(agreement)
    if agreement.raw.slas.ladders:
        yield _ladders(agreement)
    yield _reasons(agreement)
    yield _calendars(agreement)
    if agreement.goals:
        yield _goals(agreement)


def _table(title: str, *headings: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=None, header_style="dim", pad_edge=False)
    for each in headings:
        table.add_column(each, overflow="fold")
    return table


def _levels(agreement: CompiledAgreement) -> Table:
    fit_bands, act_bands = agreement.levels.bands
    heads = [f"{band.name}: from {points_words(band.enter_micro)}{_left(band)}" for band in act_bands]
    table = _table("Levels: fit by engagement", "fit", *heads)
    for fit in fit_bands:
        cells = (agreement.levels.matrix[fit.name][act.name] for act in act_bands)
        table.add_row(f"{fit.name}: from {points_words(fit.enter_micro)}", *cells)
    return table


def _left(band: Band) -> str:
    return f", left below {points_words(band.exit_micro)}" if band.exit_micro != band.enter_micro else ""


def _fit(agreement: CompiledAgreement) -> Table:
    table = _table("Fit", "criterion", "points", "when")
    for name, each in sorted(agreement.raw.fit.items(), key=lambda item: (-item[1].points, item[0])):
        table.add_row(escape(name), points_words(each.points), escape(condition_words(each.when)))
    return table


def _acts(agreement: CompiledAgreement) -> Table:
    table = _table("Acts", "act", "points", "group", "a day", "")
    for name, rule in sorted(agreement.engagement.acts.items(), key=lambda item: (-item[1].points_micro, item[0])):
        fast = f"qualifies at once, up to {duration_words(rule.max_age_ms)} old" if rule.fast_track else ""
        table.add_row(name, points_words(rule.points_micro), rule.group, str(rule.per_day or ""), fast)
        for exception in agreement.engagement.exceptions.get(name, ()):
            table.add_row(f"  {exception.name}", points_words(exception.points_micro), "", "", "")
    return table


def _groups(agreement: CompiledAgreement) -> Table:
    table = _table("Groups of acts", "group", "half as much after", "counts for", "cap", "a day")
    for group in agreement.engagement.groups.values():
        half = duration_words(group.half_life_ms) if group.half_life_ms else "never"
        cap = points_words(group.cap_micro) if group.cap_micro is not None else "none"
        table.add_row(group.name, half, duration_words(group.keeps_ms), cap, str(group.per_day))
    return table


def _pools(agreement: CompiledAgreement) -> Table:
    table = _table("Pools", "pool", "kind", "calendar", "members (weight)", "if nobody is there")
    for pool in agreement.pools.values():
        members = ", ".join(f"{each.person} ({each.weight})" for each in pool.members)
        table.add_row(pool.name, pool.kind, pool.calendar, members, _nobody(pool.nobody, pool.overflow_to, pool.watcher))
    return table


def _nobody(nobody: str, overflow_to: str | None, watcher: str | None) -> str:
    return f"overflow to {overflow_to}" if overflow_to else f"{watcher} watches" if watcher else nobody


def _routing(agreement: CompiledAgreement) -> Table:
    raw = agreement.raw.routing
    table = _table("Routing, the first that fits", "rule", "when", "to")
    for rule in raw.suppress:
        table.add_row(escape(rule.name), escape(condition_words(rule.when)), f"nobody: {rule.reason}")
    for domain, account in sorted(raw.accounts.items()):
        pools = ", ".join(filter(None, (account.to.sdr, account.to.sales))) if account.to else ""
        table.add_row("named account", domain, account.owner or pools)
    for each in (*raw.territories, *raw.segments):
        pools = ", ".join(filter(None, (each.to.sdr, each.to.sales)))
        needs = f" (needs {', '.join(each.needs)})" if each.needs else ""
        table.add_row(escape(each.name), escape(condition_words(each.when)), pools + needs)
    table.add_row("default", "everybody else", ", ".join(filter(None, (raw.default.sdr, raw.default.sales))))
    return table


def _promises(agreement: CompiledAgreement) -> Table:
    raw = agreement.raw.slas
    table = _table("Promises", "clock", "for", "side", "within", "warnings", "if broken")
    for model, rule in zip(raw.promises, agreement.slas.rules, strict=True):
        within = f"{model.attempts} attempts in {rule.target.words}" if model.attempts > 1 else rule.target.words
        warnings = ", ".join(f"{each}%" for each in rule.warnings)
        broken = f"ladder {model.ladder_name}" if model.ladder_name else ladder_words(model.ladder)
        table.add_row(rule.clock, promise_subject(model) or "all", rule.side, within, warnings, broken)
    return table


def _ladders(agreement: CompiledAgreement) -> Table:
    table = _table("Ladders", "ladder", "what happens after a breach")
    for name, steps in sorted(agreement.raw.slas.ladders.items()):
        table.add_row(name, ladder_words(steps))
    return table


def _reasons(agreement: CompiledAgreement) -> Table:
    table = _table("Reasons", "reason", "outcome", "track", "comes back", "cool-off")
    for name, each in sorted(agreement.raw.recycling.reasons.items()):
        back = each.comes_back.words if each.comes_back else ""
        if each.if_unknown is not None:
            back += f" (else after {duration_words(each.if_unknown)})"
        table.add_row(name, each.outcome.value, each.track or "", back, duration_words(each.cool_off) if each.cool_off else "")
    return table


def _calendars(agreement: CompiledAgreement) -> Table:
    table = _table("Calendars", "calendar", "time zone", "hours", "holidays")
    for name, each in sorted(agreement.raw.calendars.items()):
        days = [f"{day} {hours_words(spans)}" for day, spans in each.hours.items()]
        table.add_row(name, str(agreement.calendars[name].zone), "; ".join(days), ", ".join(each.holidays))
    return table


def _goals(agreement: CompiledAgreement) -> Table:
    table = _table("Goals", "goal", "side", "metric", "target", "each", "segment")
    for goal in agreement.goals.values():
        target = f"{goal.target} x {goal.quota} {goal.currency}" if goal.quota else f"{goal.target} {goal.currency or ''}".strip()
        table.add_row(escape(goal.label), goal.side, goal.metric, target, goal.per, goal.segment or "all")
    return table
