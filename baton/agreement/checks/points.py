"""Points: bands that the criteria can reach, caps that let a threshold be reached, acts and
exceptions that can count."""

from collections.abc import Iterator
from typing import Final

from baton.agreement.checks.context import CheckContext, Finding, odd, wrong
from baton.agreement.compiled.decay import Decay
from baton.agreement.compiled.fit import MAX_FIT_MICRO
from baton.agreement.compiled.levels import RANK, READ_MICRO
from baton.agreement.model.definitions import LevelsModel
from baton.agreement.model.engagement import ActModel, ExceptionModel, GroupModel
from baton.agreement.quantities import DAY_MS, MINUTE_MS, duration_words, points_words

_TENTH: Final = 2 * READ_MICRO


def check(context: CheckContext) -> Iterator[Finding]:
    """Sums against thresholds."""
    yield from _fit(context)
    yield from _engagement(context)
    yield from _acts(context)
    yield from _tenths(context)


def _tenths(context: CheckContext) -> Iterator[Finding]:
    """Where a level hangs on less than a tenth of a point: what decays by that in an hour or two
    decides it."""
    levels, model = context.model.definitions.levels, context.model.engagement
    for name, band in levels.engagement.items():
        if 0 < band.enter - band.leaves < _TENTH:
            yield odd(
                ("definitions", "levels", "engagement", name, "exit"),
                f"engagement band {name} is entered at {points_words(band.enter)} and left below "
                f"{points_words(band.leaves)}: "
                "less than a tenth of a point apart, so it is left as soon as it is entered",
            )
    leading = {name: band for name, band in levels.engagement.items() if _leads_on(levels, name)}
    for act, rule in model.acts.items():
        group = model.groups.get(rule.group)
        if group is None or group.half_life is None or rule.fast_track:
            continue
        for path, points in (
            (("engagement", "acts", act, "points"), rule.points),
            *(
                (("engagement", "acts", act, "exceptions", n, "points"), exception.points)
                for n, exception in enumerate(rule.exceptions)
            ),
        ):
            for name, band in leading.items():
                if -READ_MICRO <= points - band.enter < READ_MICRO and points > 0:
                    holds = round(
                        Decay(group.half_life).crossing_ms(points, max(band.enter - READ_MICRO, 1))
                    )
                    yield odd(
                        path,
                        f'"{act}" is worth {points_words(points)}, and engagement band {name} '
                        f"begins at {points_words(band.enter)}: "
                        "alone it reaches the band only where it arrives within "
                        f"{duration_words(_rough(holds))}; "
                        "give it a point more, or the band a point less",
                    )


def _leads_on(levels: LevelsModel, name: str) -> bool:
    """Whether the band makes a difference to a level: some row of the matrix is warmer there than a
    band below."""
    order = [band for band, _ in levels.best_first("engagement")]
    below = order[order.index(name) + 1 :]
    return any(
        RANK[row[name]] > RANK[row[candidate]]
        for row in levels.matrix.values()
        for candidate in below
        if {name, candidate} <= row.keys()
    )


def _rough(ms: int) -> int:
    """The duration in whole minutes: what people can distinguish."""
    return max(ms // MINUTE_MS, 1) * MINUTE_MS


def _fit(context: CheckContext) -> Iterator[Finding]:
    most = min(
        sum(max(fit_rule.points, 0) for fit_rule in context.model.fit.values()), MAX_FIT_MICRO
    )
    for name, band in context.model.definitions.levels.fit.items():
        if band.enter > most:
            yield wrong(
                ("definitions", "levels", "fit", name, "enter"),
                f"fit band {name} begins at {points_words(band.enter)}, but all criteria together "
                f"give {points_words(most)}: "
                "it cannot be reached",
            )
    for title, criterion in context.model.fit.items():
        if criterion.points == 0:
            yield odd(("fit", title, "points"), f'"{title}" is worth nothing')


def _engagement(context: CheckContext) -> Iterator[Finding]:
    model, levels = context.model.engagement, context.model.definitions.levels
    most = 0
    capped: list[str] = []
    for name, group in model.groups.items():
        reach = _reach(group, [act for act in model.acts.values() if act.group == name])
        if group.cap is not None and reach > group.cap:
            reach = group.cap
            capped.append(f"{name} {points_words(group.cap)}")
        most += reach
    for name, band in levels.engagement.items():
        if band.enter > most:
            why = f"the groups give {points_words(most)} at most" + (
                f" (caps: {', '.join(capped)})" if capped else ""
            )
            needed = sorted(
                {row[name] for row in levels.matrix.values() if name in row and RANK[row[name]] > 0}
            )
            use = (
                f", which {' and '.join(needed)} {'need' if len(needed) > 1 else 'needs'}"
                if needed
                else ""
            )
            path = ("definitions", "levels", "engagement", name, "enter")
            yield wrong(
                path,
                f"engagement band {name} begins at {points_words(band.enter)}{use}, but {why}: it "
                "cannot be reached",
            )


def _reach(group: GroupModel, acts: list[ActModel]) -> int:
    """The most points the group can hold at once, caps left out: every day as many of the best acts
    as count."""
    a_day, left = 0, group.per_day
    for points, times in sorted(
        ((_best(act), act.per_day or group.per_day) for act in acts), reverse=True
    ):
        taken = min(times, left)
        a_day += max(points, 0) * taken
        left -= taken
    days = (group.window or Decay(group.half_life or DAY_MS).faded_ms) / DAY_MS
    return int(Decay(group.half_life or 0).of_every_day(a_day, max(days, 1)))


def _best(act: ActModel) -> int:
    return max(act.points, *(exception.points for exception in act.exceptions), 0)


def _acts(context: CheckContext) -> Iterator[Finding]:
    model = context.model.engagement
    for name, act in model.acts.items():
        group = model.groups.get(act.group)
        if group is None:
            continue
        if group.cap is not None and _best(act) > group.cap:
            yield odd(
                ("engagement", "acts", name, "points"),
                f'"{name}" gives {points_words(_best(act))} points, but its group "{act.group}" is '
                f"capped at {points_words(group.cap)}",
            )
        if act.per_day is not None and act.per_day > group.per_day:
            yield odd(
                ("engagement", "acts", name, "per_day"),
                f'"{name}" may count {act.per_day} times a day, but its group "{act.group}" stops '
                f"at {group.per_day}",
            )
        if "max_age" in act.model_fields_set and not act.fast_track:
            yield odd(
                ("engagement", "acts", name, "max_age"),
                f'max_age of "{name}" says nothing: it belongs to acts with fast_track: true',
            )
        if act.fast_track and act.points <= 0:
            yield odd(
                ("engagement", "acts", name, "points"),
                f'"{name}" qualifies at once, yet is worth {points_words(act.points)}',
            )
        for number, exception in enumerate(act.exceptions):
            earlier = next(
                (
                    earlier
                    for earlier in range(number)
                    if _covers(act.exceptions[earlier], exception)
                ),
                None,
            )
            if earlier is not None:
                yield _never(name, number, earlier)


def _never(act: str, number: int, earlier: int) -> Finding:
    path = ("engagement", "acts", act, "exceptions", number)
    return wrong(
        path,
        f'exception {number + 1} of "{act}" is never reached: exception {earlier + 1} before it '
        "takes everything",
    )


def _covers(wide: ExceptionModel, narrow: ExceptionModel) -> bool:
    stage = wide.stage is None or wide.stage == narrow.stage
    topics = not wide.topics or (bool(narrow.topics) and set(narrow.topics) <= set(wide.topics))
    return stage and topics
