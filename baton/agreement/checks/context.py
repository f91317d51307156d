"""What checks share: the model, its conditions with their places, and how a finding is made."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from baton.agreement.compiler.agreement import fields_of
from baton.agreement.condition_fields import Field, Realm
from baton.agreement.model.agreement import Agreement
from baton.agreement.model.condition import ConditionModel
from baton.agreement.problems import Path, Severity, did_you_mean


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong (or odd), and where."""

    path: Path
    message: str
    severity: Severity = Severity.ERROR


def wrong(path: Path, message: str) -> Finding:
    """An error."""
    return Finding(path=path, message=message)


def odd(path: Path, message: str) -> Finding:
    """A warning."""
    return Finding(path=path, message=message, severity=Severity.WARNING)


def dangling(path: Path, what: str, name: str, known: Iterable[str]) -> Finding:
    """A name that leads nowhere."""
    return wrong(path, f'{what} "{name}" is not defined{did_you_mean(name, known)}')


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A condition, where it stands, who asks (in words) and which realms it may ask."""

    condition: ConditionModel
    path: Path
    who: str
    realms: frozenset[Realm]
    knows_now: bool


_PROFILE = frozenset({Realm.PROFILE})
_ROUTING = frozenset(Realm) - {Realm.BEHAVIOUR}
_GATES = frozenset(Realm)


@dataclass(kw_only=True)
class CheckContext:
    """One agreement being checked."""

    model: Agreement
    broken: set[Path] = field(default_factory=set)

    @cached_property
    def fields(self) -> Mapping[str, Field]:
        """The fields its conditions may ask."""
        return fields_of(self.model)

    @cached_property
    def conditions(self) -> tuple[Asked, ...]:
        """Every condition of the agreement."""
        return tuple(self._conditions())

    def _conditions(self) -> Iterator[Asked]:
        model = self.model
        for number, segment in enumerate(model.definitions.segments):
            path: Path = ("definitions", "segments", number, "when")
            yield Asked(
                condition=segment.when, path=path, who="a segment", realms=_PROFILE, knows_now=False
            )
        for name, criterion in model.fit.items():
            yield Asked(
                condition=criterion.when,
                path=("fit", name, "when"),
                who="fit",
                realms=_PROFILE,
                knows_now=False,
            )
        for name, gate in model.lifecycle.gates.items():
            path = ("lifecycle", "gates", name, "when")
            yield Asked(condition=gate.when, path=path, who="a gate", realms=_GATES, knows_now=True)
        routing = model.routing
        listed: tuple[tuple[str, list[ConditionModel]], ...] = (
            ("suppress", [suppression.when for suppression in routing.suppress]),
            ("territories", [territory.when for territory in routing.territories]),
            ("segments", [named.when for named in routing.segments]),
        )
        for part, conditions in listed:
            for number, condition in enumerate(conditions):
                path = ("routing", part, number, "when")
                yield Asked(
                    condition=condition, path=path, who="routing", realms=_ROUTING, knows_now=True
                )


def quoted(names: Iterable[str]) -> str:
    """``"a", "b" and "c"``."""
    listed = [f'"{name}"' for name in names]
    return (
        listed[0]
        if len(listed) == 1
        else f"{', '.join(listed[:-1])} and {listed[-1]}"
        if listed
        else ""
    )
