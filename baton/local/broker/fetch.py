"""Gets the broker's jars: once, in parallel, checked, into a cache that all of a user's Batons
share.

A file appears in the cache whole and verified or not at all: it is downloaded to a folder of its
own and moved. What is found there is verified again at every start, so a damaged file is fetched
anew. With a full cache no network is used.
"""

import errno
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import requests
from jgo.maven import MavenContext, PythonResolver

from baton.local.broker.artifacts import KAFKA_VERSION, Artifact, is_sound, locked_artifacts

Progress = Callable[[int, int], None]
"""Receives the bytes that are there and the bytes that will be."""

_PARALLEL = 8
_TRIES = 3
_TIMEOUT_S = 60
_ABANDONED_S = 3600
_PART_PREFIX = ".part-"


class FetchFailed(RuntimeError):
    """The jars could not be got; the text says which, why and what to do."""


def fetch_jars(
    cache: Path,
    *,
    progress: Progress | None = None,
    repository: str | None = None,
    artifacts: Sequence[Artifact] | None = None,
) -> tuple[Path, ...]:
    """The paths of all jars, fetched where they are missing or damaged. ``repository``: a mirror of
    the public one."""
    wanted = locked_artifacts() if artifacts is None else artifacts
    folder = cache / f"kafka-{KAFKA_VERSION}"
    paths = tuple(folder / artifact.file_name for artifact in wanted)
    missing = [
        artifact for artifact in wanted if not is_sound(artifact, folder / artifact.file_name)
    ]
    if missing:
        _fetch(missing, folder, _Tally(wanted, missing, progress), repository)
    return paths


class _Tally:
    """Adds up what all threads have loaded."""

    def __init__(
        self, wanted: Sequence[Artifact], missing: Sequence[Artifact], progress: Progress | None
    ) -> None:
        self._total = sum(artifact.size_bytes for artifact in wanted)
        self._done = self._total - sum(artifact.size_bytes for artifact in missing)
        self._progress = progress
        self._lock = threading.Lock()
        self.add(0)

    def add(self, count: int) -> None:
        with self._lock:
            self._done += count
            if self._progress is not None:
                self._progress(self._done, self._total)

    @contextmanager
    def one_file(self) -> Iterator[Callable[[int], None]]:
        """Counts one file's bytes as they come, and takes them back if the file does not arrive."""
        loaded = 0

        def count(size: int) -> None:
            nonlocal loaded
            loaded += size
            self.add(size)

        try:
            yield count
        except BaseException:
            self.add(-loaded)
            raise


def _fetch(
    missing: Sequence[Artifact], folder: Path, tally: _Tally, repository: str | None
) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _sweep(folder)
        with ThreadPoolExecutor(_PARALLEL) as threads:
            futures = [
                threads.submit(_fetch_one, artifact, folder, tally, repository)
                for artifact in missing
            ]
            try:
                for future in futures:
                    future.result()
            except BaseException:
                threads.shutdown(wait=False, cancel_futures=True)
                raise
    except OSError as error:
        raise FetchFailed(
            _os_words(error, folder, sum(artifact.size_bytes for artifact in missing))
        ) from error


def _fetch_one(artifact: Artifact, folder: Path, tally: _Tally, repository: str | None) -> None:
    problem = ""
    for _ in range(_TRIES):
        part = Path(tempfile.mkdtemp(prefix=_PART_PREFIX, dir=folder))
        try:
            with tally.one_file() as count:
                path = _download(artifact, part, count, repository)
                if not is_sound(artifact, path):
                    raise _Damaged
            path.replace(folder / artifact.file_name)
            return
        except _Damaged:
            problem = "what arrived does not have the pinned SHA-256"
        except requests.RequestException as error:
            problem = f"no answer from the repository of Java artifacts ({type(error).__name__})"
        except RuntimeError:
            problem = "the repository of Java artifacts does not have it"
        finally:
            shutil.rmtree(part, ignore_errors=True)
    raise FetchFailed(
        f"{artifact}: {problem}, tried {_TRIES} times. The first start of the embedded broker "
        "needs the network; instead you"
        f" can copy {folder} from a machine where it ran, set BATON_MAVEN_REPOSITORY to a mirror, "
        "or set BATON_BOOTSTRAP to a"
        " Kafka that runs"
    )


def _sweep(folder: Path) -> None:
    """Remove what a killed former run left half loaded; what is young may be another run's that
    still loads."""
    for part in folder.glob(f"{_PART_PREFIX}*"):
        if time.time() - part.stat().st_mtime > _ABANDONED_S:
            shutil.rmtree(part, ignore_errors=True)


class _Damaged(Exception):
    """A download arrived, but is not the pinned file."""


def _download(
    artifact: Artifact, part: Path, count: Callable[[int], None], repository: str | None
) -> Path:
    @contextmanager
    def counting(_name: str, _size: int) -> Iterator[Callable[[int], None]]:
        yield count

    context = MavenContext(
        resolver=PythonResolver(progress_callback=counting),
        repo_cache=part,
        remote_repos=None if repository is None else {"mirror": repository},
        timeout=_TIMEOUT_S,
    )
    path: Path = (
        context.project(artifact.group, artifact.name)
        .at_version(artifact.version)
        .artifact()
        .resolve()
    )
    return path


def _os_words(error: OSError, folder: Path, needed_bytes: int) -> str:
    if error.errno == errno.ENOSPC:
        return (
            f"{folder}: the disk is full; the broker's files need {needed_bytes >> 20} MB more. "
            "Make room, or set"
            " BATON_CACHE to a folder on another disk"
        )
    return f"{folder}: {error.strerror or error}. Set BATON_CACHE to a folder that can be written"
