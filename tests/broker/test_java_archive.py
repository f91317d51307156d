"""The archive of Kafka's classes is found by the runtime and the jars that it was made of."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from baton.local.broker import archive_training, java_archive
from baton.local.broker.archive_training import ensure_archive
from baton.local.broker.broker_record import BrokerRecord, write_record
from baton.local.broker.java_archive import archive_of, archive_options
from baton.local.broker.node_process import BrokerFailed
from baton.processes import mark_of, wait_gone


@pytest.fixture
def jars(tmp_path: Path) -> tuple[Path, Path]:
    """Two files that stand for Kafka's."""
    found = (tmp_path / "one.jar", tmp_path / "two.jar")
    for jar in found:
        jar.write_bytes(b"classes")
    return found


def test_without_an_archive_java_gets_no_option_and_with_one_its_path(
    jars: tuple[Path, Path],
) -> None:
    assert archive_options(jars) == ()
    archive_of(jars).write_bytes(b"")
    assert archive_options(jars)[0] == f"-XX:AOTCache={archive_of(jars)}"


def test_another_jar_another_time_or_another_runtime_is_another_archive(
    jars: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = archive_of(jars)
    assert archive_of(jars) == first
    assert archive_of(jars[:1]) != first
    os.utime(jars[0], (1, 1))
    touched = archive_of(jars)
    assert touched != first
    monkeypatch.setattr(java_archive, "version", lambda _: "26.0.0")
    assert archive_of(jars) != touched


def test_an_archive_is_made_once_and_replaces_the_one_of_other_jars(
    jars: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Path] = []

    def train(_: object, home: Path, __: float) -> Path:
        made.append(home / "written.aot")
        made[-1].write_bytes(b"archive")
        return made[-1]

    monkeypatch.setattr(archive_training, "_train", train)
    (former := jars[0].with_name("kafka-of-before.aot")).write_bytes(b"former")
    first = ensure_archive(jars, ready_timeout_s=1.0)
    assert ensure_archive(jars, ready_timeout_s=1.0) == first == archive_of(jars)
    assert first.read_bytes() == b"archive"
    assert len(made) == 1
    assert not former.exists()
    assert not made[0].parent.exists()


def test_a_training_that_fails_leaves_no_archive_and_no_folder(
    jars: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object, home: Path, __: float) -> Path:
        (home / "half.aot").write_bytes(b"half")
        raise BrokerFailed("the disk is full")

    monkeypatch.setattr(archive_training, "_train", fail)
    with pytest.raises(BrokerFailed, match="the disk is full"):
        ensure_archive(jars, ready_timeout_s=1.0)
    assert archive_options(jars) == ()
    assert sorted(path.name for path in jars[0].parent.iterdir()) == [
        "archive.lock",
        "one.jar",
        "two.jar",
    ]


def test_the_broker_of_a_training_that_was_killed_ends_with_the_next(
    jars: tuple[Path, Path],
) -> None:
    former = jars[0].parent / ".training-killed"
    former.mkdir()
    archive_of(jars).write_bytes(b"archive")
    left = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    try:
        mark = mark_of(left.pid)
        write_record(former, BrokerRecord(mark=mark, port=1, controller_port=2))
        ensure_archive(jars, ready_timeout_s=1.0)
        # its exit code may be collected by the one who ended it
        assert wait_gone(mark, 60)
        assert not former.exists()
    finally:
        left.kill()
        left.wait()
