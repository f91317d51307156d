"""What ``sources.yaml`` may say, and nothing else: an unknown key is an error."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from baton.sources.expressions import Expression

_EVENT_FIELD = re.compile(
    r"(id|source|kind|occurred_at|retracts|retracts_source|backfill"
    r"|(identifiers|engagement|profile|person|consent|act|command)\.[a-z][a-z0-9_]{0,47})\Z"
)


def _compiles(text: str) -> str:
    Expression(text)
    return text


def _has_signature(pattern: str) -> str:
    try:
        groups = re.compile(pattern).groupindex
    except re.error as error:
        raise ValueError(f"is no regular expression: {error}") from None
    if "signature" not in groups:
        raise ValueError("needs a group (?P<signature>...)")
    return pattern


def _is_event_field(name: str) -> str:
    if not _EVENT_FIELD.match(name):
        raise ValueError("is no field of an event line")
    return name


EventField = Annotated[str, AfterValidator(_is_event_field)]
JmesPath = Annotated[str, Field(min_length=1), AfterValidator(_compiles)]
Environment = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]{2,63}$")]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TimestampRule(_Part):
    """Where the signed moment stands: a header of its own, or the group ``timestamp`` of the
    pattern."""

    header: str | None = None
    unit: Literal["seconds", "milliseconds"] = "seconds"
    tolerance_s: int = Field(300, ge=1, le=86_400)


class HmacRule(_Part):
    """A signature in a header. ``over``: what is signed, of {method} {url} {path} {body}
    {timestamp} {secret} and text."""

    header: str
    secret_env: Environment
    algorithm: Literal["sha1", "sha256", "sha512"] = "sha256"
    encoding: Literal["hex", "base64"] = "hex"
    pattern: Annotated[str, AfterValidator(_has_signature)] | None = None
    over: str = "{body}"
    keyed: bool = True
    timestamp: TimestampRule | None = None

    @model_validator(mode="after")
    def _signs_all(self) -> Self:
        if "{body}" not in self.over:
            raise ValueError("over must have {body}, or anybody could send another one")
        if not self.keyed and "{secret}" not in self.over:
            raise ValueError(
                "over must have {secret} where keyed is false, or anybody could compute it"
            )
        if self.timestamp is not None and "{timestamp}" not in self.over:
            raise ValueError("over must have {timestamp}, or anybody could write another one")
        return self


class TokenRule(_Part):
    """A shared token in a header or in the query."""

    secret_env: Environment
    header: str | None = None
    query: str | None = None

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.header is None) == (self.query is None):
            raise ValueError("a token stands in a header or in the query: say one of them")
        return self


class BasicRule(_Part):
    """Name and password."""

    user: str
    secret_env: Environment


class Authentication(_Part):
    """One way, and one only."""

    hmac: HmacRule | None = None
    token: TokenRule | None = None
    basic: BasicRule | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if sum(rule is not None for rule in (self.hmac, self.token, self.basic)) != 1:
            raise ValueError("needs one of hmac, token, basic")
        return self

    @property
    def secret_env(self) -> str:
        """The environment variable that has the secret."""
        rule = self.hmac or self.token or self.basic
        assert rule is not None
        return rule.secret_env


class EventRule(_Part):
    """What records of one kind become. ``when``: which they are; ``line``: a JMESPath for each
    field of the event line."""

    when: JmesPath | None = None
    line: dict[EventField, JmesPath] = Field(min_length=1)

    @model_validator(mode="after")
    def _says_who_what_and_when(self) -> Self:
        missing = [name for name in ("id", "kind", "occurred_at") if name not in self.line]
        if missing or not any(name.startswith("identifiers.") for name in self.line):
            raise ValueError("needs id, kind, occurred_at and at least one of identifiers.*")
        return self


class Example(_Part):
    """A body and what must come of it: for each event the fields that matter. ``ignored``: records
    left alone."""

    name: str
    body: Any
    expect: list[dict[str, Any]] = Field(default_factory=list)
    ignored: int = 0


class SourceModel(_Part):
    """One source."""

    path: Annotated[str, Field(pattern=r"^/hooks/[A-Za-z0-9/_-]{1,100}$")] | None = None
    authenticate: Authentication
    scopes: list[Literal["engagement", "acts", "commands"]] = Field(
        default=["engagement"], min_length=1
    )
    answer: int = Field(200, ge=200, le=299)
    split: JmesPath | None = None
    events: list[EventRule] = Field(min_length=1)
    ignore: JmesPath | None = None
    examples: list[Example] = Field(min_length=1)


class SourcesModel(_Part):
    """The file. ``public_url``: the address by which senders reach the gateway, for signatures over
    it."""

    version: Literal[1]
    public_url: Annotated[str, Field(pattern=r"^https?://[^/\s]+$")] | None = None
    sources: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,39}$")], SourceModel] = Field(
        min_length=1
    )
