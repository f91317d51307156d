"""What decides is a function of what it is handed: read from the syntax tree of every file that is
not a named edge.

The engine may run the same reducer in several hosts, rebuild a state from the log and compare: that
only works if nothing that decides reads a clock, draws a random number, does I/O or depends on the
hash seed of the process.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PURE_FOLDERS = ("baton/agreement", "baton/engine", "baton/intake", "baton/sources", "services")

EDGES = {
    "baton/engine/kafka/": "the engine's host on Kafka",
    "baton/engine/disk/": "the state of tasks on disk",
    "baton/engine/metrics.py": "counts what hosts do",
    "baton/agreement/source/read.py": "reads the file that people write",
    "baton/agreement/publish.py": "sends an agreement to its topic",
    "baton/sources/source_reading.py": "reads the file that people write",
    "baton/sources/people.py": "reads the book of people",
    "baton/sources/calendar_feeds.py": "fetches the calendars of the book of people",
    "baton/sources/diagnosis.py": "reads the files of sources",
    "services/*/__main__.py": "starts the service",
    "services/*/settings.py": "reads the environment",
    "services/ingest/gateway/": "the HTTP gateway",
    "services/delivery/targets/target_reading.py": "reads the file that people write",
    "services/delivery/store/": "the outbox, and the view of leads beside it",
    "services/delivery/log/": "reads the public topics",
    "services/delivery/webhooks/network.py": "connects to checked addresses",
    "services/delivery/webhooks/webhook_carrier.py": "posts webhooks",
    "services/delivery/answers/": "takes what comes back over HTTP",
    "services/delivery/concierge/desk.py": "asks and keeps promises in the store",
    "services/delivery/concierge/promise_keeping.py": "sends what makes promises true",
    "services/delivery/concierge/assembling.py": "reads the book of people",
    "services/delivery/concierge/busy_cache.py": "is written and read by several threads",
    "services/delivery/concierge/openings.py": "keeps what it computed for some seconds",
    "services/delivery/concierge/work_count.py": "keeps what it counted for some seconds",
    "services/delivery/concierge/feeds.py": "asks calendars",
    "services/delivery/concierge/process.py": "a process",
    "services/delivery/concierge/routes.py": "answers over HTTP",
    "services/delivery/concierge/feed_reading.py": "a process that reads one calendar",
    "services/delivery/crm/crm_carrier.py": "takes changes of leads to a CRM",
    "services/delivery/crm/hubspot.py": "calls HubSpot",
    "services/delivery/crm/salesforce.py": "calls Salesforce",
    "services/delivery/crm/write_ledger.py": "notes own writes in the store",
    "services/delivery/crm/oauth_tokens.py": "keeps OAuth tokens",
    "services/delivery/mail.py": "sends mail",
    "services/delivery/slack/slack_carrier.py": "calls Slack",
    "services/delivery/carriers.py": "makes what carries to each target",
    "services/delivery/target_checking.py": "asks targets",
    "services/delivery/sender.py": "takes what is due to its target",
    "services/delivery/metrics.py": "counts",
    "services/delivery/outbox_file.py": "where the files are",
    "services/delivery/process.py": "runs delivery until it is asked to stop",
    "services/delivery/serving.py": "runs the web server",
    "services/delivery/operations.py": "health pages",
    "services/delivery/commandline.py": "what the command line asks",
    "services/insights/projection/": "the board's store, and what fills it from Kafka",
    "services/insights/exporting.py": "writes tables to files",
    "services/insights/departures.py": "writes down what leaves the board",
    "services/insights/board/access.py": "one-time links and sessions",
    "services/insights/board/guard.py": "headers, hosts and forms of the web application",
    "services/insights/process.py": "runs the board until it is asked to stop",
    "services/insights/commandline.py": "links, copies and exports for the command line",
    "services/insights/board/operations.py": "health pages",
    "services/insights/board/live.py": "news for open pages",
    "services/insights/board/publishing.py": "sends what people do on a page",
    "services/insights/board/forms.py": "answers what is sent from the pages",
    "services/insights/board/visits.py": "who visits, and what they may see",
    "services/insights/board/entrances.py": "how somebody enters: link, proxy, identity provider",
    "services/insights/board/oidc.py": "asks the identity provider",
    "services/insights/packs/": "the weekly pack: files, and mail",
    "services/insights/trials/": "trials of agreements, kept in files",
    "services/insights/board/kept.py": "pages kept until the store moves on",
    "services/insights/board_metrics.py": "measures of the board",
    "services/insights/board/rendering.py": "reads the templates",
    "services/insights/board/board_server.py": "runs the web server",
    "services/insights/board/site.py": "the web application",
}

FORBIDDEN_MODULES = {
    "clock": {"time", "sched", "calendar.timegm"},
    "random": {"random", "secrets"},
    "I/O": {
        "asyncio",
        "socket",
        "ssl",
        "select",
        "selectors",
        "os",
        "io",
        "shutil",
        "tempfile",
        "pathlib",
        "glob",
        "subprocess",
        "multiprocessing",
        "threading",
        "concurrent",
        "signal",
        "http",
        "urllib.request",
        "urllib.error",
        "sqlite3",
        "logging",
        "aiokafka",
        "confluent_kafka",
        "kafka",
        "faust",
        "mode",
        "uvloop",
        "aiohttp",
        "httpx",
        "requests",
        "starlette",
        "uvicorn",
        "prometheus_client",
        "psutil",
        "rich",
        "typer",
    },
}
FORBIDDEN_CALLS = {
    "open": "I/O",
    "print": "I/O",
    "input": "I/O",
    "hash": "depends on the hash seed of the process",
    "eval": "evaluated code",
    "exec": "evaluated code",
}
FORBIDDEN_METHODS = {
    ("datetime", "now"): "clock",
    ("datetime", "utcnow"): "clock",
    ("datetime", "today"): "clock",
    ("date", "today"): "clock",
    ("uuid", "uuid1"): "random",
    ("uuid", "uuid4"): "random",
}
FORBIDDEN_NAMES = {("uuid", "uuid1"), ("uuid", "uuid4"), ("urllib", "request")}


def impurities(source: str) -> list[str]:
    """What a pure file must not have, as ``line: what (why)``. Imports for type checkers only count
    too: there is no need for them."""
    return [f"{line}: {what} ({why})" for line, what, why in sorted(_found(ast.parse(source)))]


def _found(tree: ast.AST) -> Iterator[tuple[int, str, str]]:
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                for entry in names:
                    yield from _module(node.lineno, entry.name)
            case ast.ImportFrom(module=str(module), names=names):
                yield from _module(node.lineno, module)
                for entry in names:
                    if (module, entry.name) in FORBIDDEN_NAMES:
                        yield node.lineno, f"from {module} import {entry.name}", "random or I/O"
            case ast.Call(func=ast.Name(id=name)) if name in FORBIDDEN_CALLS:
                yield node.lineno, f"{name}()", FORBIDDEN_CALLS[name]
            case ast.Attribute(
                value=ast.Name(id=owner) | ast.Attribute(attr=owner), attr=attribute
            ):
                if why := FORBIDDEN_METHODS.get((owner, attribute)):
                    yield node.lineno, f"{owner}.{attribute}", why


def _module(line: int, name: str) -> Iterator[tuple[int, str, str]]:
    for why, modules in FORBIDDEN_MODULES.items():
        if any(name == module or name.startswith(f"{module}.") for module in modules):
            yield line, f"import {name}", why


def _is_edge(path: str) -> bool:
    return path in EDGES or any(
        path.startswith(edge) if edge.endswith("/") else "*" in edge and Path(path).match(edge)
        for edge in EDGES
    )


def _pure_files() -> list[str]:
    found = (
        path.relative_to(ROOT).as_posix()
        for folder in PURE_FOLDERS
        for path in (ROOT / folder).rglob("*.py")
    )
    return sorted(path for path in found if not _is_edge(path))


@pytest.mark.parametrize("path", _pure_files())
def test_what_decides_is_pure(path: str) -> None:
    assert impurities((ROOT / path).read_text()) == []


def test_there_are_reducers_among_the_pure_files() -> None:
    files = _pure_files()
    assert {
        path.split("/")[1] for path in files if path.startswith("services/") and path.count("/") > 1
    } == {
        "delivery",
        "ingest",
        "insights",
        "scorer",
        "router",
        "sla_watcher",
    }
    assert "baton/engine/core.py" in files


@pytest.mark.parametrize(
    ("planted", "found"),
    [
        ("import time", "1: import time (clock)"),
        ("from time import monotonic", "1: import time (clock)"),
        ("import random as r", "1: import random (random)"),
        ("def f():\n    import asyncio.events", "2: import asyncio.events (I/O)"),
        ("from aiokafka.structs import TopicPartition", "1: import aiokafka.structs (I/O)"),
        ("from datetime import datetime\ndatetime.now(UTC)", "2: datetime.now (clock)"),
        ("import datetime\ndatetime.datetime.now()", "2: datetime.now (clock)"),
        ("clock = datetime.now", "1: datetime.now (clock)"),
        ("import uuid\nuuid.uuid4()", "2: uuid.uuid4 (random)"),
        ("from uuid import uuid4", "1: from uuid import uuid4 (random or I/O)"),
        ("open('x')", "1: open() (I/O)"),
        ("hash('x') % 4", "1: hash() (depends on the hash seed of the process)"),
    ],
)
def test_a_planted_impurity_is_found(planted: str, found: str) -> None:
    assert impurities(planted) == [found]


@pytest.mark.parametrize(
    "clean",
    [
        "from datetime import UTC, datetime\ndatetime.fromtimestamp(0, UTC)",
        "from urllib.parse import quote",
        "import timeit_like",
        "x.id",
    ],
)
def test_what_is_pure_is_left_alone(clean: str) -> None:
    assert impurities(clean) == []
