"""Worker processes without the second and a half that each would spend on its imports: forked from
one that has done them.

``python -m tests.kafka.nursery`` reads one JSON object a line and answers each with one:
``{"words", "environment", "log"}`` is born and answered with its pid; ``{"of": pid}`` asks for its
exit code, null while it lives. It has no threads, so forking is safe.
"""

import json
import os
import subprocess
import sys
import traceback
from pathlib import Path
from typing import Any


class Nursery:
    """The test's end of it."""

    def __init__(self) -> None:
        words = [sys.executable, "-m", "tests.kafka.nursery"]
        self._process = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )

    def start(self, words: list[str], environment: dict[str, str], log: Path) -> int:
        """The pid of a new worker."""
        return int(self._ask({"words": words, "environment": environment, "log": str(log)}))

    def code_of(self, pid: int) -> int | None:
        """Its exit code, negative for a signal; None while it lives."""
        code: int | None = self._ask({"of": pid})
        return code

    def close(self) -> None:
        """Close the nursery; whoever still lives in it is left alone."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()

    def _ask(self, request: dict[str, Any]) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        return json.loads(self._process.stdout.readline())


def _born(request: dict[str, Any]) -> int:
    pid = os.fork()
    if pid:
        return pid
    try:
        out = os.open(request["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(out, 1)
        os.dup2(out, 2)
        os.environ.clear()
        os.environ.update(request["environment"])
        sys.argv[1:] = request["words"]
        toy_worker.main()
    except SystemExit as exit_:
        os._exit(exit_.code if isinstance(exit_.code, int) else 0)
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def _code(pid: int, known: dict[int, int]) -> int | None:
    if pid not in known:
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            known[pid] = os.waitstatus_to_exitcode(status)
    return known.get(pid)


if __name__ == "__main__":
    from tests.kafka import toy_worker

    codes: dict[int, int] = {}
    for line in sys.stdin:
        asked = json.loads(line)
        print(json.dumps(_code(asked["of"], codes) if "of" in asked else _born(asked)), flush=True)
