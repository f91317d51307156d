"""Packages of npm that tests run against, installed once for all runs of this user."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest


def installed(package_json: Path, folder: Path, what: str) -> Path:
    """``folder`` with what ``package_json`` names, without scripts of the packages. Skips the test,
    naming ``what`` is left out, where node is missing or npm cannot install."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip(f"node is not installed: {what}")
    wanted = package_json.read_bytes()
    done = folder / "installed.json"
    if not done.exists() or done.read_bytes() != wanted:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "package.json").write_bytes(wanted)
        words = [npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", "--silent"]
        ran = subprocess.run(words, cwd=folder, capture_output=True, timeout=300, check=False)
        if ran.returncode:
            pytest.skip(f"npm cannot install it here: {what}")
        done.write_bytes(wanted)
    return folder
