"""Which ports a run listens on, and the choice of free ones where that is left to us."""

from baton.flow import WORKERS
from baton.local.broker.ports import free_port, require_free
from baton.local.up.settings import UpSettings
from baton.settings import Settings

_METRICS = "BATON_METRICS_PORT"
_GATEWAY = "BATON_GATEWAY_PORT"
_BOARD = "BATON_BOARD_PORT"
_DELIVERY = "BATON_DELIVERY_PORT"


def ports_wanted(settings: Settings) -> list[tuple[str, int]]:
    """Each port with the setting that says so; 0 where any free one will do."""
    base = settings.metrics_port
    metrics = [(_METRICS, base + number if base else 0) for number in range(len(WORKERS))]
    broker = [("BATON_BROKER_PORT", settings.broker_port)] if settings.embedded else []
    return [
        *broker,
        (_GATEWAY, UpSettings().gateway_port),
        (_BOARD, UpSettings().board_port),
        (_DELIVERY, UpSettings().delivery_port),
        *metrics,
    ]


def choose_gateway_port() -> int:
    """The gateway's port; raises ``PortTaken`` naming the setting."""
    return _choose(_GATEWAY, UpSettings().gateway_port)


def choose_board_port() -> int:
    """The board's port; raises ``PortTaken`` naming the setting."""
    return _choose(_BOARD, UpSettings().board_port)


def choose_delivery_port() -> int:
    """Delivery's port; raises ``PortTaken`` naming the setting."""
    return _choose(_DELIVERY, UpSettings().delivery_port)


def choose_metrics_ports(settings: Settings) -> dict[str, int]:
    """A port for each process; raises ``PortTaken`` naming the setting."""
    base = settings.metrics_port
    return {
        name: _choose(_METRICS, base + number if base else 0) for number, name in enumerate(WORKERS)
    }


def _choose(setting: str, port: int) -> int:
    if not port:
        return free_port()
    require_free(port, setting=setting)
    return port
