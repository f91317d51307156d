"""Examples: they speak of acts, fields and pools that exist."""

from collections.abc import Collection, Iterator
from datetime import datetime

from baton.agreement.checks.context import CheckContext, Finding, dangling, odd, wrong
from baton.agreement.compiler.agreement import moment_ms
from baton.agreement.model.agreement import Agreement
from baton.agreement.model.examples import NOBODY, ExampleModel
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
    yield from _events(model, path, example)
    zone = zone_named(model.timezone)
    last = max(moment_ms(event.arrives or event.at, zone) for event in example.events)
    if example.at is not None and moment_ms(example.at, zone) < last:
        yield wrong(
            (*path, "at"),
            f'example "{example.name}" is looked at before its last event: put at later, or leave '
            "it out",
        )
    yield from _expected(model, path, example)
    consents = {
        f"{purpose.purpose}/{channel}"
        for purpose in (model.consent.hand_off, model.consent.nurture)
        for channel in (*purpose.channels, "any")
    }
    for key in example.consents:
        if key not in consents:
            yield dangling((*path, "consents", key), "consent", key, consents)


def _events(model: Agreement, path: Path, example: ExampleModel) -> Iterator[Finding]:
    words = model.definitions
    visitors = {event.visitor for event in example.events if event.visitor}
    names = [event.name for event in example.events if event.name]
    for number, event in enumerate(example.events):
        place = (*path, "events", number)
        known: tuple[tuple[str, str | None, Collection[str]], ...] = (
            ("act", event.act, words.acts),
            ("by", event.by, model.people),
            ("reason", event.reason, model.recycling.reasons),
            ("links", event.links, visitors),
            ("retracts", event.retracts, names),
        )
        for key, given, there in known:
            if given is not None and given not in there and not _is_a_test_of(example, key):
                yield dangling((*place, key), _MEANT.get(key, key), given, there)
        for position, topic in enumerate(event.topics):
            if topic not in words.topics:
                yield dangling((*place, "topics", position), "topic", topic, words.topics)
        if names.count(event.name or "") > 1:
            yield wrong((*place, "name"), f'"{event.name}" names several events: name each once')
        if event.arrives is not None and not _comes_after(model, event.at, event.arrives):
            yield wrong((*place, "arrives"), "it arrives before it happened: put arrives later")
    for number, absence in enumerate(example.away):
        if absence.person not in model.people:
            yield dangling(
                (*path, "away", number, "person"), "person", absence.person, model.people
            )
        if not _comes_after(model, absence.starts, absence.until):
            yield wrong(
                (*path, "away", number, "until"),
                "an absence ends when the person is back: put until later than from",
            )


_MEANT = {"by": "person", "links": "visitor", "retracts": "event"}


def _is_a_test_of(example: ExampleModel, key: str) -> bool:
    """Whether what is wrong about a person's act is what the example is about."""
    return key in ("by", "reason") and example.expect.refused is not None


def _comes_after(model: Agreement, one: datetime, other: datetime) -> bool:
    zone = zone_named(model.timezone)
    return moment_ms(other, zone) > moment_ms(one, zone)


def _expected(model: Agreement, path: Path, example: ExampleModel) -> Iterator[Finding]:
    expect, words = example.expect, model.definitions
    segments = [segment.name for segment in words.segments]
    grades = [fit + act for fit in words.levels.fit for act in words.levels.engagement]
    for key, given, known in (
        ("segment", expect.segment, segments),
        ("grade", expect.grade, grades),
        ("queue", expect.queue, ("sdr", "sales")),
        ("pool", expect.pool, model.pools),
        ("owner", expect.owner, (*model.people, NOBODY)),
    ):
        if given is not None and given not in known:
            yield dangling((*path, "expect", key), key, given, known)
    if expect == type(expect)():
        yield wrong((*path, "expect"), f'example "{example.name}" expects nothing')
