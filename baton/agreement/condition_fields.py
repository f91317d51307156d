"""The fields a condition may ask: their names, what kind of value each has, and how it is read from
the facts.

A getter gives None for what is not known. Which fields exist depends on the agreement's definitions
(its profile fields, acts, topics), so a catalogue is made for each agreement.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final

from baton.agreement.condition_context import (
    ANY_CHANNEL,
    GRANTED,
    REFUSED,
    ConditionContext,
    consent_key,
)

Getter = Callable[[ConditionContext], Any]

ACCOUNT_ID: Final = "account.id"
_OF_ACCOUNT: Final = "account."
REACHABLE: Final = "lead.reachable"
"""Whether there is a way to reach the lead: an e-mail address or a phone number."""


class Kind(StrEnum):
    """Kinds of value. ``set`` is text with its members separated by ``;``, ``points`` are shown
    whole and kept in millionths."""

    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    SET = "set"
    CHOICE = "choice"
    FLAG = "flag"
    POINTS = "points"
    COUNT = "count"


class Realm(StrEnum):
    """The first word of a field's name."""

    PROFILE = "profile"
    ACCOUNT = "account"
    BEHAVIOUR = "behaviour"
    SCORE = "score"
    CYCLE = "cycle"
    LEAD = "lead"
    CONSENT = "consent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field. ``choices``: the words a choice can be. The getter of a count knows nothing:
    counts need a window too, see :func:`counter_of`. ``profile_key``: where a field of the profile
    lies in it."""

    name: str
    kind: Kind
    getter: Getter
    choices: tuple[str, ...] = ()
    profile_key: str | None = None

    @property
    def realm(self) -> Realm:
        return Realm(self.name.split(".", 1)[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldSources:
    """The agreement's own words that make fields."""

    profile: Mapping[str, str]
    acts: tuple[str, ...]
    topics: tuple[str, ...]
    content_stages: tuple[str, ...]
    levels: tuple[str, ...]
    grades: tuple[str, ...]
    segments: tuple[str, ...]
    stages: tuple[str, ...]
    reasons: tuple[str, ...]
    purposes: Mapping[str, tuple[str, ...]]


def catalogue_of(sources: FieldSources) -> dict[str, Field]:
    """Every field of an agreement by its name."""
    made = (
        *(_profile(name, kind) for name, kind in sources.profile.items()),
        *_ACCOUNT,
        *_score(sources),
        *_cycle(sources),
        *_lead(sources),
        *_behaviour(sources),
        *_consents(sources),
    )
    return {field.name: field for field in made}


_ACCOUNT: Final = (
    Field(name=ACCOUNT_ID, kind=Kind.TEXT, getter=lambda f: f.account_id),
    Field(name="account.people", kind=Kind.NUMBER, getter=lambda f: f.account_people),
    Field(
        name="account.engaged_people", kind=Kind.NUMBER, getter=lambda f: f.account_engaged_people
    ),
    Field(name="account.engagement", kind=Kind.POINTS, getter=lambda f: f.account_engagement_micro),
    Field(name="account.senior_role", kind=Kind.TEXT, getter=lambda f: f.account_senior_role),
)


def _score(sources: FieldSources) -> tuple[Field, ...]:
    return (
        Field(name="score.fit", kind=Kind.POINTS, getter=lambda f: f.fit_micro),
        Field(name="score.engagement", kind=Kind.POINTS, getter=lambda f: f.engagement_micro),
        _choice("score.level", lambda f: f.level, sources.levels),
        _choice("score.grade", lambda f: f.grade, sources.grades),
    )


def _cycle(sources: FieldSources) -> tuple[Field, ...]:
    return (
        Field(name="cycle.number", kind=Kind.NUMBER, getter=lambda f: f.cycle),
        Field(name="cycle.recycles", kind=Kind.NUMBER, getter=lambda f: f.recycles),
        _choice("cycle.stage", lambda f: f.stage, sources.stages),
        _choice("cycle.last_reason", lambda f: f.last_reason, sources.reasons),
        Field(name="cycle.hand_raised", kind=Kind.FLAG, getter=lambda f: f.hand_raised),
    )


def _lead(sources: FieldSources) -> tuple[Field, ...]:
    return (
        _choice("lead.segment", lambda f: f.segment, sources.segments),
        Field(name="lead.source", kind=Kind.TEXT, getter=lambda f: f.source),
        Field(name="lead.campaign", kind=Kind.TEXT, getter=lambda f: f.campaign),
        Field(name=REACHABLE, kind=Kind.FLAG, getter=lambda f: f.reachable),
        _choice("lead.leg", lambda f: f.leg, ("sdr", "sales")),
    )


def _behaviour(sources: FieldSources) -> Iterator[Field]:
    for family, names in (
        ("act", sources.acts),
        ("stage", sources.content_stages),
        ("topic", sources.topics),
    ):
        for name in names:
            yield Field(name=f"behaviour.{family}.{name}", kind=Kind.COUNT, getter=_no_window)


def _consents(sources: FieldSources) -> Iterator[Field]:
    for purpose, channels in sources.purposes.items():
        for channel in (*channels, ANY_CHANNEL):
            yield _consent(purpose, channel)


def _choice(name: str, getter: Getter, choices: tuple[str, ...]) -> Field:
    return Field(name=name, kind=Kind.CHOICE, getter=getter, choices=choices)


def _profile(name: str, kind: str) -> Field:
    return Field(
        name=f"profile.{name}",
        kind=Kind(kind),
        getter=lambda f: f.profile.get(name),
        profile_key=name,
    )


def _consent(purpose: str, channel: str) -> Field:
    own, overall = consent_key(purpose, channel), consent_key(purpose, ANY_CHANNEL)
    return Field(
        name=f"consent.{purpose}.{channel}",
        kind=Kind.CHOICE,
        getter=lambda f: f.consents.get(own, f.consents.get(overall)),
        choices=(GRANTED, REFUSED),
    )


def _no_window(context: ConditionContext) -> None:
    return None


def counter_of(field: Field, within_ms: int | None) -> Getter:
    """Reads how often the field's act, stage or topic occurred inside the last ``within_ms`` (None:
    ever in this cycle)."""
    _, family, name = field.name.split(".", 2)

    def count(context: ConditionContext) -> int | None:
        if context.behaviour is None:
            return None
        return context.behaviour.count(
            family, name, None if within_ms is None else context.now_ms - within_ms
        )

    return count


@lru_cache(maxsize=256)
def ask_account(names: frozenset[str]) -> bool:
    """Whether one of the fields is what an account as a whole is. Which account a lead is in, it
    knows by itself."""
    return any(name.startswith(_OF_ACCOUNT) and name != ACCOUNT_ID for name in names)
