"""Limits what a process may compute, as a cgroup's quota does, but without rights: in each period
it runs until it has used its quota, and is stopped (SIGSTOP) for the rest.

A busy machine may give it less than the quota; it never gets more.
"""

import signal
import threading
from contextlib import suppress
from types import TracebackType

import psutil

_PERIOD_S = 0.5
_LOOK_S = 0.01


class CpuLimit:
    """``with CpuLimit(pid, share):`` that process gets at most ``share`` of a core. It runs on
    freely afterwards, if it still lives."""

    def __init__(self, pid: int, share: float) -> None:
        self._process, self._quota_s = psutil.Process(pid), share * _PERIOD_S
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._limit, name=f"limit of {pid}", daemon=True)

    def __enter__(self) -> "CpuLimit":
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._thread.join()

    def _limit(self) -> None:
        with suppress(psutil.NoSuchProcess):
            try:
                allowed_s = self._used_s()
                while not self._ended.is_set():
                    allowed_s = max(allowed_s, self._used_s()) + self._quota_s
                    left_s = _PERIOD_S
                    while left_s > 0 and self._used_s() < allowed_s:
                        self._ended.wait(_LOOK_S)
                        left_s -= _LOOK_S
                    self._process.send_signal(signal.SIGSTOP)
                    self._ended.wait(max(left_s, 0.0))
                    self._process.send_signal(signal.SIGCONT)
            finally:
                self._process.send_signal(signal.SIGCONT)

    def _used_s(self) -> float:
        times = self._process.cpu_times()
        return float(times.user + times.system)
