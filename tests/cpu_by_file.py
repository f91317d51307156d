"""A pytest plugin that measures what the tests of a file cost in CPU, theirs and that of every
process they start: ``pytest -p tests.cpu_by_file``.

It counts user and system time of this process and of its descendants, those that ended included,
so a busy machine changes little. A broker or a worker that serves several files is charged to the
file that runs while it works. With pytest-xdist, files are measured in each process and added up.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

_TICK_S = 1 / os.sysconf("SC_CLK_TCK")
_KEY = "cpu_by_file"
_SHOWN = 400


class CpuByFile:
    """What was used since the start of the file that runs now, and by the files before."""

    def __init__(self) -> None:
        self.used: Counter[str] = Counter()
        self._file = "(collecting)"
        self._since = 0.0

    def pytest_runtest_logstart(self, location: tuple[str, int | None, str]) -> None:
        if location[0] != self._file:
            self._turn_to(location[0])

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        self._turn_to("(tearing down)")
        output = getattr(session.config, "workeroutput", None)
        if output is not None:
            output[_KEY] = dict(self.used)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        self.used.update(getattr(node, "workeroutput", {}).get(_KEY, {}))

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        terminalreporter.section("CPU seconds, with all processes started")
        for file, seconds in self.used.most_common(_SHOWN):
            terminalreporter.write_line(f"{seconds:8.2f} {file}")
        terminalreporter.write_line(f"{sum(self.used.values()):8.2f} in all")

    def _turn_to(self, file: str) -> None:
        now = cpu_s(os.getpid())
        self.used[self._file] += now - self._since
        self._file, self._since = file, now


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(CpuByFile(), "cpu-by-file")


def cpu_s(pid: int) -> float:
    """The CPU time of a process, of its living descendants, and of those that were waited for."""
    parents: dict[int, list[int]] = {}
    times: dict[int, float] = {}
    for process, parent, seconds in _processes():
        parents.setdefault(parent, []).append(process)
        times[process] = seconds
    family, open_ = 0.0, [pid]
    while open_:
        process = open_.pop()
        family += times.get(process, 0.0)
        open_ += parents.get(process, [])
    return family


def _processes() -> Iterator[tuple[int, int, float]]:
    """Pid, parent, and CPU seconds with those of waited-for children (proc(5), stat)."""
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
            except OSError:  # it has ended meanwhile
                continue
            ticks = sum(int(field) for field in fields[11:15])
            yield int(folder.name), int(fields[1]), ticks * _TICK_S
