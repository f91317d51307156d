"""Ports of the loopback: who has one is reported, and a free one is found."""

import os
import socket

import pytest

from baton.local.broker.free_ports import LOOPBACK, PortTaken, free_port, is_free, require_free


def test_a_taken_port_is_named_with_its_owner_and_the_setting() -> None:
    with socket.create_server((LOOPBACK, 0)) as server:
        port = server.getsockname()[1]
        assert not is_free(port)
        with pytest.raises(
            PortTaken,
            match=rf"port {port} is taken by .*\(pid {os.getpid()}\); set BATON_X to another one",
        ):
            require_free(port, setting="BATON_X")


def test_a_port_is_free_again_right_after_its_server_closed() -> None:
    with socket.create_server((LOOPBACK, 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection((LOOPBACK, port)):
            server.accept()[0].close()
    require_free(port, setting="BATON_X")


def test_the_wish_is_kept_if_it_is_free_and_is_not_the_one_to_avoid() -> None:
    port = free_port()
    assert free_port(port) == port
    assert free_port(port, but=port) != port
    with socket.create_server((LOOPBACK, port)):
        assert free_port(port) != port
