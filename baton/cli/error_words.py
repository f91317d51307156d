"""Errors as people read them at the command line: one sentence instead of a traceback."""

import errno
from typing import Any

_OURS = ("baton.", "services.")
_FOREIGN = ("ValidationError", "KafkaException")
_DISK_ADVICE = {
    errno.ENOSPC: "make room, or choose a folder on another disk (BATON_HOME, BATON_CACHE)",
    errno.EDQUOT: "make room, or choose a folder elsewhere (BATON_HOME, BATON_CACHE)",
    errno.EROFS: "choose a folder that can be written (BATON_HOME, BATON_CACHE)",
    errno.EACCES: "choose a folder of your own (BATON_HOME, BATON_CACHE)",
    errno.EPERM: "choose a folder of your own (BATON_HOME, BATON_CACHE)",
    errno.ENOTDIR: "choose a folder (BATON_HOME, BATON_CACHE)",
    errno.EEXIST: "choose a folder (BATON_HOME, BATON_CACHE)",
}
"""What the disk refuses, in one sentence instead of a traceback."""


def words_of(error: BaseException) -> str:
    """What a person reads of an error: our own as they are, wrong settings by the variable's name
    and without its value, Kafka's by what the brokers (or their silence) said."""
    match type(error).__name__:
        case "ValidationError":
            problems: list[dict[str, Any]] = error.errors()  # type: ignore[attr-defined]  # pydantic's; not imported for this alone
            return "\n".join(
                f"BATON_{'_'.join(map(str, problem['loc'])).upper()}: {problem['msg']}".replace(
                    "BATON_: ", ""
                )
                for problem in problems
            )
        case "KafkaException":
            return f"Kafka: {error.args[0].str()}; see what is wrong with: baton doctor"
    if isinstance(error, OSError) and error.errno in _DISK_ADVICE:
        where = f"{error.filename}: " if error.filename else ""
        return (
            f"{where}{(error.strerror or 'cannot be written').lower()}; {_DISK_ADVICE[error.errno]}"
        )
    return str(error) or type(error).__name__


def is_for_people(error: BaseException) -> bool:
    """Whether the error is one that :func:`words_of` has a sentence for; another is a bug."""
    # Errors that Baton defines are written to be read; a foreign one that nobody caught is a bug
    # and keeps its traceback.
    kind = type(error)
    of_disk = isinstance(error, OSError) and error.errno in _DISK_ADVICE
    return kind.__module__.startswith(_OURS) or kind.__name__ in _FOREIGN or of_disk
