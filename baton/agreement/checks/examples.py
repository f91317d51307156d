"""Examples: they speak of acts, fields and pools that exist."""

from collections.abc import Iterator

from baton.agreement.checks.context import CheckContext, Finding, dangling, odd, wrong
from baton.agreement.compiler.agreement import moment_ms
from baton.agreement.model.examples import ExampleModel
from baton.agreement.problems import Path
from baton.agreement.wall_time import zone_named


def check(context: CheckContext) -> Iterator[Finding]:
    """Names in examples, and a look at them after their events."""
    if not context.model.examples:
        yield odd(
            (), "there are no examples: write down a few leads and what you both expect of them"
        )
    for number, example in enumerate(context.model.examples):
        yield from _example(context, ("examples", number), example)


def _example(context: CheckContext, path: Path, example: ExampleModel) -> Iterator[Finding]:
    model = context.model
    words = model.definitions
    for name in example.profile:
        if name not in words.profile:
            yield dangling((*path, "profile", name), "profile field", name, words.profile)
    for number, event in enumerate(example.events):
        if event.act not in words.acts:
            yield dangling((*path, "events", number, "act"), "act", event.act, words.acts)
        for place, topic in enumerate(event.topics):
            if topic not in words.topics:
                yield dangling(
                    (*path, "events", number, "topics", place), "topic", topic, words.topics
                )
    zone = zone_named(model.timezone)
    last = max(moment_ms(event.at, zone) for event in example.events)
    if example.at is not None and moment_ms(example.at, zone) < last:
        yield wrong(
            (*path, "at"),
            f'example "{example.name}" is looked at before its last event: put at later, or leave '
            "it out",
        )
    expect = example.expect
    segments = [segment.name for segment in words.segments]
    grades = [fit + act for fit in words.levels.fit for act in words.levels.engagement]
    for key, given, known in (
        ("segment", expect.segment, segments),
        ("grade", expect.grade, grades),
        ("queue", expect.queue, ("sdr", "sales")),
        ("pool", expect.pool, model.pools),
    ):
        if given is not None and given not in known:
            yield dangling((*path, "expect", key), key, given, known)
    consents = {
        f"{purpose.purpose}/{channel}"
        for purpose in (model.consent.hand_off, model.consent.nurture)
        for channel in (*purpose.channels, "any")
    }
    for key in example.consents:
        if key not in consents:
            yield dangling((*path, "consents", key), "consent", key, consents)
    if expect == type(expect)():
        yield wrong((*path, "expect"), f'example "{example.name}" expects nothing')
