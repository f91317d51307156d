"""What ``baton doctor`` says of the state on disk (``BATON_STATE_DIR``)."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from baton.cli.findings import Finding, Verdict
from baton.cli.folders import existing, unwritable
from baton.engine.disk.state_directory import IDENTITY
from baton.engine.kafka.settings import EngineSettings
from baton.settings import Settings

_LITTLE_FREE_BYTES = 1 << 30


def state_findings(settings: Settings) -> Iterator[Finding]:
    """Nothing where the state is in memory."""
    folder = EngineSettings().state_dir
    if folder is not None:
        for verdict, text in _looked_at(folder, folder / settings.namespace):
            yield Finding(check="state", verdict=verdict, text=text)


def _looked_at(folder: Path, states: Path) -> Iterator[tuple[Verdict, str]]:
    if find_spec("rocksdict") is None:
        text = "BATON_STATE_DIR is set, and the library is not installed: pip install 'baton[disk]'"
        yield Verdict.WRONG, text
    if (problem := unwritable(states)) is not None:
        yield Verdict.WRONG, f"{problem}; set BATON_STATE_DIR to a folder of your own"
        return
    free = shutil.disk_usage(existing(folder)).free
    verdict = Verdict.GOOD if free >= _LITTLE_FREE_BYTES else Verdict.NOTE
    yield verdict, f"{free >> 20} MB free for {folder}"
    tasks = sorted(states.iterdir()) if states.is_dir() else []
    foreign = [task.name for task in tasks if not (task / IDENTITY).is_file()]
    if foreign:
        text = f"{states} has what is no state of Baton: {', '.join(foreign)}; use another folder"
        yield Verdict.WRONG, text
    ours = len(tasks) - len(foreign)
    taken = sum(file.stat().st_size for file in states.glob("*/db/*.sst"))
    yield Verdict.GOOD, f"{taken >> 20} MB of state of {ours} tasks in {states}"
