"""The pinned jars: the lock file, and a cache that only ever holds whole, verified files."""

import errno
import hashlib
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import requests

from baton.local.broker import fetch
from baton.local.broker.artifacts import (
    KAFKA_VERSION,
    Artifact,
    is_sound,
    locked_artifacts,
    parse_lock,
)
from baton.local.broker.fetch import FetchFailed, fetch_jars

CONTENT = {"one": b"first jar", "two": b"second jar, longer"}
ARTIFACTS = tuple(
    Artifact(
        group="org.example",
        name=name,
        version="1.0",
        size_bytes=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
    )
    for name, content in CONTENT.items()
)


class Repository:
    """Stands for the repository of artifacts: counts what is asked for, gives what it is set to
    give."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.answer: Callable[[Artifact], bytes] = lambda artifact: CONTENT[artifact.name]

    def download(
        self, artifact: Artifact, part: Path, count: Callable[[int], None], _mirror: str | None
    ) -> Path:
        self.asked.append(artifact.name)
        content = self.answer(artifact)
        path = part / "whatever.jar"
        path.write_bytes(content)
        count(len(content))
        return path


@pytest.fixture
def repository(monkeypatch: pytest.MonkeyPatch) -> Repository:
    fake = Repository()
    monkeypatch.setattr(fetch, "_download", fake.download)
    return fake


def _names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_the_lock_pins_the_version_that_is_started_and_every_file_once() -> None:
    locked = locked_artifacts()
    assert [str(artifact) for artifact in locked if artifact.name == "kafka_2.13"] == [
        f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}"
    ]
    assert (
        len({artifact.file_name for artifact in locked})
        == len(locked)
        == len({artifact.sha256 for artifact in locked})
    )


def test_a_line_that_cannot_be_read_is_named() -> None:
    with pytest.raises(ValueError, match=r"^artifacts\.lock:2: expected"):
        parse_lock("# comment\norg.example:one 12 abc\n")


def test_the_first_fetch_gets_all_and_the_second_uses_no_network(
    tmp_path: Path, repository: Repository
) -> None:
    first = fetch_jars(tmp_path, artifacts=ARTIFACTS)
    assert [path.read_bytes() for path in first] == list(CONTENT.values())
    assert sorted(repository.asked) == ["one", "two"]
    repository.asked.clear()
    assert fetch_jars(tmp_path, artifacts=ARTIFACTS) == first
    assert repository.asked == []
    assert _names(tmp_path / f"kafka-{KAFKA_VERSION}") == ["one-1.0.jar", "two-1.0.jar"]


@pytest.mark.parametrize(
    "damaged", [b"first", b"first jaR", b""], ids=["cut off", "one letter changed", "empty"]
)
def test_a_damaged_file_in_the_cache_is_fetched_anew_and_only_that(
    tmp_path: Path, repository: Repository, damaged: bytes
) -> None:
    first = fetch_jars(tmp_path, artifacts=ARTIFACTS)
    first[0].write_bytes(damaged)
    repository.asked.clear()
    assert fetch_jars(tmp_path, artifacts=ARTIFACTS) == first
    assert repository.asked == ["one"]
    assert is_sound(ARTIFACTS[0], first[0])


def test_a_wrong_download_is_tried_again_and_never_reaches_the_cache(
    tmp_path: Path, repository: Repository
) -> None:
    answers = [b"broken", CONTENT["one"]]
    repository.answer = lambda _: answers.pop(0)
    (path,) = fetch_jars(tmp_path, artifacts=ARTIFACTS[:1])
    assert path.read_bytes() == CONTENT["one"]


def test_a_download_that_is_never_right_is_refused_by_name(
    tmp_path: Path, repository: Repository
) -> None:
    repository.answer = lambda _: b"something else"
    with pytest.raises(
        FetchFailed, match=r"org\.example:one:1\.0: what arrived does not have the pinned SHA-256"
    ):
        fetch_jars(tmp_path, artifacts=ARTIFACTS[:1])
    assert _names(tmp_path / f"kafka-{KAFKA_VERSION}") == []


def test_without_a_network_the_ways_out_are_reported(
    tmp_path: Path, repository: Repository
) -> None:
    def down(_: Artifact) -> bytes:
        raise requests.ConnectionError("no route")

    repository.answer = down
    with pytest.raises(FetchFailed, match=r"needs the network.*copy .* or set BATON_BOOTSTRAP"):
        fetch_jars(tmp_path, artifacts=ARTIFACTS)
    assert _names(tmp_path / f"kafka-{KAFKA_VERSION}") == []


def test_a_full_disk_is_named_with_what_is_needed(tmp_path: Path, repository: Repository) -> None:
    def full(_: Artifact) -> bytes:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    repository.answer = full
    with pytest.raises(FetchFailed, match=r"the disk is full.*set BATON_CACHE"):
        fetch_jars(tmp_path, artifacts=ARTIFACTS)


def test_progress_ends_at_the_total_also_when_a_try_failed(
    tmp_path: Path, repository: Repository
) -> None:
    answers = [b"broken", CONTENT["one"]]
    repository.answer = lambda artifact: (
        answers.pop(0) if artifact.name == "one" else CONTENT["two"]
    )
    seen: list[tuple[int, int]] = []
    fetch_jars(
        tmp_path, artifacts=ARTIFACTS, progress=lambda done, total: seen.append((done, total))
    )
    total = sum(map(len, CONTENT.values()))
    assert seen[0] == (0, total)
    assert seen[-1] == (total, total)
    assert max(done for done, _ in seen) <= total + len(b"broken")


def test_what_a_killed_run_left_is_swept_but_not_what_another_loads_now(
    tmp_path: Path, repository: Repository
) -> None:
    folder = tmp_path / f"kafka-{KAFKA_VERSION}"
    for name in (".part-old", ".part-young"):
        (folder / name).mkdir(parents=True)
    long_ago = time.time() - 7200
    os.utime(folder / ".part-old", (long_ago, long_ago))
    fetch_jars(tmp_path, artifacts=ARTIFACTS)
    assert _names(folder) == [".part-young", "one-1.0.jar", "two-1.0.jar"]
