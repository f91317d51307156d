"""The compiled codec for tests: the installed one, else one that is built here once for a version
of its source, where there is a C compiler."""

import os
import shutil
import sys
import sysconfig
import tempfile
from hashlib import blake2b
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

from baton.contracts.avro_codec import IS_COMPILED
from tests.tool_modules import tool_module

NAME = "baton.contracts.avro_compiled"


def compiled_codec(cache: Path) -> ModuleType:
    """The module; skips the test where it can neither be imported nor be built."""
    if IS_COMPILED:
        from baton.contracts import avro_compiled

        return avro_compiled
    if reason := _missing():
        pytest.skip(f"no compiled codec: {reason}")
    return _loaded(_built(cache))


def _missing() -> str:
    compiler = (sysconfig.get_config_var("CC") or "").split()
    if not compiler or shutil.which(compiler[0]) is None:
        return "no C compiler"
    if not (Path(sysconfig.get_paths()["include"]) / "Python.h").exists():
        return "no Python.h"
    return ""


def _built(cache: Path) -> Path:
    wheel = tool_module("compiled_wheel")
    (source,) = wheel.MODULES
    text = (wheel.ROOT / source).read_bytes() + sys.version.encode()
    kept = cache / f"{blake2b(text, digest_size=8).hexdigest()}.so"
    if not kept.exists():
        with tempfile.TemporaryDirectory(dir=cache) as folder:
            # Two processes may both build it: each puts a whole file in place.
            os.replace(wheel.compiled(source, Path(folder)), kept)
    return kept


def _loaded(path: Path) -> ModuleType:
    spec = spec_from_file_location(NAME, path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
