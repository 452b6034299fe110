"""Which names the API answers to, and pages of which origins may call it. Pure; the rules are settings.

A name that is not ours means that somebody let a domain of theirs point to us, so that a browser takes our answers for
theirs (DNS rebinding). An IP address cannot be pointed elsewhere, so any is taken.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable
from urllib.parse import urlsplit

from infra.base.origins import Origins
from infra.base.settings import Settings

#: Names of this machine, to itself.
_LOOPBACK = ("localhost",)
#: The value of a header Host (RFC 9110 7.2): an address in brackets or a name, perhaps with a port; no user.
_HOST = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+))(?::[0-9]{0,5})?")
#: Hosts that were found good, of which so many are kept.
_KEPT = 1000


class Sites:
    """The rules of one process."""

    def __init__(self, settings: Settings) -> None:
        given = _list(settings.hosts)
        own = (settings.host, _name(settings.advertise), _name(urlsplit(settings.api).netloc))
        self._any_host = "*" in given
        self._names = frozenset(one.lower().rstrip(".") for one in (*_LOOPBACK, *own, *given) if one)
        self._below = tuple(one.lower() for one in given if one.startswith("."))
        self.origins = Origins(settings.origins)
        self._good: set[bytes] = set()

    def named(self, host: bytes) -> bool:
        """Whether the value of a header Host is a name of ours."""
        if host in self._good:
            return True
        name = host_name(host)
        if name is None or not (self._any_host or self._ours(name)):
            return False
        if len(self._good) < _KEPT:
            self._good.add(host)
        return True

    def _ours(self, name: str) -> bool:
        name = name.lower().rstrip(".")
        if name in self._names or (self._below and name.endswith(self._below)):
            return True
        return _address(ipaddress.ip_address, name)


def host_name(value: bytes) -> str | None:
    """The name or address in a header Host or an authority; None when it is neither (RFC 9110 7.2, RFC 3986 3.2)."""
    found = _HOST.fullmatch(value.decode("latin-1"))
    if found is None or (found[1] and not _address(ipaddress.IPv6Address, found[1])):
        return None
    return str(found[1] or found[2])


def _address(kind: Callable[[str], object], text: str) -> bool:
    try:
        kind(text)
    except ValueError:
        return False
    return True


def crosses(host: bytes, origin: bytes | None, site: bytes | None) -> bool:
    """Whether a page of another origin sent a request, by its headers Host, Origin and Sec-Fetch-Site.

    Browsers send the last one to trustworthy addresses (HTTPS, loopback), and no page can write it. Where it is
    missing, Origin is compared with Host: the scheme is not, since only a proxy knows it.
    """
    if site is not None:
        return site not in (b"same-origin", b"none")
    return origin is not None and origin.partition(b"://")[2].lower() != host.lower()


def own_page(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Whether a request comes from a page of this installation or from no page: only for these is the cookie."""
    found = dict(headers)
    return not crosses(found.get(b"host", b""), found.get(b"origin"), found.get(b"sec-fetch-site"))


def bearer(authorization: str) -> str | None:
    """The token in a header Authorization, without the blanks around it; None where the scheme is another."""
    scheme, _, token = authorization.partition(" ")
    # RFC 9110 5.6.3; of text in Latin-1, strip() takes off more.
    return token.strip(" \t") if scheme.lower() == "bearer" else None


def loopback(host: str) -> bool:
    """Whether who listens there is reached from this machine only."""
    if host in _LOOPBACK:
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _name(netloc: str) -> str:
    """``host:port`` or ``[address]:port`` without its port."""
    if netloc.startswith("["):
        return netloc[1:].partition("]")[0]
    return netloc.partition(":")[0] if netloc.count(":") < 2 else netloc


def _list(text: str) -> list[str]:
    return [one.strip() for one in text.split(",") if one.strip()]
