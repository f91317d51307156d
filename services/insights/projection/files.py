"""Where the board's files are, and which of them is the one in use: ``current`` names it, so that a
rebuilt one takes over at once.

A rebuild is made in a file of its own and named in ``current`` when it has caught up. A reader that
has the former one open keeps it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

_CURRENT = "current"
_WANTED = "rebuild"


@dataclass(frozen=True, slots=True)
class BoardFiles:
    """The files of one namespace."""

    folder: Path

    def prepare(self) -> None:
        """Make the folder, for its owner alone: the files have names in them."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.folder.chmod(0o700)

    def current(self) -> Path | None:
        """The file in use; None: there is none yet."""
        try:
            name = (self.folder / _CURRENT).read_text().strip()
        except FileNotFoundError:
            return None
        path = self.folder / name
        return path if name and path.exists() else None

    def following(self) -> Path:
        """A file that does not exist yet."""
        taken = [
            int(each.stem.removeprefix("board-")) for each in self.folder.glob("board-*.sqlite")
        ]
        return self.folder / f"board-{max(taken, default=0) + 1}.sqlite"

    def use(self, path: Path) -> None:
        """From now on ``path`` is the file in use; those before it are removed."""
        part = self.folder / f"{_CURRENT}.new"
        part.write_text(path.name)
        part.replace(self.folder / _CURRENT)
        for other in self.folder.glob("board-*.sqlite"):
            if other != path:
                for ending in ("", "-wal", "-shm"):
                    other.with_name(other.name + ending).unlink(missing_ok=True)

    @property
    def rebuild_wanted(self) -> bool:
        """Whether somebody asked for a rebuild that has not been made."""
        return (self.folder / _WANTED).exists()

    def want_rebuild(self) -> None:
        """Ask for a rebuild; the worker sees it within seconds."""
        self.prepare()
        (self.folder / _WANTED).touch()

    def rebuild_made(self) -> None:
        """It is done."""
        (self.folder / _WANTED).unlink(missing_ok=True)
