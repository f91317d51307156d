"""Reads ``targets.yaml``: everything wrong with it at once, each problem with its line, the reason
and the way out; and the secrets that it names."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from pydantic import SecretStr, ValidationError

from baton.agreement.document import Document
from baton.agreement.problems import Problem, path_words
from baton.agreement.source.yaml import read_yaml
from services.delivery.settings import DeliverySettings
from services.delivery.targets.target_model import TargetsFile

_REASONS = {
    "extra_forbidden": "is not a key here",
    "missing": "is missing",
    "string_type": "must be text",
}
_SECRETS = (
    "secret_env",
    "token_env",
    "signing_secret_env",
    "password_env",
    "client_secret_env",
    "refresh_token_env",
    "app_secret_env",
)


class TargetsWrong(ValueError):
    """The file cannot be used; the text has one line for each problem."""


def read_targets(path: Path | None) -> TargetsFile:
    """The targets of a file, none without one; raises :class:`TargetsWrong`."""
    if path is None:
        return TargetsFile(version=1)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise TargetsWrong(f"{path} cannot be read: {error}") from None
    document = read_yaml(text)
    problems = [*document.problems]
    if not problems:
        try:
            return _placed(TargetsFile.model_validate(document.data), path.parent)
        except ValidationError as error:
            problems += [_problem(item, document) for item in error.errors(include_url=False)]
    raise TargetsWrong("\n".join(problem.described(str(path)) for problem in problems))


def has_concierge() -> bool:
    """Whether the file of targets, by the environment, has a concierge. A file that is wrong has
    none: delivery says what is wrong with it."""
    try:
        return read_targets(DeliverySettings().targets).concierge is not None
    except ValueError:  # the settings or the file
        return False


def _placed(targets: TargetsFile, folder: Path) -> TargetsFile:
    """Paths in the file are relative to it."""
    concierge = targets.concierge
    if concierge is None or concierge.people is None:
        return targets
    placed = concierge.model_copy(update={"people": str(folder / concierge.people)})
    return targets.model_copy(update={"concierge": placed})


def read_secrets(targets: TargetsFile) -> dict[str, SecretStr]:
    """Every secret that the file names, from the environment; raises :class:`TargetsWrong` naming
    all that are missing."""
    named: dict[str, str] = {}
    for kind, name, target in targets.everything():
        named |= dict.fromkeys(_names_in(target), f"{kind}.{name}")
    if targets.concierge is not None:
        named |= dict.fromkeys(_names_in(targets.concierge), "concierge")
    missing = [f"{name} (of {place})" for name, place in named.items() if not os.environ.get(name)]
    if missing:
        raise TargetsWrong(
            f"set these environment variables, which targets.yaml names: {', '.join(missing)}"
        )
    return {name: SecretStr(os.environ[name]) for name in named}


def _names_in(target: Any) -> list[str]:
    found: list[str] = []
    for field in _SECRETS:
        value = getattr(target, field, None)
        found += [value] if isinstance(value, str) else list(value or ())
    return found


def _problem(error: Any, document: Document) -> Problem:
    location = tuple(part for part in error["loc"] if part != "[key]")
    place = document.place(location)
    message = str(error["msg"]).removeprefix("Value error, ")
    reason = _REASONS.get(str(error["type"]), message)
    words = path_words(location) or "the file"
    return Problem(message=f"{words} {reason}", path=location, line=place.line if place else 0)
