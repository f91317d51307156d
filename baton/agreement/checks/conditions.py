"""Conditions: fields that exist, comparisons that make sense, values that can be, and what can
never be true."""

from collections.abc import Iterator

from baton.agreement.checks.condition_logic import contradiction
from baton.agreement.checks.context import Asked, CheckContext, Finding, odd, wrong
from baton.agreement.compiled.decay import Decay
from baton.agreement.compiled.patterns import compile_pattern
from baton.agreement.condition_fields import Field, Kind, Realm
from baton.agreement.model.condition import OPS_OF, Op, Test, tests_of
from baton.agreement.problems import Path, did_you_mean
from baton.agreement.quantities import duration_words

_RELATIVE = frozenset({Op.WITHIN_NEXT, Op.WITHIN_LAST})
_BARE = frozenset({Op.KNOWN, Op.UNKNOWN})


def check(context: CheckContext) -> Iterator[Finding]:
    """Every condition of the agreement."""
    for asked in context.conditions:
        sound = True
        for test, path in tests_of(asked.condition, asked.path):
            for finding in _test(context, asked, test, path):
                sound = False
                yield finding
        if not sound:
            context.broken.add(asked.path)
        elif clash := contradiction(asked.condition, context.fields):
            yield wrong(asked.path, f"can never be true: {clash}")


def _test(context: CheckContext, asked: Asked, test: Test, path: Path) -> Iterator[Finding]:
    field = context.fields.get(test.field)
    if field is None:
        yield _unknown_field(context, asked, test, path)
        return
    if field.realm not in asked.realms:
        allowed = ", ".join(sorted(realm.value for realm in asked.realms))
        yield wrong(
            (*path, "field"), f"{asked.who} cannot look at {test.field}: it looks at {allowed}"
        )
        return
    if test.op not in OPS_OF[field.kind]:
        ops = sorted(op.value for op in OPS_OF[field.kind])
        message = (
            f"{test.field} is a {field.kind.value}, which cannot be compared with {test.op.value}; "
            f"it can with {', '.join(ops)}"
        )
        yield wrong((*path, "op"), message)
        return
    if test.op in _RELATIVE and not asked.knows_now:
        yield wrong(
            (*path, "op"),
            f"{asked.who} must not change with the calendar: compare {test.field} with a day "
            "instead",
        )
    if test.within is not None and field.kind is not Kind.COUNT:
        yield wrong(
            (*path, "within"),
            f"within is for counts of behaviour, and {test.field} is a {field.kind.value}",
        )
    yield from _value(test, field, path)
    yield from _counted(context, test, field, path)


def _unknown_field(context: CheckContext, asked: Asked, test: Test, path: Path) -> Finding:
    known = [name for name, field in context.fields.items() if field.realm in asked.realms]
    realm = test.field.split(".", 1)[0]
    if realm == Realm.PROFILE.value:
        hint = did_you_mean(test.field, [field for field in known if field.startswith("profile.")])
        return wrong((*path, "field"), f'"{test.field}" is not in definitions.profile{hint}')
    return wrong(
        (*path, "field"),
        f'"{test.field}" is no field of this agreement{did_you_mean(test.field, known)}',
    )


def _value(test: Test, field: Field, path: Path) -> Iterator[Finding]:
    if test.op in _BARE:
        if test.value is not None:
            yield wrong(
                (*path, "value"),
                f"{test.op.value} asks only whether there is a value: leave value out",
            )
        return
    try:
        if test.op in _RELATIVE:
            test.days()
        elif test.op is Op.MATCHES:
            compile_pattern(test.typed_value(field.kind))
        else:
            test.typed_value(field.kind)
    except ValueError as error:
        yield wrong((*path, "value"), f"{test.field}: {error}")
        return
    if field.kind is Kind.CHOICE:
        values = test.value if isinstance(test.value, tuple) else (test.value,)
        for value in values:
            if value not in field.choices:
                hint = did_you_mean(str(value), field.choices)
                yield wrong((*path, "value"), f'{test.field} is never "{value}"{hint}')


def _counted(context: CheckContext, test: Test, field: Field, path: Path) -> Iterator[Finding]:
    if field.kind is not Kind.COUNT:
        return
    _, family, name = test.field.split(".", 2)
    act = context.model.engagement.acts.get(name) if family == "act" else None
    group = context.model.engagement.groups.get(act.group) if act else None
    if act is None or group is None or test.within is None:
        return
    keeps = group.window or Decay(group.half_life or 0).faded_ms
    if test.within > keeps:
        yield odd(
            (*path, "within"),
            f'"{name}" is forgotten after {duration_words(keeps)} (group "{act.group}"), before '
            f"{duration_words(test.within)}",
        )
