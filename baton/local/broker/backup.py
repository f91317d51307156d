"""A backup of Baton on one machine: the stopped broker's folder and the write key in one file that
only its owner can read.

Changelogs and committed offsets must be of one moment, so nothing is copied while the broker runs,
and nothing is put back beside data.
"""

import os
import shutil
import tarfile
from pathlib import Path

from baton.local.broker.broker_record import broker_home, running_process
from baton.local.private_files import private_folder

_MODE = 0o600
_PARTS = ("broker", "write-key")
_LEFT_OUT = ("kafka.log", "kafka.out", "broker.json", "start.lock")


class BackupRefused(RuntimeError):
    """A backup cannot be made or put back; the text says why and what to do."""


def make_backup(home: Path, file: Path) -> int:
    """Write the backup of ``home`` whole or not at all; gives its size in bytes. Raises
    :class:`BackupRefused` or OSError."""
    _require_stopped(home)
    if not (broker_home(home) / "data").is_dir():
        raise BackupRefused(f"{broker_home(home)}: there is no broker's data to back up")
    part = file.with_name(f"{file.name}.part")
    try:
        with (
            open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _MODE), "wb") as out,
            tarfile.open(fileobj=out, mode="w:gz") as archive,
        ):
            os.fchmod(out.fileno(), _MODE)
            for name in _PARTS:
                if (home / name).exists():
                    archive.add(home / name, arcname=name, filter=_kept)
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)
    return file.stat().st_size


def put_back(home: Path, file: Path) -> None:
    """Put a backup into a home without a broker's data. Raises :class:`BackupRefused` or
    OSError."""
    _require_stopped(home)
    place = broker_home(home)
    if (place / "data").exists():
        raise BackupRefused(
            f"{place} has data; delete it first with: baton broker stop --delete-data"
        )
    fresh = home / "restore.new"
    shutil.rmtree(fresh, ignore_errors=True)
    private_folder(fresh)
    try:
        with tarfile.open(file) as archive:
            _unpack(archive, fresh)
        if not (fresh / "broker" / "data").is_dir():
            raise BackupRefused(f"{file} is no backup of Baton: it has no broker/data")
        shutil.rmtree(place, ignore_errors=True)
        for name in _PARTS:
            if (fresh / name).exists():
                (fresh / name).replace(home / name)
        private_folder(place)
    except tarfile.TarError as error:
        raise BackupRefused(f"{file} cannot be read: {error}") from None
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _unpack(archive: tarfile.TarFile, folder: Path) -> None:
    """Folders and files below ``folder``, for the owner alone. Raises :class:`BackupRefused` where
    the archive has anything else: no backup has.

    ``extractall`` has a filter for that from Python 3.11.4 on.
    """
    for member in archive:
        place = Path(member.name)
        if place.is_absolute() or ".." in place.parts or not (member.isdir() or member.isreg()):
            raise BackupRefused(f"{archive.name!r} is no backup of Baton: it has {member.name!r}")
        if member.isdir():
            private_folder(folder / place)
            continue
        content = archive.extractfile(member)
        assert content is not None
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        with content, open(os.open(folder / place, os.O_WRONLY | os.O_CREAT, _MODE), "wb") as out:
            shutil.copyfileobj(content, out)
        os.utime(folder / place, (member.mtime, member.mtime))


def _require_stopped(home: Path) -> None:
    if (running := running_process(broker_home(home))) is not None:
        raise BackupRefused(
            f"the broker runs (pid {running.mark.pid}), and a copy of what is being written is "
            "worth nothing;"
            " stop it first: baton down, or baton broker stop"
        )


def _kept(found: tarfile.TarInfo) -> tarfile.TarInfo | None:
    """Data and settings; no logs, and nothing that says which process it was."""
    parts = Path(found.name).parts
    return None if len(parts) == 2 and parts[1].startswith(_LEFT_OUT) else found
