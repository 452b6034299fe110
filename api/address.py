"""Where a client calls from."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any

from infra.settings import Settings

#: Bits of an IPv6 address that tell one customer of a provider from another (RFC 6177).
_IPV6_BITS = 64


def client_address(scope: Mapping[str, Any], settings: Settings) -> str:
    """The address behind a request or a connection, as counted: an IPv4 address, an IPv6 /64; empty if unknown."""
    client = scope.get("client")
    return network(client[0]) if client else ""


@lru_cache(maxsize=10_000)
def network(host: str) -> str:
    """What one person has of addresses: the IPv4 address, or the IPv6 network; other text as it is."""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if not isinstance(address, IPv6Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ip_network((address, _IPV6_BITS), strict=False))
