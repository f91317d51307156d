"""Shows the one download there is: the embedded broker's jars, at its first start."""

import threading

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from baton.cli.patience import moves
from baton.local.broker.artifacts import KAFKA_VERSION
from baton.local.broker.fetch import Progress as Listener


def download_shown(console: Console) -> Listener:
    """A listener that draws a bar on a terminal, and says two lines elsewhere; silent when nothing
    is missing."""
    return _Bar(console).advance


class _Bar:
    def __init__(self, console: Console) -> None:
        self._console = console
        self._bar: Progress | None = None
        self._lock = threading.Lock()

    def advance(self, done: int, total: int) -> None:
        """Bytes there and bytes to be; called from several threads."""
        with self._lock:
            if self._bar is None and done < total:
                self._begin(total)
            if self._bar is not None:
                self._bar.update(self._bar.task_ids[0], completed=done)
                if done >= total:
                    self._bar.stop()
                    self._bar = None

    def _begin(self, total: int) -> None:
        title = f"fetching Apache Kafka {KAFKA_VERSION}, once"
        if not moves(self._console):
            self._console.print(f"{title} ({total >> 20} MB)")
        self._bar = Progress(
            TextColumn(title),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            console=self._console,
            disable=not moves(self._console),
        )
        self._bar.add_task(title, total=total)
        self._bar.start()
