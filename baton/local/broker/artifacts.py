"""Which files the embedded broker is made of, pinned: coordinates, size and SHA-256 of every jar.

``artifacts.lock`` is the truth. A file that does not have the pinned hash is never put on the class
path.
"""

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

KAFKA_VERSION = "4.3.1"
_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """One jar: where it comes from and what is in it."""

    group: str
    name: str
    version: str
    size_bytes: int
    sha256: str

    @property
    def file_name(self) -> str:
        """Its name in the cache and in any Maven repository."""
        return f"{self.name}-{self.version}.jar"

    def __str__(self) -> str:
        return f"{self.group}:{self.name}:{self.version}"


def parse_lock(text: str) -> tuple[Artifact, ...]:
    """The artifacts of a lock file's text; raises ValueError naming the line that cannot be
    read."""
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        try:
            coordinates, size, digest = line.split()
            group, name, version = coordinates.split(":")
            if len(digest) != 64:
                raise ValueError(digest)
            found.append(
                Artifact(
                    group=group, name=name, version=version, size_bytes=int(size), sha256=digest
                )
            )
        except ValueError as error:
            raise ValueError(
                f"artifacts.lock:{number}: expected 'group:name:version bytes sha256'"
            ) from error
    return tuple(found)


@cache
def locked_artifacts() -> tuple[Artifact, ...]:
    """The artifacts of the broker that this version of Baton starts."""
    return parse_lock((files("baton.local.broker") / "artifacts.lock").read_text())


def is_sound(artifact: Artifact, path: Path) -> bool:
    """Whether the file is there, whole and the one that was pinned."""
    try:
        if path.stat().st_size != artifact.size_bytes:
            return False
        digest = hashlib.sha256()
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK_BYTES):
                digest.update(chunk)
    except OSError:
        return False
    return digest.hexdigest() == artifact.sha256
