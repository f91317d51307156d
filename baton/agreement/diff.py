"""What changes from one agreement to another, in words a manager reads.

Order is that of the agreement's sections. A mapping is compared name by name, a list of rules by
the rules' names (an order that changed is said, because the first rule that fits wins).
"""

from collections.abc import Iterator, Sequence

from baton.agreement.book_changes import book_changes
from baton.agreement.books import Book
from baton.agreement.canonical import canonical_text
from baton.agreement.compiler.slas import promise_name
from baton.agreement.diff_forms import (
    Change,
    listed_changes,
    named_changes,
    points_change,
    presence_changes,
    section_changes,
    value_change,
)
from baton.agreement.model.agreement import Agreement
from baton.agreement.model.definitions import LevelsModel
from baton.agreement.model.routing import ContactsModel
from baton.agreement.quantities import DIGEST_MS, duration_words


def changes(old: Agreement, new: Agreement) -> tuple[Change, ...]:
    """Everything that is different; empty: the same version."""
    if canonical_text(old) == canonical_text(new):
        return ()
    return tuple(_all(old, new))


def summary(found: Sequence[Change]) -> str:
    """``3 added, 1 removed, 2 changed``."""
    counts = {
        kind: sum(change.kind == kind for change in found)
        for kind in ("added", "removed", "changed", "moved")
    }
    return (
        ", ".join(f"{count} {kind}" for kind, count in counts.items() if count) or "nothing changed"
    )


def _all(old: Agreement, new: Agreement) -> Iterator[Change]:
    for key in ("name", "timezone", "calendar", "effective_at"):
        yield from value_change("agreement", key, getattr(old, key), getattr(new, key))
    one, two = old.definitions, new.definitions
    for what in ("acts", "topics", "profile"):
        yield from named_changes(
            "definitions", what.rstrip("s"), getattr(one, what), getattr(two, what)
        )
    for what in ("acts", "profile"):
        yield from named_changes(
            "definitions",
            f"{what.rstrip('s')} synonym",
            getattr(one.synonyms, what),
            getattr(two.synonyms, what),
        )
    yield from value_change("definitions", "roles", one.roles, two.roles)
    yield from value_change("definitions", "role_field", one.role_field, two.role_field)
    yield from listed_changes(
        "definitions", "segment", one.segments, two.segments, lambda segment: segment.name
    )
    yield from _levels(one.levels, two.levels)
    yield from named_changes("fit", "criterion", old.fit, new.fit)
    yield from _engagement(old, new)
    yield from _lifecycle(old, new)
    for section, what in (("calendars", "calendar"), ("people", "person"), ("pools", "pool")):
        yield from named_changes(section, what, getattr(old, section), getattr(new, section))
    yield from _routing(old, new)
    for name in ("accounts", "territories"):
        yield from book_changes(name, _book(old, name), _book(new, name))
    yield from _slas(old, new)
    yield from _recycling(old, new)
    yield from named_changes("goals", "goal", old.goals, new.goals)
    yield from section_changes("consent", "hand-off", old.consent.hand_off, new.consent.hand_off)
    yield from section_changes("consent", "nurture", old.consent.nurture, new.consent.nurture)
    yield from listed_changes(
        "examples", "example", old.examples, new.examples, lambda example: example.name
    )


def _levels(old: LevelsModel, new: LevelsModel) -> Iterator[Change]:
    for which in ("fit", "engagement"):
        before, after = getattr(old, which), getattr(new, which)
        yield from presence_changes("levels", f"{which} band", before, after)
        for name in (shared for shared in before if shared in after):
            one, two = before[name], after[name]
            yield from points_change(
                "levels", f"{which} band {name} begins at", one.enter, two.enter
            )
            if two.enter != two.leaves or one.enter != one.leaves:
                yield from points_change(
                    "levels", f"{which} band {name} is left below", one.leaves, two.leaves
                )
    for fit, row in new.matrix.items():
        for act, level in row.items():
            was = old.matrix.get(fit, {}).get(act)
            if was is not None and was != level:
                yield Change(section="levels", kind="changed", text=f"{fit}{act}: {was} -> {level}")
    yield from value_change("levels", "dwell", duration_words(old.dwell), duration_words(new.dwell))


def _engagement(old: Agreement, new: Agreement) -> Iterator[Change]:
    one, two = old.engagement, new.engagement
    yield from named_changes("engagement", "group", one.groups, two.groups)
    yield from named_changes("engagement", "act", one.acts, two.acts)
    yield from value_change("engagement", "scanner", one.scanner, two.scanner)
    yield from value_change(
        "engagement", "automatic acts count", one.count_automatic, two.count_automatic
    )


def _lifecycle(old: Agreement, new: Agreement) -> Iterator[Change]:
    one, two = old.lifecycle, new.lifecycle
    yield from value_change(
        "lifecycle", "the bridge team takes", one.bridge.value, two.bridge.value
    )
    yield from value_change("lifecycle", "poor fit", one.poor_fit, two.poor_fit)
    yield from named_changes("lifecycle", "gate", one.gates, two.gates)
    yield from value_change("lifecycle", "drip a day", one.drip, two.drip)
    yield from value_change(
        "lifecycle", "handed over blind below the threshold", f"{one.holdout}%", f"{two.holdout}%"
    )
    yield from value_change(
        "lifecycle", "settles for at most", duration_words(one.settle), duration_words(two.settle)
    )


def _routing(old: Agreement, new: Agreement) -> Iterator[Change]:
    one, two = old.routing, new.routing
    yield from listed_changes(
        "routing", "suppression", one.suppress, two.suppress, lambda rule: rule.name
    )
    yield from named_changes("routing", "named account", one.accounts, two.accounts)
    yield from listed_changes(
        "routing", "territory rule", one.territories, two.territories, lambda rule: rule.name
    )
    yield from listed_changes(
        "routing", "segment rule", one.segments, two.segments, lambda rule: rule.name
    )
    yield from value_change("routing", "default", one.default, two.default)
    yield from value_change("routing", "skills that every lead needs", one.needs, two.needs)
    yield from value_change(
        "routing",
        "colleagues stay together",
        one.keep_colleagues_together,
        two.keep_colleagues_together,
    )
    yield from value_change(
        "routing",
        "a lead whose profile changes is matched anew while it is",
        one.match_anew.value,
        two.match_anew.value,
    )
    yield from _contacts(one.contacts, two.contacts)


def _book(model: Agreement, name: str) -> Book | None:
    named = model.books.hashes().get(name)
    return model.attached[named] if named is not None else None


def _contacts(old: ContactsModel, new: ContactsModel) -> Iterator[Change]:
    for what in ("campaign", "segment"):
        listed = (getattr(contacts, f"{what}s") for contacts in (old, new))
        yield from named_changes("routing", f"marketing contact of {what}", *listed)
    yield from value_change("routing", "marketing contact", old.default, new.default)


def _slas(old: Agreement, new: Agreement) -> Iterator[Change]:
    one, two = old.slas, new.slas
    yield from listed_changes("slas", "promise", one.promises, two.promises, promise_name)
    yield from named_changes("slas", "ladder", one.ladders, two.ladders)
    of_both = (one.evidence_grace, two.evidence_grace)
    graces = [{name: duration_words(ms) for name, ms in grace.items()} for grace in of_both]
    yield from named_changes("slas", "evidence grace", *graces)
    words = [duration_words(DIGEST_MS if of.digest is None else of.digest) for of in (one, two)]
    yield from value_change("slas", "digest", *words)


def _recycling(old: Agreement, new: Agreement) -> Iterator[Change]:
    one, two = old.recycling, new.recycling
    yield from named_changes("recycling", "reason", one.reasons, two.reasons)
    yield from named_changes("recycling", "track", one.tracks, two.tracks)
    yield from value_change("recycling", "limit", one.limit, two.limit)
    yield from value_change("recycling", "long term", one.long_term, two.long_term)
    yield from value_change("recycling", "fallback", one.fallback, two.fallback)
