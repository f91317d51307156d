"""Where trials of agreements are kept: one file a trial in the board's folder, written by the
command that made it. The board shows them as they are and computes nothing. A later one of the same
kind and agreement replaces it; a rebuild of the board leaves them."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

KINDS: Final = ("backtest", "challenger", "calibration", "shadow")
_NAME: Final = re.compile(rf"({'|'.join(KINDS)})-[0-9a-f]{{8,32}}")
_SMALL: Final = re.compile(r"[1-4]")
FEW: Final = "< 5"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialTable:
    """A titled table; ``note`` stands under it."""

    title: str
    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What was found, in words and tables. ``version``: of the agreement that was tried."""

    kind: str
    version: str
    made_ms: int
    title: str
    facts: Sequence[str]
    warnings: Sequence[str] = ()
    tables: Sequence[TrialTable] = ()

    @property
    def name(self) -> str:
        """Its name in addresses."""
        return f"{self.kind}-{self.version}"

    def shown(self, *, named: bool) -> Trial:
        """As a viewer reads it: who may not see names does not read counts below five."""
        if named:
            return self
        return replace(self, tables=[_without_small(table) for table in self.tables])


def _without_small(table: TrialTable) -> TrialTable:
    rows = [[FEW if _SMALL.fullmatch(cell) else cell for cell in row] for row in table.rows]
    return replace(table, rows=rows)


@dataclass(frozen=True, slots=True)
class Trials:
    """``folder``: the board's own."""

    folder: Path

    def _path(self, name: str) -> Path:
        return self.folder / "trials" / f"{name}.json"

    def latest(self) -> list[Trial]:
        """All that there are, the latest first."""
        names = (path.stem for path in (self.folder / "trials").glob("*.json"))
        found = [trial for name in names if (trial := self.get(name)) is not None]
        return sorted(found, key=lambda trial: (-trial.made_ms, trial.name))

    def get(self, name: str) -> Trial | None:
        """The trial with this name; None: there is none, or this is no name."""
        if not _NAME.fullmatch(name):
            return None
        try:
            plain = json.loads(self._path(name).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        tables = [TrialTable(**table) for table in plain.pop("tables")]
        return Trial(**plain, tables=tables)

    def keep(self, trial: Trial) -> None:
        """Keep it, in the place of an earlier one of its name."""
        if not _NAME.fullmatch(trial.name):
            raise ValueError(f'"{trial.name}" is no name of a trial')
        path = self._path(trial.name)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        part = path.with_suffix(".new")
        part.write_text(json.dumps(asdict(trial), ensure_ascii=False), encoding="utf-8")
        part.chmod(0o600)
        part.replace(path)
