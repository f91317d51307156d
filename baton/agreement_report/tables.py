"""An agreement as tables for the terminal."""

from collections.abc import Iterator

from rich.console import RenderableType
from rich.markup import escape
from rich.table import Table

from baton.agreement.compiled.agreement import Band, CompiledAgreement
from baton.agreement.compiled.pools import Limits, Member
from baton.agreement.describe import condition_words, ladder_words, promise_subject
from baton.agreement.model.calendar import hours_words
from baton.agreement.model.scoring import groups_without_limit
from baton.agreement.quantities import duration_words, points_words


def shown(agreement: CompiledAgreement) -> Iterator[RenderableType]:
    """Title, then a table for each section."""
    yield f"[bold]{escape(agreement.name)}[/]   version {agreement.version}   {agreement.timezone}"
    yield _levels(agreement)
    if agreement.raw.definitions.segments:
        yield _segments(agreement)
    yield _fit(agreement)
    yield _acts(agreement)
    yield _groups(agreement)
    yield _lifecycle(agreement)
    yield _people(agreement)
    yield _pools(agreement)
    yield _routing(agreement)
    yield _promises(agreement)
    if agreement.raw.slas.ladders:
        yield _ladders(agreement)
    yield _reasons(agreement)
    yield _tracks(agreement)
    yield _consent(agreement)
    yield _calendars(agreement)
    if agreement.goals:
        yield _goals(agreement)


def _table(title: str, *headings: str) -> Table:
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


def _levels(agreement: CompiledAgreement) -> Table:
    fit_bands, act_bands = agreement.levels.bands
    heads = [
        f"{band.name}: from {points_words(band.enter_micro)}{_left(band)}" for band in act_bands
    ]
    table = _table("Levels: fit by engagement", "fit", *heads)
    for fit in fit_bands:
        cells = (agreement.levels.matrix[fit.name][act.name] for act in act_bands)
        table.add_row(f"{fit.name}: from {points_words(fit.enter_micro)}", *cells)
    return table


def _left(band: Band) -> str:
    return (
        f", left below {points_words(band.exit_micro)}"
        if band.exit_micro != band.enter_micro
        else ""
    )


def _fit(agreement: CompiledAgreement) -> Table:
    table = _table("Fit", "criterion", "points", "when")
    for name, each in sorted(
        agreement.raw.fit.items(), key=lambda item: (-item[1].points, item[0])
    ):
        table.add_row(escape(name), points_words(each.points), escape(condition_words(each.when)))
    return table


def _acts(agreement: CompiledAgreement) -> Table:
    table = _table("Acts", "act", "points", "group", "a day", "")
    for name, rule in sorted(
        agreement.engagement.acts.items(), key=lambda item: (-item[1].points_micro, item[0])
    ):
        fast = (
            f"qualifies at once, up to {duration_words(rule.max_age_ms)} old"
            if rule.fast_track
            else ""
        )
        table.add_row(
            name, points_words(rule.points_micro), rule.group, str(rule.per_day or ""), fast
        )
        for exception in agreement.engagement.exceptions.get(name, ()):
            table.add_row(f"  {exception.name}", points_words(exception.points_micro), "", "", "")
    return table


def _groups(agreement: CompiledAgreement) -> Table:
    table = _table("Groups of acts", "group", "half as much after", "counts for", "cap", "a day")
    silent = groups_without_limit(agreement.raw)
    for group in agreement.engagement.groups.values():
        half = duration_words(group.half_life_ms) if group.half_life_ms else "never"
        cap = points_words(group.cap_micro) if group.cap_micro is not None else "none"
        limit = f"{group.per_day} (default)" if group.name in silent else str(group.per_day)
        table.add_row(group.name, half, duration_words(group.keeps_ms), cap, limit)
    return table


def _segments(agreement: CompiledAgreement) -> Table:
    table = _table("Segments, the first that fits", "segment", "when")
    for segment in agreement.raw.definitions.segments:
        table.add_row(segment.name, escape(condition_words(segment.when)))
    return table


def _lifecycle(agreement: CompiledAgreement) -> Table:
    raw, scanner = agreement.raw.lifecycle, agreement.engagement.scanner
    table = _table("From interest to MQL", "rule", "")
    table.add_row("a level is kept at least", duration_words(agreement.levels.dwell_ms))
    for name, gate in sorted(raw.gates.items()):
        table.add_row(f"besides a level: {escape(name)}", escape(condition_words(gate.when)))
    table.add_row("the bridge team takes", raw.bridge.value)
    table.add_row("fast-track acts go to SDR triage with fit", ", ".join(raw.poor_fit) or "never")
    table.add_row("a lowered threshold releases a day and pool", str(raw.drip))
    table.add_row("a lead that lacks something waits at most", duration_words(raw.settle))
    if scanner is not None:
        clicks = (
            f"{scanner.clicks} clicks in a message within {duration_words(scanner.within_ms)} "
            f"({', '.join(sorted(scanner.acts))})"
        )
        table.add_row("a mail scanner's, so not counted", clicks)
    table.add_row("acts of machines count", "yes" if agreement.engagement.count_automatic else "no")
    return table


def _people(agreement: CompiledAgreement) -> Table:
    table = _table(
        "People", "person", "name", "calendar", "skills", "manager", "at most, over all pools"
    )
    for person, each in sorted(agreement.people.items()):
        name = each.name if each.active else f"{each.name} (not active)"
        table.add_row(
            person,
            escape(name),
            each.calendar or "",
            ", ".join(sorted(each.skills)),
            each.manager or "",
            _limits(each.limits),
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


def _tracks(agreement: CompiledAgreement) -> Table:
    raw = agreement.raw.recycling
    table = _table("Tracks", "track", "what", "topics", "content", "may last")
    for name, each in sorted(raw.tracks.items()):
        lasts = duration_words(each.may_last) if each.may_last is not None else ""
        table.add_row(
            name, escape(each.label or ""), ", ".join(each.topics), each.stage or "", lasts
        )
    beyond = (
        f"after {raw.limit} recyclings, for {duration_words(raw.long_term.comes_back)} each time"
    )
    table.add_row(raw.long_term.track, beyond, "", "", "")
    return table


def _consent(agreement: CompiledAgreement) -> Table:
    table = _table("Consent", "before", "purpose", "channels", "basis", "")
    for before, each in (
        ("a hand-off", agreement.raw.consent.hand_off),
        ("nurture", agreement.raw.consent.nurture),
    ):
        raised = "a raised hand allows it" if each.hand_raise_allows else ""
        table.add_row(before, each.purpose, ", ".join(each.channels), each.basis.value, raised)
    return table


def _pools(agreement: CompiledAgreement) -> Table:
    table = _table("Pools", "pool", "kind", "calendar", "members (weight)", "if nobody is there")
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


def _routing(agreement: CompiledAgreement) -> Table:
    raw = agreement.raw.routing
    table = _table("Routing, the first that fits", "rule", "when", "to")
    for rule in raw.suppress:
        table.add_row(
            escape(rule.name), escape(condition_words(rule.when)), f"nobody: {rule.reason}"
        )
    for domain, account in sorted(raw.accounts.items()):
        pools = ", ".join(filter(None, (account.to.sdr, account.to.sales))) if account.to else ""
        table.add_row("named account", domain, account.owner or pools)
    for each in (*raw.territories, *raw.segments):
        pools = ", ".join(filter(None, (each.to.sdr, each.to.sales)))
        needs = f" (needs {', '.join(each.needs)})" if each.needs else ""
        table.add_row(escape(each.name), escape(condition_words(each.when)), pools + needs)
    if raw.needs:
        table.add_row("every lead", "", f"needs {', '.join(raw.needs)}")
    table.add_row(
        "default", "everybody else", ", ".join(filter(None, (raw.default.sdr, raw.default.sales)))
    )
    return table


def _promises(agreement: CompiledAgreement) -> Table:
    raw = agreement.raw.slas
    table = _table("Promises", "clock", "for", "side", "within", "warnings", "if broken")
    for model, rule in zip(raw.promises, agreement.slas.rules, strict=True):
        within = (
            f"{model.attempts} attempts in {rule.target.words}"
            if model.attempts > 1
            else rule.target.words
        )
        warnings = ", ".join(f"{warning}%" for warning in rule.warnings)
        broken = f"ladder {model.ladder_name}" if model.ladder_name else ladder_words(model.ladder)
        table.add_row(
            rule.clock, promise_subject(model) or "all", rule.side, within, warnings, broken
        )
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
        table.add_row(
            name,
            each.outcome.value,
            each.track or "",
            back,
            duration_words(each.cool_off) if each.cool_off else "",
        )
    return table


def _calendars(agreement: CompiledAgreement) -> Table:
    table = _table("Calendars", "calendar", "time zone", "hours", "holidays", "other days")
    for name, each in sorted(agreement.raw.calendars.items()):
        days = [f"{day} {hours_words(spans)}" for day, spans in each.hours.items()]
        others = [f"{day} closed" for day in each.closed if day not in each.open]
        others += [f"{day} {hours_words(spans)}" for day, spans in sorted(each.open.items())]
        table.add_row(
            name,
            str(agreement.calendars[name].zone),
            "; ".join(days),
            ", ".join(each.holidays),
            "; ".join(others),
        )
    return table


def _goals(agreement: CompiledAgreement) -> Table:
    table = _table("Goals", "goal", "side", "metric", "target", "each", "segment")
    for goal in agreement.goals.values():
        target = (
            f"{goal.target} x {goal.quota} {goal.currency}"
            if goal.quota
            else f"{goal.target} {goal.currency or ''}".strip()
        )
        table.add_row(
            escape(goal.label), goal.side, goal.metric, target, goal.per, goal.segment or "all"
        )
    return table
