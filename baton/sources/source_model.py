"""What ``sources.yaml`` may say, and nothing else: an unknown key is an error."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    model_validator,
)

from baton.sources.expressions import Expression

_EVENT_FIELD = re.compile(
    r"(id|source|kind|occurred_at|retracts|retracts_source|backfill|update_only"
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


class HeaderIs(_Part):
    """A header and the value that it must have."""

    header: str
    value: str


class HmacRule(_Part):
    """A signature in a header. ``over``: what is signed, of {method} {url} {path} {body}
    {timestamp} {secret} and text. ``only_if``: in a list of rules, which requests this one is
    for."""

    header: str
    only_if: HeaderIs | None = None
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
    """A shared token in a header, in the query, or in a member of the body. ``prefix``: what stands
    before it, as ``Bearer``."""

    secret_env: Environment
    header: str | None = None
    query: str | None = None
    field: str | None = None
    prefix: str = ""

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if sum(place is not None for place in (self.header, self.query, self.field)) != 1:
            raise ValueError("a token stands in a header, in the query or in a field: say one")
        return self


class BasicRule(_Part):
    """Name and password."""

    user: str
    secret_env: Environment


class Authentication(_Part):
    """One way, and one only. ``hmac`` may be a list, for a sender with several signatures: the
    first rule that a request is for must hold."""

    hmac: (
        Annotated[
            Annotated[HmacRule, Tag("(one rule)")]
            | Annotated[list[HmacRule], Field(min_length=1, max_length=5), Tag("(rules)")],
            Discriminator(lambda given: "(rules)" if isinstance(given, list) else "(one rule)"),
        ]
        | None
    ) = None
    token: TokenRule | None = None
    basic: BasicRule | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if sum(rule is not None for rule in (self.hmac, self.token, self.basic)) != 1:
            raise ValueError("needs one of hmac, token, basic")
        return self

    @property
    def signatures(self) -> tuple[HmacRule, ...]:
        """The rules of ``hmac``."""
        if self.hmac is None:
            return ()
        return (self.hmac,) if isinstance(self.hmac, HmacRule) else tuple(self.hmac)

    @property
    def secrets(self) -> tuple[str, ...]:
        """The environment variables that have the secrets."""
        others = (rule.secret_env for rule in (self.token, self.basic) if rule is not None)
        return tuple(dict.fromkeys([*(rule.secret_env for rule in self.signatures), *others]))


class Challenge(_Part):
    """A ``GET`` by which the sender makes sure of the address before it sends anything: the value
    of ``query`` is given back, as it is or signed (hex HMAC-SHA256 under the secret).
    ``verify_query``: where a token stands that must be the one in ``verify_env``."""

    query: str
    verify_query: str | None = None
    verify_env: Environment | None = None
    signed: bool = False

    @model_validator(mode="after")
    def _token_whole(self) -> Self:
        if (self.verify_query is None) != (self.verify_env is None):
            raise ValueError("verify_query and verify_env go together")
        return self


class FormRules(_Part):
    """What a form of a website adds. ``honeypot``: a field that people do not see, so only machines
    fill it in; such a form is answered as any other and is no event. ``redirect``: where the
    browser goes afterwards."""

    honeypot: str | None = None
    redirect: Annotated[str, Field(pattern=r"^https?://\S+$")] | None = None


class Reply(_Part):
    """The body of a success, for a sender that wants a certain one."""

    media_type: str
    text: str = Field(max_length=4_000)


class EventRule(_Part):
    """What records of one kind become. ``when``: which they are; ``line``: a JMESPath for each
    field of the event line. Without ``occurred_at`` it is the moment of receipt."""

    when: JmesPath | None = None
    line: dict[EventField, JmesPath] = Field(min_length=1)

    @model_validator(mode="after")
    def _says_who_what_and_when(self) -> Self:
        missing = [name for name in ("id", "kind") if name not in self.line]
        if missing or not any(name.startswith("identifiers.") for name in self.line):
            raise ValueError("needs id, kind and at least one of identifiers.*")
        return self


class Example(_Part):
    """A body and what must come of it: for each event the fields that matter. ``body`` is what the
    format reads (JSON, fields of a form), or a text in that format. ``ignored``: records left
    alone."""

    name: str
    body: Any
    expect: list[dict[str, Any]] = Field(default_factory=list)
    ignored: int = 0


class SourceModel(_Part):
    """One source."""

    path: Annotated[str, Field(pattern=r"^/hooks/[A-Za-z0-9/_-]{1,100}$")] | None = None
    authenticate: Authentication
    format: Literal["json", "ndjson", "form", "xml"] = "json"
    form: FormRules | None = None
    challenge: Challenge | None = None
    scopes: list[Literal["engagement", "acts", "commands"]] = Field(
        default=["engagement"], min_length=1
    )
    answer: int = Field(200, ge=200, le=299)
    reply: Reply | None = None
    split: JmesPath | None = None
    events: list[EventRule] = Field(min_length=1)
    ignore: JmesPath | None = None
    examples: list[Example] = Field(min_length=1)

    @model_validator(mode="after")
    def _form_is_a_form(self) -> Self:
        if self.form is not None and self.format != "form":
            raise ValueError("form needs format: form")
        return self


def secrets_of(source: SourceModel) -> tuple[str, ...]:
    """The environment variables that have the secrets of a source."""
    challenge = source.challenge.verify_env if source.challenge else None
    return (*source.authenticate.secrets, *([challenge] if challenge else []))


class SourcesModel(_Part):
    """The file. ``public_url``: the address by which senders reach the gateway, for signatures over
    it. ``people``: a file with the people of the agreement by their ids elsewhere, for
    ``person()``; its path is taken from this file's folder."""

    version: Literal[1]
    people: str | None = None
    public_url: Annotated[str, Field(pattern=r"^https?://[^/\s]+$")] | None = None
    sources: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,39}$")], SourceModel] = Field(
        min_length=1
    )
