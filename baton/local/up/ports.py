"""Which ports a run listens on, and the choice of free ones where that is left to us.

A port is chosen here and bound by the child a moment later. Connections that machines open take
their own ports from the range above 32768 (49152 on some), so the choice is made below it, and no
connection can come between; another server can, and then the child gets another port
(:meth:`PortChoice.again`).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from random import SystemRandom
from typing import Final

from baton.contracts.acls import BOARD, CONCIERGE, DELIVERY, GATEWAY
from baton.flow import workers_configured
from baton.local.broker.free_ports import is_free, require_free
from baton.local.up.settings import UpSettings
from baton.settings import Settings

METRICS_SETTING: Final = "BATON_METRICS_PORT"
PORT_SETTINGS: Final = {
    GATEWAY: "BATON_GATEWAY_PORT",
    BOARD: "BATON_BOARD_PORT",
    DELIVERY: "BATON_DELIVERY_PORT",
    CONCIERGE: "BATON_DELIVERY_CONCIERGE_PORT",
}
"""Of the processes that somebody calls, the setting that names the port for it."""
_LOWEST: Final = 20_000
_HIGHEST: Final = 32_768
_TRIES: Final = 1_000


class NoPortLeft(RuntimeError):
    """No free port was found; the text names the settings that choose one."""


def ports_wanted(settings: Settings) -> list[tuple[str, int]]:
    """Each port with the setting that says so; 0 where any free one will do."""
    base, workers = settings.metrics_port, workers_configured()
    metrics = [(METRICS_SETTING, base + number if base else 0) for number in range(len(workers))]
    broker = [("BATON_BROKER_PORT", settings.broker_port)] if settings.embedded else []
    own = [(PORT_SETTINGS[name], port) for name, port in _own_ports().items() if name in workers]
    return [*broker, *own, *metrics]


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerPorts:
    """Where one process listens: for ``/metrics`` and ``/readyz``, and for whoever uses it (None:
    nobody does); ``fixed``: those that a setting names."""

    metrics: int
    own: int | None = None
    fixed: frozenset[int] = frozenset()


@dataclass(slots=True)
class PortChoice:
    """The ports of the workers of one run. ``any_port``: proposes one; ``free``: whether nobody
    listens there."""

    settings: Settings
    any_port: Callable[[], int] = lambda: SystemRandom().randrange(_LOWEST, _HIGHEST)
    free: Callable[[int], bool] = is_free
    _taken: set[int] = field(default_factory=set)

    def first(self) -> dict[str, WorkerPorts]:
        """Of each process that is configured; raises ``PortTaken`` naming the setting."""
        base, own = self.settings.metrics_port, _own_ports()
        found = {}
        for number, name in enumerate(workers_configured()):
            metrics = self._choose(METRICS_SETTING, base + number if base else 0)
            used = self._choose(PORT_SETTINGS[name], own[name]) if name in own else None
            wishes = base, own.get(name, 0)
            fixed = frozenset(
                port
                for port, wish in zip((metrics, used), wishes, strict=True)
                if wish and port is not None
            )
            found[name] = WorkerPorts(metrics=metrics, own=used, fixed=fixed)
        return found

    def again(self, ports: WorkerPorts) -> WorkerPorts:
        """The same, for a process that has ended: with another port in the place of one that was
        chosen here and that somebody else has now."""
        return WorkerPorts(
            metrics=self._kept(ports.metrics, ports.fixed),
            own=None if ports.own is None else self._kept(ports.own, ports.fixed),
            fixed=ports.fixed,
        )

    def _kept(self, port: int, fixed: frozenset[int]) -> int:
        return port if port in fixed or self.free(port) else self._any()

    def _choose(self, setting: str, port: int) -> int:
        if not port:
            return self._any()
        require_free(port, setting=setting)
        return port

    def _any(self) -> int:
        for _ in range(_TRIES):
            port = self.any_port()
            if port not in self._taken and self.free(port):
                self._taken.add(port)
                return port
        raise NoPortLeft(
            f"no port from {_LOWEST} to {_HIGHEST - 1} was free in {_TRIES} tries; name ports by "
            f"{METRICS_SETTING}, {', '.join(PORT_SETTINGS.values())}"
        )


def _own_ports() -> dict[str, int]:
    """Of the processes that somebody calls: the port that its setting names; 0: any free one."""
    settings = UpSettings()
    return {
        GATEWAY: settings.gateway_port,
        BOARD: settings.board_port,
        DELIVERY: settings.delivery_port,
        CONCIERGE: settings.delivery_concierge_port,
    }
