"""Names that lead nowhere, and things that nothing leads to."""

import re
from collections.abc import Iterable, Iterator

from baton.agreement.checks.account_names import fault_of_account
from baton.agreement.checks.context import CheckContext, Finding, dangling, odd, wrong
from baton.agreement.compiled.synonyms import as_word
from baton.agreement.model.pools import OverflowModel, WatchModel
from baton.agreement.model.routing import DestinationModel
from baton.agreement.problems import Path
from baton.contracts.leads import Stage

_DOMAIN = re.compile(r"[^\W_][\w-]*(\.[\w-]+)+")


def check(context: CheckContext) -> Iterator[Finding]:
    """Every reference by name."""
    yield from _calendars(context)
    yield from _people(context)
    yield from _engagement(context)
    yield from _routing(context)
    yield from _promises(context)
    yield from _recycling(context)
    yield from _rest(context)
    yield from _twice(context)
    yield from _synonyms(context)


def _known(path: Path, what: str, name: str | None, known: Iterable[str]) -> Iterator[Finding]:
    if name is not None and name not in known:
        yield dangling(path, what, name, known)


def _synonyms(context: CheckContext) -> Iterator[Finding]:
    """Each leads to a word of the agreement and is none itself; two ways of writing one word lead
    to the same."""
    definitions = context.model.definitions
    for what, words, known in (
        ("act", definitions.synonyms.acts, definitions.acts),
        ("profile field", definitions.synonyms.profile, definitions.profile),
    ):
        section = "acts" if what == "act" else "profile"
        meant: dict[str, str] = {}
        for text, name in words.items():
            path: Path = ("definitions", "synonyms", section, text)
            yield from _known(path, what, name, known)
            word = as_word(text)
            if word in known or text in known:
                yield wrong(path, f'"{text}" is a word of definitions.{section} itself')
            elif not word:
                yield wrong(path, f'"{text}" has neither a letter nor a digit')
            elif meant.setdefault(word, name) != name:
                yield wrong(path, f'"{text}" is written above as another word of "{meant[word]}"')


def _calendars(context: CheckContext) -> Iterator[Finding]:
    model, known = context.model, context.model.calendars
    yield from _known(("calendar",), "calendar", model.calendar, known)
    for name, person in model.people.items():
        yield from _known(("people", name, "calendar"), "calendar", person.calendar, known)
    for name, pool in model.pools.items():
        yield from _known(("pools", name, "calendar"), "calendar", pool.calendar, known)
    for name, goal in model.goals.items():
        yield from _known(("goals", name, "calendar"), "calendar", goal.calendar, known)
    for number, promise in enumerate(model.slas.promises):
        yield from _known(
            ("slas", "promises", number, "calendar"), "calendar", promise.calendar, known
        )


def _people(context: CheckContext) -> Iterator[Finding]:
    model, known = context.model, context.model.people
    for name, person in model.people.items():
        yield from _known(("people", name, "manager"), "person", person.manager, known)
        if person.manager == name:
            yield wrong(("people", name, "manager"), f'"{name}" cannot be their own manager')
        yield from _known(("people", name, "deputy"), "person", person.deputy, known)
        if person.deputy == name:
            yield wrong(("people", name, "deputy"), f'"{name}" cannot be their own deputy')
    for name, pool in model.pools.items():
        yield from _known(("pools", name, "manager"), "person", pool.manager, known)
        for member in pool.members:
            yield from _known(("pools", name, "members", member), "person", member, known)
        if isinstance(pool.nobody, WatchModel):
            yield from _known(
                ("pools", name, "nobody", "watch"), "person", pool.nobody.watch, known
            )
        if isinstance(pool.nobody, OverflowModel):
            path = ("pools", name, "nobody", "overflow")
            yield from _known(path, "pool", pool.nobody.overflow, model.pools)


def _engagement(context: CheckContext) -> Iterator[Finding]:
    words, model = context.model.definitions, context.model.engagement
    for name, act in model.acts.items():
        path: Path = ("engagement", "acts", name)
        yield from _known(path, "act", name, words.acts)
        yield from _known((*path, "group"), "group", act.group, model.groups)
        for number, exception in enumerate(act.exceptions):
            for place, topic in enumerate(exception.topics):
                yield from _known(
                    (*path, "exceptions", number, "topics", place), "topic", topic, words.topics
                )
    if model.scanner:
        for number, name in enumerate(model.scanner.acts):
            yield from _known(("engagement", "scanner", "acts", number), "act", name, words.acts)
    for name in words.acts:
        if name not in model.acts:
            yield odd(
                ("definitions", "acts", name),
                f'act "{name}" has no points in engagement: only conditions can count it',
            )
    used = {act.group for act in model.acts.values()}
    for name in model.groups:
        if name not in used:
            yield odd(("engagement", "groups", name), f'group "{name}" has no acts')
    yield from _known(
        ("definitions", "role_field"), "profile field", words.role_field, words.profile
    )


def _routing(context: CheckContext) -> Iterator[Finding]:
    model = context.model
    rules = [*(("territories", *territory) for territory in enumerate(model.routing.territories))]
    rules += [*(("segments", *segment) for segment in enumerate(model.routing.segments))]
    for part, number, rule in rules:
        yield from _destination(context, ("routing", part, number, "to"), rule.to)
    yield from _destination(context, ("routing", "default"), model.routing.default)
    for domain, account in model.routing.accounts.items():
        path: Path = ("routing", "accounts", domain)
        yield from _known((*path, "owner"), "person", account.owner, model.people)
        if not _DOMAIN.fullmatch(domain) or domain != domain.lower() or domain.startswith("www."):
            yield wrong(
                path,
                f'no lead is of account "{domain}": accounts are named by their domain in small '
                "letters, bigfirm.example",
            )
        elif fault := fault_of_account(domain):
            yield wrong(path, fault)
        if account.to:
            yield from _destination(context, (*path, "to"), account.to)

    contacts, segments = (
        model.routing.contacts,
        [segment.name for segment in model.definitions.segments],
    )
    for part, named in (("campaigns", contacts.campaigns), ("segments", contacts.segments)):
        for name, person in named.items():
            path = ("routing", "contacts", part, name)
            yield from _known(path, "person", person, model.people)
            if part == "segments":
                yield from _known(path, "segment", name, segments)
    path = ("routing", "contacts", "default")
    yield from _known(path, "person", contacts.default, model.people)


def _destination(context: CheckContext, path: Path, to: DestinationModel) -> Iterator[Finding]:
    pools = context.model.pools
    for kind, name in (("sdr", to.sdr), ("sales", to.sales)):
        if name is None:
            continue
        alike = [pool_name for pool_name, pool in pools.items() if pool.kind.value == kind]
        if name not in pools:
            yield dangling((*path, kind), "pool", name, alike or pools)
        elif pools[name].kind.value != kind:
            yield wrong(
                (*path, kind),
                f'pool "{name}" is of kind {pools[name].kind.value}, but {kind} leads are sent to '
                "it",
            )


def _promises(context: CheckContext) -> Iterator[Finding]:
    model = context.model
    segments = [definition.name for definition in model.definitions.segments]
    for number, promise in enumerate(model.slas.promises):
        path: Path = ("slas", "promises", number)
        for place, segment in enumerate(promise.segment):
            yield from _known((*path, "segment", place), "segment", segment, segments)
        yield from _known((*path, "use_ladder"), "ladder", promise.ladder_name, model.slas.ladders)
        yield from _known(
            (*path, "stage"), "stage", promise.stage, [stage.value for stage in Stage]
        )


def _recycling(context: CheckContext) -> Iterator[Finding]:
    model = context.model.recycling
    for name, reason in model.reasons.items():
        yield from _known(
            ("recycling", "reasons", name, "track"), "track", reason.track, model.tracks
        )
    yield from _known(("recycling", "fallback"), "reason", model.fallback, model.reasons)
    yield from _known(
        ("recycling", "long_term", "track"), "track", model.long_term.track, model.tracks
    )
    for name, track in model.tracks.items():
        for number, topic in enumerate(track.topics):
            path = ("recycling", "tracks", name, "topics", number)
            yield from _known(path, "topic", topic, context.model.definitions.topics)


def _rest(context: CheckContext) -> Iterator[Finding]:
    model = context.model
    bands = model.definitions.levels.fit
    for number, band in enumerate(model.lifecycle.poor_fit):
        yield from _known(("lifecycle", "poor_fit", number), "fit band", band, bands)
    segments = [segment.name for segment in model.definitions.segments]
    for name, goal in model.goals.items():
        yield from _known(("goals", name, "segment"), "segment", goal.segment, segments)


def _twice(context: CheckContext) -> Iterator[Finding]:
    routing = context.model.routing
    lists: tuple[tuple[Path, str, list[str]], ...] = (
        (
            ("definitions", "segments"),
            "segment",
            [segment.name for segment in context.model.definitions.segments],
        ),
        (("routing", "suppress"), "rule", [suppression.name for suppression in routing.suppress]),
        (("routing", "territories"), "rule", [territory.name for territory in routing.territories]),
        (("routing", "segments"), "rule", [segment.name for segment in routing.segments]),
    )
    seen: dict[tuple[str, str], Path] = {}
    for path, what, listed in lists:
        for number, name in enumerate(listed):
            if (what, name) in seen:
                yield wrong(
                    (*path, number, "name"),
                    f'{what} "{name}" stands here a second time; give it another name',
                )
            seen.setdefault((what, name), (*path, number))
            if what == "rule" and name == "default":
                yield wrong(
                    (*path, number, "name"),
                    "there is one default, under routing.default; give this rule another name",
                )
