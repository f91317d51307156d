"""``baton worker``: one service's reducers in this process, as ``baton up``, a container or a unit
file starts them."""

from functools import cache
from typing import Any

import typer

from baton.cli.cluster import cluster_settings
from baton.contracts.acls import BOARD, CONCIERGE, DELIVERY, GATEWAY
from baton.contracts.drift import differences, event_records, unreadable
from baton.contracts.schemas import SchemaShelf, shelf
from baton.engine.reducer import Reducer
from baton.flow import (
    WORKERS,
    ServiceUnknown,
    run_board,
    run_concierge,
    run_delivery,
    run_gateway,
    service_of,
)
from baton.lifeline import end_with_supervisor
from baton.logs import set_up_logs

app = typer.Typer(add_completion=False)

_LINE = 200
_WITHOUT_REDUCERS = {
    GATEWAY: run_gateway,
    BOARD: run_board,
    DELIVERY: run_delivery,
    CONCIERGE: run_concierge,
}


class ContractsDiffer(RuntimeError):
    """The installed models and schemas do not fit; the text names each difference."""


@app.command(no_args_is_help=True, epilog="Services: " + ", ".join(WORKERS))
def worker(
    service: str = typer.Argument(help="The service to run."),
) -> None:
    """Run one service until it is asked to stop (SIGTERM, Ctrl-C).

    Start more of the same anywhere to share its work: they join the consumer groups and partitions
    move over; a gateway has none, put a load balancer before several. It reports its state at
    /healthz, /readyz and /metrics on BATON_METRICS_HOST:BATON_METRICS_PORT.
    """
    if service not in WORKERS:
        raise ServiceUnknown(f"no service {service!r}; there are {', '.join(WORKERS)}")
    settings = cluster_settings()
    set_up_logs(service, form=settings.log_format, level=settings.log_level, file=settings.log_file)
    end_with_supervisor()
    if service in _WITHOUT_REDUCERS:
        refuse_drift(shelf(), ())
        _WITHOUT_REDUCERS[service](settings)
        return
    # here, because it brings the whole engine with it
    from baton.engine.kafka.worker import run_worker

    found = service_of(service)
    refuse_drift(shelf(), found.reducers)
    run_worker(found, settings)


@cache
def refuse_drift(schemas: SchemaShelf, reducers: tuple[Reducer[Any, Any], ...]) -> None:
    """Raise :class:`ContractsDiffer` unless every record and state of the reducers is as its schema
    says and old data can be read. What has passed is not looked at again."""
    states = [
        kind
        for reducer in reducers
        for kind in (reducer.head_type, *(entry_kind.type for entry_kind in reducer.entry_kinds))
    ]
    records = (*event_records(), *(state for state in states if state is not None))
    problems = [*differences(schemas, records), *unreadable(schemas)]
    if problems:
        reported = "\n  ".join(
            problem if len(problem) <= _LINE else f"{problem[:_LINE]} ..." for problem in problems
        )
        raise ContractsDiffer(
            "schemas and models differ, so nothing may be written (in a checkout see `make "
            f"schemas`):\n  {reported}"
        )
