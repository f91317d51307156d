"""A network of its own for the nodes of a run, so that it can be cut: one network namespace a node,
joined by a bridge, all of it inside a namespace of the run.

Nothing of it is seen from outside, needs names, or outlives the run. A cut is silent: packets go to
an address that nobody has, as on a broken switch; no connection is refused. It needs Linux, and
either root or user namespaces; :func:`may_have_network` says whether it can be.
"""

import os
import shutil
import subprocess
from collections.abc import Sequence

_ENTERED = "BATON_CHAOS_NETWORK"
_TOOLS = ("unshare", "nsenter", "ip")
_NOBODY = "02:00:00:00:00:01"
_TIMEOUT_S = 20.0


class NetworkFailed(RuntimeError):
    """A command of the network did not do what it should."""


def may_have_network() -> bool:
    """Whether this machine lets this user have network namespaces."""
    return all(map(shutil.which, _TOOLS)) and not _fails([*_outer(), "true"])


def enter(words: Sequence[str]) -> None:
    """Go on as ``words`` in a new network namespace, unless this is one. Does not return then."""
    if not os.environ.get(_ENTERED):
        os.environ[_ENTERED] = "1"
        os.execvp(_outer()[0], [*_outer(), *words])


def _outer() -> list[str]:
    own = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    return ["unshare", *own, "--net", "--"]


def _fails(words: Sequence[str]) -> bool:
    return subprocess.run(words, capture_output=True, check=False).returncode != 0


class Network:
    """``size`` nodes with addresses of their own. Only for a process that has :func:`enter`-ed."""

    def __init__(self, size: int) -> None:
        self._holders: dict[int, subprocess.Popen[bytes]] = {}
        _run("ip", "link", "set", "lo", "up")
        _run("ip", "link", "add", "nodes", "type", "bridge")
        _run("ip", "addr", "add", "10.77.0.254/24", "dev", "nodes")
        _run("ip", "link", "set", "nodes", "up")
        for number in range(1, size + 1):
            self._join(number)

    def within(self, number: int) -> tuple[str, Sequence[str]]:
        """The address of a node, and the words to run it there."""
        return _address(number), self._inside(number)

    def cut(self, number: int) -> None:
        """Part a node from all others; clients still reach it."""
        for other in self._holders:
            if other != number:
                where = (_address(other), "lladdr", _NOBODY, "dev", "eth0", "nud", "permanent")
                _run(*self._inside(number), "ip", "neigh", "replace", *where)

    def isolate(self, number: int) -> None:
        """Part a node from everybody."""
        _run("ip", "link", "set", f"node{number}", "down")

    def heal(self, number: int) -> None:
        """Undo both."""
        _run("ip", "link", "set", f"node{number}", "up")
        for other in self._holders:
            if other != number:
                words = ("ip", "neigh", "del", _address(other), "dev", "eth0")
                _fails([*self._inside(number), *words])  # it may not have been cut

    def close(self) -> None:
        """Give the namespaces up."""
        for holder in self._holders.values():
            holder.kill()
            holder.wait()

    def _join(self, number: int) -> None:
        self._holders[number] = subprocess.Popen(
            # It holds the namespace, and ends with whoever holds the other end of its pipe.
            ["unshare", "--net", "--", "cat"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
        )
        holder = self._holders[number].pid
        while os.readlink(f"/proc/{holder}/ns/net") == os.readlink("/proc/self/ns/net"):
            if self._holders[number].poll() is not None:
                raise NetworkFailed("a network namespace could not be made")
        pair = ("type", "veth", "peer", "name", "eth0", "netns", str(holder))
        _run("ip", "link", "add", f"node{number}", *pair)
        _run("ip", "link", "set", f"node{number}", "master", "nodes", "up")
        inside = self._inside(number)
        _run(*inside, "ip", "link", "set", "lo", "up")
        _run(*inside, "ip", "addr", "add", f"{_address(number)}/24", "dev", "eth0")
        _run(*inside, "ip", "link", "set", "eth0", "up")

    def _inside(self, number: int) -> Sequence[str]:
        return ("nsenter", f"--net=/proc/{self._holders[number].pid}/ns/net", "--")


def _address(number: int) -> str:
    return f"10.77.0.{number}"


def _run(*words: str) -> None:
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=_TIMEOUT_S)
    if done.returncode:
        raise NetworkFailed(f"{' '.join(words)}: {done.stderr.strip()}")
