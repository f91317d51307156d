"""Which ports a run listens on, and the choice of free ones where that is left to us."""

from baton.contracts.acls import CONCIERGE
from baton.flow import workers_configured
from baton.local.broker.ports import free_port, require_free
from baton.local.up.settings import UpSettings
from baton.settings import Settings

_METRICS = "BATON_METRICS_PORT"
_GATEWAY = "BATON_GATEWAY_PORT"
_BOARD = "BATON_BOARD_PORT"
_DELIVERY = "BATON_DELIVERY_PORT"
_CONCIERGE = "BATON_DELIVERY_CONCIERGE_PORT"


def ports_wanted(settings: Settings) -> list[tuple[str, int]]:
    """Each port with the setting that says so; 0 where any free one will do."""
    base, workers = settings.metrics_port, workers_configured()
    metrics = [(_METRICS, base + number if base else 0) for number in range(len(workers))]
    concierge = [(_CONCIERGE, UpSettings().delivery_concierge_port)]
    broker = [("BATON_BROKER_PORT", settings.broker_port)] if settings.embedded else []
    return [
        *broker,
        (_GATEWAY, UpSettings().gateway_port),
        (_BOARD, UpSettings().board_port),
        (_DELIVERY, UpSettings().delivery_port),
        *(concierge if CONCIERGE in workers else ()),
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


def choose_concierge_port() -> int:
    """The concierge's port; raises ``PortTaken`` naming the setting."""
    return _choose(_CONCIERGE, UpSettings().delivery_concierge_port)


def choose_metrics_ports(settings: Settings) -> dict[str, int]:
    """A port for each process; raises ``PortTaken`` naming the setting."""
    base = settings.metrics_port
    return {
        name: _choose(_METRICS, base + number if base else 0)
        for number, name in enumerate(workers_configured())
    }


def _choose(setting: str, port: int) -> int:
    if not port:
        return free_port()
    require_free(port, setting=setting)
    return port
