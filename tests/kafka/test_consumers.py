"""The example consumers read a lead that a running Baton has routed, each with its own language's
tools, through the registry that Baton serves."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from baton.cli import main
from baton.local.up.preparing import example_agreement
from baton.local.up.system import System

FIRST = Path(example_agreement()).with_name("first.yaml")
CONSUMERS = Path(__file__).resolve().parents[2] / "examples" / "consumers"
NODE = f"node-linux-{'arm64' if os.uname().machine == 'aarch64' else 'x64'}"
LiveSystem = Callable[[Path], AbstractContextManager[System]]


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def registry(environment: Mapping[str, str]) -> Iterator[str]:
    """``baton registry`` as a process."""
    port = free_port()
    words = [sys.executable, "-m", "baton.cli.main", "registry", "--port", str(port)]
    child = subprocess.Popen(words, env=environment, stdout=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 120
        while True:
            try:
                urllib.request.urlopen(f"{address}/subjects", timeout=2).close()
                break
            except (urllib.error.URLError, OSError):
                assert time.monotonic() < deadline, "the registry never answered"
                time.sleep(0.2)
        yield address
    finally:
        child.terminate()
        child.wait(20)


def said(words: list[str], environment: Mapping[str, str], folder: Path) -> str:
    """What the consumer printed; it must end by itself, well."""
    ran = subprocess.run(
        words,
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr[-3000:]
    return ran.stdout


def _ran(words: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        words, cwd=folder, capture_output=True, text=True, timeout=240, check=False
    )


def kept_for(source: Path, folder: Path) -> tuple[Path, Path]:
    """Where what is made of exactly these files is kept from run to run, and the mark that it was
    made whole."""
    contents = hashlib.sha256()
    for path in sorted(source.rglob("*")):
        if path.is_file():
            contents.update(f"{path.relative_to(source)}\0".encode() + path.read_bytes() + b"\0")
    kept = folder / contents.hexdigest()[:16]
    return kept, kept / ".made"


def java_words(cache: Path) -> list[str] | None:
    """How to run the Java consumer; None without its tools."""
    mvn, javac = shutil.which("mvn"), shutil.which("javac")
    if mvn is None or javac is None:
        print("java: mvn or javac is not installed; this consumer is not run")
        return None
    source = CONSUMERS / "java"
    folder, made = kept_for(source, cache / "example-consumer-java")
    words = ["java", "-cp", f"{folder}/classes:{folder}/jars/*", "Routed", "1"]
    if made.exists():
        return words
    shutil.copytree(source, folder, dirs_exist_ok=True)
    fetch = ["dependency:copy-dependencies", "-DoutputDirectory=jars", "-DincludeScope=runtime"]
    if _ran([mvn, "-q", "-B", *fetch], folder).returncode:
        print("java: mvn cannot fetch what it needs; this consumer is not run")
        return None
    compiled = _ran([javac, "-cp", "jars/*", "-d", "classes", "src/main/java/Routed.java"], folder)
    assert compiled.returncode == 0, compiled.stdout + compiled.stderr
    made.touch()
    return words


def node_with_zstd(node: str, npm: str, cache: Path) -> str:
    """A Node that unpacks zstd, which Baton's topics are packed with: from 22.15 on; a former one
    fetches a newer."""
    version = _ran([node, "--version"], cache).stdout.strip().removeprefix("v").split(".")
    if tuple(map(int, version[:2])) >= (22, 15):
        return node
    folder = cache / "node-22"
    if newer := node_in(folder):
        return newer
    folder.mkdir(exist_ok=True)
    (folder / "package.json").write_text('{"private": true}')
    words = [npm, "install", "--no-audit", "--no-fund", "--silent", f"{NODE}@22"]
    if _ran(words, folder).returncode or not (newer := node_in(folder)):
        pytest.skip("typescript: needs Node 22.15 or newer, which npm cannot fetch here")
    return newer


def node_in(folder: Path) -> str | None:
    """The Node that was fetched there, if it was and runs."""
    node = folder / "node_modules" / NODE / "bin" / "node"
    return (
        str(node)
        if node.exists() and not _ran([str(node), "--version"], folder).returncode
        else None
    )


def typescript_words(cache: Path) -> list[str] | None:
    """How to run the TypeScript consumer; None without its tools."""
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        print("typescript: node is not installed; this consumer is not run")
        return None
    source = CONSUMERS / "typescript"
    folder, made = kept_for(source, cache / "example-consumer-typescript")
    if not made.exists():
        shutil.copytree(source, folder, dirs_exist_ok=True)
        if _ran([npm, "install", "--no-audit", "--no-fund", "--silent"], folder).returncode:
            print("typescript: npm cannot install what it needs; this consumer is not run")
            return None
        made.touch()
    tsx = folder / "node_modules" / "tsx" / "dist" / "loader.mjs"
    return [
        node_with_zstd(node, npm, cache),
        "--import",
        tsx.as_uri(),
        str(folder / "routed.ts"),
        "1",
    ]


@pytest.mark.kafka
@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_example_consumers_read_a_routed_lead(
    live_system: LiveSystem,
    namespace: str,
    bootstrap: str,
    broker_cache: Path,
    tmp_path: Path,
) -> None:
    consumers: dict[str, list[str] | None] = {
        "python": [sys.executable, str(CONSUMERS / "python" / "routed.py"), "1"],
        "java": java_words(broker_cache),
        "typescript": typescript_words(broker_cache),
    }
    event: dict[str, Any] = {
        "id": "1",
        "source": "web",
        "kind": "engagement",
        "occurred_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "identifiers": {"email": "ann@acme.example"},
        "engagement": {"act": "demo_request"},
        "profile": {"country": "DE", "employees": 300, "role": "VP"},
        "person": {"phone": "+49 30 1234567"},
    }
    lines = tmp_path / "events.jsonl"
    lines.write_text(json.dumps(event) + "\n")
    with live_system(FIRST), registry(os.environ) as address:
        with pytest.raises(SystemExit) as left:
            main.app(["send", str(lines), "--via", "kafka"])
        assert not left.value.code
        environment = {
            **os.environ,
            "SCHEMA_REGISTRY": address,
            "BATON_BOOTSTRAP": bootstrap,
            "TOPICS": f"{namespace}.leads.routed.sales.v1",
        }
        found = {
            name: said(words, environment, tmp_path)
            for name, words in consumers.items()
            if words is not None
        }
    assert "python" in found
    assert len(set(found.values())) == 1, found
    assert found["python"].startswith("ae-")
    assert found["python"].endswith(" (hot) in sales\n")
