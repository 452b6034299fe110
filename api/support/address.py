"""Where a client calls from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from push.transports.door import network


def client_address(scope: Mapping[str, Any]) -> str:
    """The address behind a request or a connection, as counted: an IPv4 address, an IPv6 /64; empty if unknown.

    Behind proxies it is the one that they name: ``push.transports.http`` has put it there.
    """
    client = scope.get("client")
    return network(client[0]) if client else ""
