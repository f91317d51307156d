"""An agreement as tables for the terminal."""

from collections.abc import Iterator

from rich.console import RenderableType
from rich.markup import escape
from rich.table import Table

from baton.agreement.compiled.agreement import Band, CompiledAgreement
from baton.agreement.describe import condition_words, ladder_words, promise_subject
from baton.agreement.model.calendars import hours_words
from baton.agreement.model.engagement import groups_without_limit
from baton.agreement.quantities import duration_words, points_words
from baton.agreement_report.people_tables import people_table, pools_table, table_of


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
    yield people_table(agreement)
    yield pools_table(agreement)
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


def _levels(agreement: CompiledAgreement) -> Table:
    fit_bands, act_bands = agreement.levels.bands
    heads = [
        f"{band.name}: from {points_words(band.enter_micro)}{_left(band)}" for band in act_bands
    ]
    table = table_of("Levels: fit by engagement", "fit", *heads)
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
    table = table_of("Fit", "criterion", "points", "when")
    for name, fit in sorted(agreement.raw.fit.items(), key=lambda item: (-item[1].points, item[0])):
        table.add_row(escape(name), points_words(fit.points), escape(condition_words(fit.when)))
    return table


def _acts(agreement: CompiledAgreement) -> Table:
    table = table_of("Acts", "act", "points", "group", "a day", "")
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
    table = table_of("Groups of acts", "group", "half as much after", "counts for", "cap", "a day")
    silent = groups_without_limit(agreement.raw.engagement)
    for group in agreement.engagement.groups.values():
        half = duration_words(group.half_life_ms) if group.half_life_ms else "never"
        cap = points_words(group.cap_micro) if group.cap_micro is not None else "none"
        limit = f"{group.per_day} (default)" if group.name in silent else str(group.per_day)
        table.add_row(group.name, half, duration_words(group.keeps_ms), cap, limit)
    return table


def _segments(agreement: CompiledAgreement) -> Table:
    table = table_of("Segments, the first that fits", "segment", "when")
    for segment in agreement.raw.definitions.segments:
        table.add_row(segment.name, escape(condition_words(segment.when)))
    return table


def _lifecycle(agreement: CompiledAgreement) -> Table:
    raw, scanner = agreement.raw.lifecycle, agreement.engagement.scanner
    table = table_of("From interest to MQL", "rule", "")
    table.add_row("a level is kept at least", duration_words(agreement.levels.dwell_ms))
    for name, gate in sorted(raw.gates.items()):
        table.add_row(f"besides a level: {escape(name)}", escape(condition_words(gate.when)))
    table.add_row("the bridge team takes", raw.bridge.value)
    table.add_row("fast-track acts go to SDR triage with fit", ", ".join(raw.poor_fit) or "never")
    table.add_row("a lowered threshold releases a day and pool", str(raw.drip))
    if raw.holdout:
        table.add_row("handed over blind below the threshold", f"{raw.holdout}%")
    table.add_row("a lead that lacks something waits at most", duration_words(raw.settle))
    if scanner is not None:
        clicks = (
            f"{scanner.clicks} clicks in a message within {duration_words(scanner.within_ms)} "
            f"({', '.join(sorted(scanner.acts))})"
        )
        table.add_row("a mail scanner's, so not counted", clicks)
    table.add_row("acts of machines count", "yes" if agreement.engagement.count_automatic else "no")
    return table


def _tracks(agreement: CompiledAgreement) -> Table:
    raw = agreement.raw.recycling
    table = table_of("Tracks", "track", "what", "topics", "content", "may last")
    for name, track in sorted(raw.tracks.items()):
        lasts = duration_words(track.may_last) if track.may_last is not None else ""
        table.add_row(
            name, escape(track.label or ""), ", ".join(track.topics), track.stage or "", lasts
        )
    beyond = (
        f"after {raw.limit} recyclings, for {duration_words(raw.long_term.comes_back)} each time"
    )
    table.add_row(raw.long_term.track, beyond, "", "", "")
    return table


def _consent(agreement: CompiledAgreement) -> Table:
    table = table_of("Consent", "before", "purpose", "channels", "basis", "")
    for before, rule in (
        ("a hand-off", agreement.raw.consent.hand_off),
        ("nurture", agreement.raw.consent.nurture),
    ):
        raised = "a raised hand allows it" if rule.hand_raise_allows else ""
        table.add_row(before, rule.purpose, ", ".join(rule.channels), rule.basis.value, raised)
    return table


def _routing(agreement: CompiledAgreement) -> Table:
    raw = agreement.raw.routing
    table = table_of("Routing, the first that fits", "rule", "when", "to")
    for rule in raw.suppress:
        table.add_row(
            escape(rule.name), escape(condition_words(rule.when)), f"nobody: {rule.reason}"
        )
    for domain, account in sorted(raw.accounts.items()):
        pools = ", ".join(filter(None, (account.to.sdr, account.to.sales))) if account.to else ""
        table.add_row("named account", domain, account.owner or pools)
    for route in (*raw.territories, *raw.segments):
        pools = ", ".join(filter(None, (route.to.sdr, route.to.sales)))
        needs = f" (needs {', '.join(route.needs)})" if route.needs else ""
        table.add_row(escape(route.name), escape(condition_words(route.when)), pools + needs)
    if raw.needs:
        table.add_row("every lead", "", f"needs {', '.join(raw.needs)}")
    table.add_row(
        "default", "everybody else", ", ".join(filter(None, (raw.default.sdr, raw.default.sales)))
    )
    return table


def _promises(agreement: CompiledAgreement) -> Table:
    raw = agreement.raw.slas
    table = table_of("Promises", "clock", "for", "side", "within", "warnings", "if broken")
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
    table = table_of("Ladders", "ladder", "what happens after a breach")
    for name, steps in sorted(agreement.raw.slas.ladders.items()):
        table.add_row(name, ladder_words(steps))
    return table


def _reasons(agreement: CompiledAgreement) -> Table:
    table = table_of("Reasons", "reason", "outcome", "track", "comes back", "cool-off")
    for name, reason in sorted(agreement.raw.recycling.reasons.items()):
        back = reason.comes_back.words if reason.comes_back else ""
        if reason.if_unknown is not None:
            back += f" (else after {duration_words(reason.if_unknown)})"
        table.add_row(
            name,
            reason.outcome.value,
            reason.track or "",
            back,
            duration_words(reason.cool_off) if reason.cool_off else "",
        )
    return table


def _calendars(agreement: CompiledAgreement) -> Table:
    table = table_of("Calendars", "calendar", "time zone", "hours", "holidays", "other days")
    for name, calendar in sorted(agreement.raw.calendars.items()):
        days = [f"{day} {hours_words(spans)}" for day, spans in calendar.hours.items()]
        others = [f"{day} closed" for day in calendar.closed if day not in calendar.open]
        others += [f"{day} {hours_words(spans)}" for day, spans in sorted(calendar.open.items())]
        table.add_row(
            name,
            str(agreement.calendars[name].zone),
            "; ".join(days),
            ", ".join(calendar.holidays),
            "; ".join(others),
        )
    return table


def _goals(agreement: CompiledAgreement) -> Table:
    table = table_of("Goals", "goal", "side", "metric", "target", "each", "segment")
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
