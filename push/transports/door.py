"""Who is let in: how many connections a process has open, and how many of one address have not shown a token.

Counts only; the protocols say who comes and goes. An address is a client's IPv4 address or IPv6 network of 64 bits.
"""

from __future__ import annotations

import ipaddress
import sys
from collections.abc import Iterable
from typing import Literal

from infra.base.settings import Settings

if sys.platform != "win32":
    import resource

#: Descriptors that are left for files, Kafka, Postgres and other processes of the installation.
_OWN_DESCRIPTORS = 256
#: Where the system names no bound, or a higher one.
_MOST = 65_536

Scheme = Literal["http", "https"]
_SCHEMES: dict[str, Scheme] = {"http": "http", "https": "https"}


class Door:
    """The counts of one server."""

    def __init__(self, settings: Settings) -> None:
        self._most = settings.connections or most()
        #: One address alone never takes more than half of all.
        self.strangers = max(1, min(settings.strangers, self._most // 2))
        self.proxies = settings.proxies
        self.proxy_header = settings.proxy_header.lower().encode()
        self._inside = 0
        self._by_address: dict[str, int] = {}

    def enter(self, peer: str) -> Visit | None:
        """A connection has come; None when there is no room. Behind proxies it is counted by its requests' heads."""
        if self._inside >= self._most:
            return None
        self._inside += 1
        return Visit(self, peer)

    @property
    def inside(self) -> int:
        """Connections that are open."""
        return self._inside

    def unknown(self, address: str) -> int:
        """Connections of an address that have not shown a token."""
        return self._by_address.get(network(address), 0)

    def _count(self, key: str) -> bool:
        found = self._by_address.get(key, 0)
        if found >= self.strangers:
            return False
        self._by_address[key] = found + 1
        return True

    def _forget(self, key: str) -> None:
        left = self._by_address[key] - 1
        if left:
            self._by_address[key] = left
        else:
            del self._by_address[key]


class Visit:
    """One connection, from its opening to its end."""

    __slots__ = ("_door", "_key", "_known", "peer")

    def __init__(self, door: Door, peer: str) -> None:
        self.peer = peer
        self._door = door
        self._key: str | None = None
        self._known = False

    def count(self, address: str) -> bool:
        """Count it under this address until it is ``known``, or ``released``. False: the address has too many."""
        if self._known or self._key is not None:
            return True
        key = network(address)
        if not self._door._count(key):
            return False
        self._key = key
        return True

    def known(self) -> None:
        """A token that is good was shown on it."""
        self._known = True
        self.release()

    def release(self) -> None:
        """What it was counted for is over."""
        key, self._key = self._key, None
        if key is not None:
            self._door._forget(key)

    def next_request(self) -> None:
        """Behind a proxy the next request on the connection may be somebody else's."""
        self._known = False

    def leave(self) -> None:
        """It has ended."""
        self.release()
        self._door._inside -= 1


def most() -> int:
    """Connections for which the process has descriptors."""
    if sys.platform == "win32":
        return _MOST
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return _MOST
    return min(_MOST, max(soft - _OWN_DESCRIPTORS, soft // 2))


def network(address: str) -> str:
    """What is counted together: an IPv4 address, 64 bits of an IPv6 one (what one line is given: RFC 6177)."""
    if ":" not in address:
        return address
    try:
        found = ipaddress.IPv6Address(address.partition("%")[0])
    except ValueError:
        return address
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.IPv6Network((int(found) >> 64 << 64, 64)))


def forwarded(headers: Iterable[tuple[bytes, bytes]], header: bytes, proxies: int) -> tuple[str | None, Scheme | None]:
    """Address and scheme of the client before this many proxies, as they say; None where they do not.

    Each proxy adds to the end, so that only the last ``proxies`` entries are theirs. ``header`` is x-forwarded-for
    (with x-forwarded-proto) or forwarded (RFC 7239), in lower case; the other is not looked at: a client may have
    written it.
    """
    entries, schemes = [], []
    for name, value in headers:
        if name == header:
            entries += value.decode("latin-1").split(",")
        elif name == b"x-forwarded-proto" and header == b"x-forwarded-for":
            schemes += value.decode("latin-1").split(",")
    if not entries:
        return None, _scheme(schemes[-proxies:])
    entry = entries[-proxies:][0]
    if header == b"x-forwarded-for":
        return _address(entry), _scheme(schemes[-proxies:])
    pairs = dict(pair.strip().partition("=")[::2] for pair in entry.lower().split(";"))
    return _address(pairs.get("for", "").strip('"')), _scheme([pairs.get("proto", "").strip('"')])


def _address(text: str) -> str | None:
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return None


def _scheme(found: list[str]) -> Scheme | None:
    return _SCHEMES.get(found[0].strip().lower()) if found else None
