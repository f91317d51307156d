"""What every process of Baton reports of itself, whatever it does: which build it is, and for how
long no broker has answered it. The alert about brokers out of reach joins the two."""

import platform
from importlib.metadata import PackageNotFoundError, version

from prometheus_client import Gauge

from baton.contracts.metric_catalogue import METRICS


def _gauge(name: str) -> Gauge:
    spec = METRICS[name]
    return Gauge(spec.name, spec.says, spec.labels)


BROKERS_SILENT = _gauge("baton_brokers_silent_seconds")
BUILD_INFO = _gauge("baton_build_info")


def report_build(service: str) -> None:
    """Report that this process is ``service`` of the installed version."""
    BUILD_INFO.labels(build_version(), platform.python_version(), service).set(1)


def build_version() -> str:
    """The installed version; ``0`` where none is installed."""
    try:
        return version("baton")
    except PackageNotFoundError:
        return "0"
