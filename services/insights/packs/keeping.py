"""Where frozen packs are kept: a file for each week in the board's folder. Written once, never
changed; a rebuild of the board leaves them as they are."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from services.insights.packs.figures import Pack, pack_of

_WEEK: Final = re.compile(r"\d{4}-W\d{2}")


@dataclass(frozen=True, slots=True)
class Packs:
    """``folder``: the board's own."""

    folder: Path

    def _path(self, week: str) -> Path:
        return self.folder / "packs" / f"{week}.json"

    def weeks(self) -> list[str]:
        """The weeks that have a pack, the latest first."""
        found = (self.folder / "packs").glob("*.json")
        return sorted((path.stem for path in found if _WEEK.fullmatch(path.stem)), reverse=True)

    def get(self, week: str) -> Pack | None:
        """The frozen pack of a week; None: there is none, or this is no week."""
        if not _WEEK.fullmatch(week):
            return None
        try:
            return pack_of(json.loads(self._path(week).read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None

    def freeze(self, pack: Pack) -> Pack:
        """Keep a pack; gives the one that is kept, which is the first of its week."""
        path = self._path(pack.week)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        part = path.with_suffix(".new")
        with part.open("w", encoding="utf-8") as file:
            json.dump(pack.as_json(), file, ensure_ascii=False)
            file.flush()
            os.fsync(file.fileno())  # before it has its name: a pack is whole or not there
        part.chmod(0o600)
        try:
            path.hardlink_to(part)  # fails where there is one already, whoever made it
        except FileExistsError:
            pass
        finally:
            part.unlink()
        found = self.get(pack.week)
        assert found is not None
        return found
