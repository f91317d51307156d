"""The compiled wheel: a hook of the build that adds modules of machine code where it is asked to
(``BATON_COMPILE=1``), and changes nothing else.

Which modules, and why those: ``MODULES``. The build needs Cython, setuptools and a C compiler; the
wheel is of one Python version and platform, and needs none of them. A checkout never has compiled
modules: they are built in a folder of their own and only the wheel gets them.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT: Final = Path(__file__).resolve().parents[1]
MODULES: Final = ("baton/contracts/avro_compiled.pyx",)
"""Measured (docs/BENCHMARKS.md): the codec, which every record passes at each hop, is much cheaper
as C with the fields at fixed places. Python modules compiled as they are gain nothing."""


def is_asked() -> bool:
    """Whether this build is to have compiled modules; refuses a value that is neither yes nor
    no."""
    value = os.environ.get("BATON_COMPILE", "")
    if value not in ("", "0", "1"):
        raise SystemExit(f"BATON_COMPILE={value}: 1 builds compiled modules, 0 or nothing does not")
    return value == "1"


def compiled(source: str, folder: Path) -> Path:
    """The module of a ``.pyx`` file, built in ``folder``."""
    from Cython.Build import cythonize
    from setuptools import Distribution, Extension

    name = source.removesuffix(".pyx").replace("/", ".")
    # without debugging symbols, which would be most of the file
    options = ["-g0"] if os.name == "posix" else []
    extension = Extension(name, [str(ROOT / source)], extra_compile_args=options)
    modules = cythonize([extension], build_dir=str(folder), quiet=True)
    command: Any = Distribution({"ext_modules": modules}).get_command_obj("build_ext")
    for option in ("build_lib", "build_temp"):
        setattr(command, option, str(folder / option))
    command.ensure_finalized()
    command.run()
    return Path(command.get_ext_fullpath(name))


class CompiledModules(BuildHookInterface[Any]):
    """What hatchling calls."""

    _folder: tempfile.TemporaryDirectory[str] | None = None

    def dependencies(self) -> list[str]:
        """What pip fetches for the build where it builds in isolation."""
        return ["cython>=3.1", "setuptools>=80"] if is_asked() else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, and have the wheel named for this Python and platform."""
        if version != "standard" or not is_asked():
            return
        self._folder = tempfile.TemporaryDirectory()
        for source in MODULES:
            print(f"Compiling {source}", file=sys.stderr)
            built = compiled(source, Path(self._folder.name))
            build_data["force_include"][str(built)] = str(Path(source).with_name(built.name))
        build_data["pure_python"] = False
        build_data["infer_tag"] = True

    def finalize(self, version: str, build_data: dict[str, Any], _artifact: str) -> None:
        """Remove the folder of the build."""
        if self._folder is not None:
            self._folder.cleanup()
