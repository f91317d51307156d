"""``baton worker``: one service's reducers in this process, as ``baton up``, a container or a unit file starts them."""

import importlib
from importlib.util import find_spec

import typer

from baton.cli.cluster import cluster_settings
from baton.logs import set_up_logs
from baton.running.lifeline import end_with_supervisor
from baton.running.ports import SERVICES

app = typer.Typer()


class ServiceUnknown(LookupError):
    """There is no such service; the text lists those there are."""


@app.command(no_args_is_help=True, epilog="Services: " + ", ".join(SERVICES))
def worker(
    service: str = typer.Argument(help="The service to run."),
) -> None:
    """Run one service until it is told to stop (SIGTERM, Ctrl-C).

    Start more of the same anywhere to share its work: they join the consumer groups and partitions move over. It tells how it is at
    /healthz, /readyz and /metrics on BATON_METRICS_HOST:BATON_METRICS_PORT.
    """
    if service not in SERVICES or find_spec(f"services.{service}.app") is None:
        raise ServiceUnknown(f"no service {service!r}; there are {', '.join(SERVICES)}")
    settings = cluster_settings()
    set_up_logs(service, form=settings.log_format, level=settings.log_level)
    end_with_supervisor()
    from baton.engine.kafka.worker import run_worker  # here, because it brings the whole engine with it

    run_worker(importlib.import_module(f"services.{service}.app").SERVICE, settings)
