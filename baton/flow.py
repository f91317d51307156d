"""All services together, for the commands that run or read the whole flow: simulate, demo, audit.

Services do not know each other; they are brought together here and nowhere else.
"""

from functools import cache
from typing import Any

from pydantic_settings import BaseSettings

from baton.contracts.acls import BOARD, CONCIERGE, DELIVERY, GATEWAY
from baton.contracts.topics import REDUCERS
from baton.engine.reducer import Reducer
from baton.engine.service import Service
from baton.settings import Settings

SERVICES: tuple[str, ...] = tuple(dict.fromkeys(REDUCERS.values()))
"""Every service, in the order of the flow."""

STANDING: tuple[str, ...] = (*SERVICES, GATEWAY, BOARD, DELIVERY)
"""The processes of every Baton."""

WORKERS: tuple[str, ...] = (*STANDING, CONCIERGE)
"""What ``baton worker`` can run: a process each."""


class ServiceUnknown(LookupError):
    """There is no such service; the text lists those there are."""


@cache
def service_of(name: str) -> Service:
    """The service called ``name``; only its own code is loaded. Raises :class:`ServiceUnknown`."""
    match name:
        case "ingest":
            from services.ingest.app import SERVICE as found
        case "scorer":
            from services.scorer.app import SERVICE as found
        case "router":
            from services.router.app import SERVICE as found
        case "sla_watcher":
            from services.sla_watcher.app import SERVICE as found
        case _:
            raise ServiceUnknown(f"no service {name!r}; there are {', '.join(WORKERS)}")
    return found


def run_gateway(settings: Settings) -> None:
    """The gateway, in this process, until it is asked to stop; only its own code is loaded."""
    from services.ingest.gateway.process import run

    run(settings)


def run_board(settings: Settings) -> None:
    """The board, in this process, until it is asked to stop; only its own code is loaded."""
    from services.insights.process import run

    run(settings)


def run_delivery(settings: Settings) -> None:
    """Delivery, in this process, until it is asked to stop; only its own code is loaded."""
    from services.delivery.process import run

    run(settings)


def run_concierge(settings: Settings) -> None:
    """The concierge, in this process, until it is asked to stop; only its own code is loaded."""
    from services.delivery.concierge.process import run

    run(settings)


def workers_configured() -> tuple[str, ...]:
    """What ``baton up`` starts: a concierge only where the file of targets has one."""
    from services.delivery.targets.target_reading import has_concierge

    return WORKERS if has_concierge() else STANDING


def delivery_settings() -> type[BaseSettings]:
    """The settings of delivery: for who prints and checks all settings."""
    from services.delivery.settings import DeliverySettings

    return DeliverySettings


def delivery_commands() -> Any:
    """What the command line does with deliveries; only its own code is loaded."""
    from services.delivery import commandline

    return commandline


def gateway_settings() -> type[BaseSettings]:
    """The settings of the gateway: for who prints and checks all settings."""
    from services.ingest.settings import GatewaySettings

    return GatewaySettings


def board_settings() -> type[BaseSettings]:
    """The settings of the board: for who prints and checks all settings."""
    from services.insights.settings import BoardSettings

    return BoardSettings


def board_commands() -> Any:
    """What the command line does with the board; only its own code is loaded."""
    from services.insights import commandline

    return commandline


def all_reducers() -> tuple[Reducer[Any, Any], ...]:
    """Every reducer, in the order of the flow; raises LookupError where the catalogue and the
    services do not agree."""
    found = {reducer.name: reducer for name in SERVICES for reducer in service_of(name).reducers}
    if found.keys() != REDUCERS.keys():
        raise LookupError(
            "the catalogue and the services name different reducers: "
            f"{sorted(found.keys() ^ REDUCERS.keys())}"
        )
    return tuple(found[name] for name in REDUCERS)
