"""The write key of a run on one machine: made at the first start, so that HTTP works at once and is
still shut to everybody else."""

import os
import secrets
from collections.abc import Mapping
from pathlib import Path

_GIVEN = ("BATON_WRITE_KEYS", "BATON_WRITE_KEYS_FILE", "BATON_INSECURE")
_SCOPES = "engagement+acts+commands"
_KEY_BYTES = 24


def key_file(home: Path) -> Path:
    """Where the key is; the part after the last colon is what clients show."""
    return home / "write-key"


def key_environment(home: Path, environment: Mapping[str, str] | None = None) -> dict[str, str]:
    """What the gateway is to be given besides its own settings: nothing if those say who may send,
    else the file of our key."""
    given = os.environ if environment is None else environment
    if any(given.get(name) for name in _GIVEN):
        return {}
    path = key_file(home)
    if not path.exists():
        _make(path)
    return {"BATON_WRITE_KEYS_FILE": str(path)}


def _make(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".new")
    part.unlink(missing_ok=True)
    # Readable by the user alone from its first byte on.
    with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(f"local:{_SCOPES}:{secrets.token_urlsafe(_KEY_BYTES)}\n")
    part.replace(path)
