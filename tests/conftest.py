"""What tests share: a Kafka to talk to, a namespace of one's own on it, and a nursery of workers.

The broker is the one of ``BATON_BOOTSTRAP``, else an embedded one for the whole run, made when the
first test asks for it, whichever process of pytest-xdist that test is in. What a killed run left
behind is cleared away by the next.
"""

import contextlib
import gc
import os
import shutil
import tempfile
import uuid
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka.admin import AdminClient
from hypothesis import HealthCheck, settings

from baton.local.broker.archive_training import ensure_archive
from baton.local.broker.broker_record import read_record
from baton.local.broker.embedded import BrokerRunning, EmbeddedBroker
from baton.local.broker.fetch import fetch_jars
from baton.processes import Mark, end, is_running, own_mark
from baton.settings import default_cache
from tests.kafka.nursery import Nursery
from tests.patience import BROKER_READY_S

pytest_plugins = ["tests.must_run", "tests.slow_first"]

# Hypothesis measures no time here: a busy machine is no failure. Each run has the same examples, so
# that what fails here failed before it landed; pytest --hypothesis-profile search looks for others.
_UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("search", _UNHURRIED)
settings.register_profile("same", _UNHURRIED, derandomize=True, database=None)
settings.load_profile("same")

# Nothing here waits for people; beside other tests a lower priority would only make it slow.
os.environ.setdefault("BATON_BACKGROUND_NICE", "0")

# Brokers here live for minutes and hold little: what Java's second compiler and its parallel
# collector cost, they never bring back (25 CPU seconds instead of 41 for 1,200 transactions).
os.environ.setdefault("JDK_JAVA_OPTIONS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")

_HOMES = Path(tempfile.gettempdir()) / f"baton-tests-{os.getuid()}"
_ADMIN_TIMEOUT_S = 30.0
_BROKER = pytest.StashKey[str]()


@pytest.fixture(scope="session")
def download_cache() -> Path:
    """Where downloads are that are made once; shared by all runs of this user."""
    return Path(os.environ.get("BATON_CACHE") or default_cache())


@pytest.fixture(scope="session")
def broker_cache(download_cache: Path) -> Path:
    """The same with the broker's jars in it, and the archive of their classes: without it each of
    the brokers here would take twice the CPU to start."""
    ensure_archive(fetch_jars(download_cache), ready_timeout_s=BROKER_READY_S)
    return download_cache


@pytest.fixture(scope="session")
def bootstrap(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a Kafka that may be used, but not broken."""
    given = os.environ.get("BATON_BOOTSTRAP")
    if given:
        yield given
        return
    home = Path(request.config.stash[_BROKER])
    _clear_away_killed_runs(but=home)
    cache = request.getfixturevalue("broker_cache")
    broker = EmbeddedBroker(home, cache=cache, ready_timeout_s=BROKER_READY_S)
    try:
        yield broker.start()
    except BrokerRunning:  # another process of this run was first
        yield broker.bootstrap


def pytest_configure(config: pytest.Config) -> None:
    """One home for the broker of a run: that of the process that began it, and outlives others."""
    given = getattr(config, "workerinput", {}).get("broker_home")
    own = own_mark()
    config.stash[_BROKER] = given or str(_HOMES / f"{own.pid}-{own.started}")


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """pytest-xdist begins a process."""
    node.workerinput["broker_home"] = node.config.stash[_BROKER]


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Ten thousand tests and a thousand modules are made, and stay: the collector need not look for
    garbage meanwhile, nor at them ever after, nor as often as in a small process."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.set_threshold(10_000, 10, 10)
        gc.enable()


def pytest_unconfigure(config: pytest.Config) -> None:
    """No test runs any more, in no process: the broker ends, if there was one."""
    home = Path(config.stash[_BROKER])
    if not hasattr(config, "workerinput") and home.exists():
        EmbeddedBroker(home, cache=home).remove()


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    """Where workers come from that a test starts by the dozen."""
    made = Nursery()
    yield made
    made.close()


@pytest.fixture
def namespace(bootstrap: str) -> Iterator[str]:
    """A namespace that no other test has; its topics and groups are deleted afterwards."""
    with own_namespace(bootstrap) as name:
        yield name


@contextlib.contextmanager
def own_namespace(bootstrap: str) -> Iterator[str]:
    """What the fixture ``namespace`` gives, for a test that needs several."""
    name = f"t{uuid.uuid4().hex[:10]}"
    yield name
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
    topics = [
        topic
        for topic in admin.list_topics(timeout=_ADMIN_TIMEOUT_S).topics
        if topic.startswith(f"{name}.")
    ]
    if topics:
        for future in admin.delete_topics(topics, operation_timeout=_ADMIN_TIMEOUT_S).values():
            future.result(_ADMIN_TIMEOUT_S)
    groups = admin.list_consumer_groups(request_timeout=_ADMIN_TIMEOUT_S).result().valid
    mine = [group.group_id for group in groups if group.group_id.startswith(f"{name}.")]
    if mine:
        for future in admin.delete_consumer_groups(mine, request_timeout=_ADMIN_TIMEOUT_S).values():
            # A member that a test killed may still be in its session; its group goes with its
            # offsets' topic some day.
            with contextlib.suppress(Exception):
                future.result(_ADMIN_TIMEOUT_S)


def _clear_away_killed_runs(*, but: Path) -> None:
    for home in set(_HOMES.glob("*")) - {but}:
        pid, _, started = home.name.partition("-")
        if not is_running(Mark(pid=int(pid), started=float(started))):
            record = read_record(home)
            if record is not None:
                end(record.mark, grace_s=2.0)
            shutil.rmtree(home, ignore_errors=True)
