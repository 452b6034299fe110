"""TCP ports of this machine: which are free, and who has one that is not."""

from __future__ import annotations

import random
import socket

import psutil

from events.core.errors import KlatschError

#: Below the range that systems hand out to outgoing connections (Linux 32768, macOS 49152), so that a port that
#: is free now is still free at a restart.
_RANGE = range(15_000, 32_000)


class PortInUse(KlatschError):
    """A port that is needed is taken; the text names it and, where it can be known, the process."""

    def __init__(self, port: int, purpose: str, remedy: str) -> None:
        super().__init__(f"port {port} ({purpose}) is in use{_holder(port)}; {remedy}")
        self.port = port


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Whether a server can listen on the port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


def free_port() -> int:
    """A port that nobody listens on. Raises RuntimeError when none is found."""
    for port in random.sample(_RANGE, 200):
        if is_free(port):
            return port
    raise RuntimeError(f"found no free TCP port between {_RANGE.start} and {_RANGE.stop}")


def _holder(port: int) -> str:
    try:
        for connection in psutil.net_connections("tcp"):
            if connection.laddr and connection.laddr.port == port and connection.status == psutil.CONN_LISTEN:
                if connection.pid is None:
                    return ""
                process = psutil.Process(connection.pid)
                return f" by process {process.pid} ({process.name()})"
    except psutil.Error:
        # Without the right to look at other users' processes the message names the port only.
        return ""
    return ""
