"""Every ``BATON_*`` that anything here reads: what it is set to, whether it can be so, and which
variables nothing reads.

What one setting allows its own model says; here are the rules between settings, the files they
name, and misspelt names.
"""

import difflib
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr, ValidationError
from pydantic_settings import BaseSettings

from baton.cli.ways_in import SenderSettings
from baton.engine.kafka.settings import EngineSettings
from baton.flow import SERVICES, board_settings, delivery_settings, gateway_settings
from baton.local.up.settings import UpSettings
from baton.settings import Settings

PREFIX = "BATON_"
_NOT_SETTINGS = frozenset({"BATON_DEBUG", "BATON_LIFELINE", "BATON_FAILPOINT"})
_NAMED_BY_FILES = "BATON_SECRET_"
"""Secrets whose names stand in the files of sources and targets."""
_LIKE = 0.75
_LAST_PORT = 65_535


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something about the settings. ``wrong``: nothing that reads them can work so; else it is
    worth knowing."""

    text: str
    wrong: bool = True


def groups() -> Mapping[str, type[BaseSettings]]:
    """The settings by what reads them."""
    return {
        "Every process and the command line": Settings,
        "Every worker": EngineSettings,
        "The gateway": gateway_settings(),
        "The board": board_settings(),
        "Delivery": delivery_settings(),
        "`baton up`": UpSettings,
        "`baton send` and `baton import`": SenderSettings,
    }


def variable_of(model: type[BaseSettings], name: str) -> str:
    """The environment variable behind a field of a group."""
    return f"{model.model_config['env_prefix']}{name}".upper()


def shown(model: type[BaseSettings]) -> dict[str, str]:
    """Each setting of a group as text, secrets as stars; where the group is wrong, what the
    environment says."""
    try:
        values = {name: getattr(own, name) for own in (model(),) for name in model.model_fields}
    except ValidationError:
        names = {name: variable_of(model, name) for name in model.model_fields}
        return {
            name: "******" if _is_secret(model, name) else os.environ[variable]
            for name, variable in names.items()
            if variable in os.environ
        }
    return {
        name: "******" if isinstance(value, SecretStr) else str(value)
        for name, value in values.items()
        if value is not None and value != ""
    }


def problems(environment: Mapping[str, str]) -> Iterator[Problem]:
    """Everything that is wrong with the settings at once, then the variables that nothing reads."""
    faults = [text for model in groups().values() for text in _faults(model)]
    yield from (Problem(text=text) for text in dict.fromkeys(faults))
    if not faults:
        yield from _between_settings()
    yield from _unread(environment)


def _is_secret(model: type[BaseSettings], name: str) -> bool:
    return "SecretStr" in str(model.model_fields[name].annotation)


def _faults(model: type[BaseSettings]) -> Iterator[str]:
    try:
        model()
    except ValidationError as error:
        for problem in error.errors():
            field = "_".join(map(str, problem["loc"]))
            name = f"{variable_of(model, field)}: " if field else ""
            yield name + problem["msg"].removeprefix("Value error, ")


def _between_settings() -> Iterator[Problem]:
    engine, settings, up = EngineSettings(), Settings(), UpSettings()
    yield from _heartbeat(engine)
    if engine.batch_records > engine.buffer_records:
        text = (
            f"BATON_BATCH_RECORDS is {engine.batch_records}, but BATON_BUFFER_RECORDS fetches "
            f"{engine.buffer_records} ahead"
        )
        yield Problem(text=f"{text}: no batch of one input will be so large", wrong=False)
    yield from _ports(settings, up)
    yield from _files(_named_files(settings, up))


def _heartbeat(engine: EngineSettings) -> Iterator[Problem]:
    beat, session = engine.heartbeat_ms, engine.session_timeout_ms
    words = f"BATON_HEARTBEAT_MS is {beat}, BATON_SESSION_TIMEOUT_MS {session}"
    if beat >= session:
        yield Problem(
            text=(
                f"{words}: a worker would lose its tasks before it says that it lives; make it at "
                f"most {session // 3}"
            )
        )
    elif beat * 3 > session:
        yield Problem(
            text=(
                f"{words}: one or two that come late lose the tasks; at most {session // 3} is "
                "usual"
            ),
            wrong=False,
        )


def _ports(settings: Settings, up: UpSettings) -> Iterator[Problem]:
    last = settings.metrics_port + len(SERVICES) - 1
    if settings.metrics_port and last > _LAST_PORT:
        yield Problem(
            text=(
                f"BATON_METRICS_PORT {settings.metrics_port}: `baton up` takes {len(SERVICES)} "
                "from there on; there are none"
            )
        )
    taken = range(settings.metrics_port, last + 1) if settings.metrics_port else range(0)
    named = {"BATON_GATEWAY_PORT": up.gateway_port}
    if settings.embedded:
        named["BATON_BROKER_PORT"] = settings.broker_port
    for name, port in named.items():
        if port in taken:
            yield Problem(
                text=(
                    f"{name} {port} is one of the metrics' ports of `baton up` ({taken[0]} to "
                    f"{taken[-1]})"
                )
            )
    if settings.embedded and up.gateway_port == settings.broker_port != 0:
        yield Problem(text=f"BATON_GATEWAY_PORT and BATON_BROKER_PORT are both {up.gateway_port}")


def _named_files(settings: Settings, up: UpSettings) -> Iterator[tuple[str, Path | None]]:
    gateway = gateway_settings()()
    yield "BATON_SSL_CA_FILE", settings.ssl_ca_file
    yield "BATON_SSL_CERT_FILE", settings.ssl_cert_file
    yield "BATON_SSL_KEY_FILE", settings.ssl_key_file
    yield "BATON_WRITE_KEYS_FILE", getattr(gateway, "write_keys_file", None)
    yield "BATON_AGREEMENT", up.agreement


def _files(named: Iterable[tuple[str, Path | None]]) -> Iterator[Problem]:
    for name, path in named:
        if path is None:
            continue
        if not path.is_file():
            yield Problem(text=f"{name}: {path} is no file")
        elif not os.access(path, os.R_OK):
            yield Problem(text=f"{name}: {path} cannot be read by this user")


def _unread(environment: Mapping[str, str]) -> Iterator[Problem]:
    known = {
        variable_of(model, name) for model in groups().values() for name in model.model_fields
    } | _NOT_SETTINGS
    for name in sorted(environment):
        if not name.startswith(PREFIX) or name in known or name.startswith(_NAMED_BY_FILES):
            continue
        near = difflib.get_close_matches(name, known, n=1, cutoff=_LIKE)
        if near:
            yield Problem(text=f"{name} is read by nothing; did you mean {near[0]}?")
        else:
            yield Problem(text=f"{name} is read by nothing", wrong=False)
