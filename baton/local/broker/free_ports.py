"""Ports of the loopback: whether one is free, who has it if not, and finding a free one."""

import contextlib
import socket

import psutil

LOOPBACK = "127.0.0.1"


class PortTaken(RuntimeError):
    """A port that was asked for is in use; the text names the port, who has it if that can be
    known, and the setting."""


def is_free(port: int, host: str = LOOPBACK) -> bool:
    """Whether a server could listen there now."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        # a closed connection's remains are no owner
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def require_free(port: int, *, setting: str, host: str = LOOPBACK) -> None:
    """Raise :class:`PortTaken` naming ``setting`` when nothing could listen on the port."""
    if not is_free(port, host):
        raise PortTaken(
            f"port {port} is taken{_owner(port)}; set {setting} to another one, or to 0 for any "
            "that is free"
        )


def free_port(wish: int = 0, *, but: int = 0) -> int:
    """A free port of the loopback: ``wish`` if it is free, else any; never ``but``."""
    if wish and wish != but and is_free(wish):
        return wish
    while True:
        with socket.socket() as probe:
            probe.bind((LOOPBACK, 0))
            port: int = probe.getsockname()[1]
        if port != but:
            return port


def _owner(port: int) -> str:
    # Other users' sockets may be hidden from us; the name is a courtesy.
    with contextlib.suppress(psutil.Error, OSError):
        for connection in psutil.net_connections("tcp"):
            if (
                connection.status == psutil.CONN_LISTEN
                and connection.laddr.port == port
                and connection.pid
            ):
                return f" by {psutil.Process(connection.pid).name()} (pid {connection.pid})"
    return ""
