"""The head of a request before it is parsed, and its target after. Pure."""

from __future__ import annotations

import re

import h11

#: Bytes of a head with its blank line (nginx 32 KiB, tomcat 8 KiB, node 16 KiB), and lines between first and blank line
#: (Apache httpd 100, Python's own client 100).
BYTES = 32 * 1024
LINES = 100
#: What ends a head, to h11.
_BLANK = re.compile(rb"\n\r?\n")
#: A target in absolute form: authority, then path and query (RFC 9112 3.2.2).
_ABSOLUTE = re.compile(rb"https?://([^/?#]*)(.*)", re.IGNORECASE)

_ORIGIN = re.compile(rb"\norigin:[ \t]*([!-~]+)[ \t]*\r?\n", re.IGNORECASE)
#: See infra.base.request_ids.
_REQUEST_ID = re.compile(rb"\nx-request-id:[ \t]*([A-Za-z0-9._-]{1,64})[ \t]*\r?\n", re.IGNORECASE)


def origin(data: bytes) -> bytes | None:
    """The one ``Origin`` in what has come of a head that is not, or cannot be, parsed."""
    return _one(_ORIGIN, data)


def request_id(data: bytes) -> str:
    """The one ``X-Request-Id`` in the same, if it is well-formed; else empty."""
    found = _one(_REQUEST_ID, data)
    return found.decode() if found is not None else ""


def _one(header: re.Pattern[bytes], data: bytes) -> bytes | None:
    end = _BLANK.search(data, 0, BYTES)
    found: list[bytes] = header.findall(data, 0, BYTES if end is None else end.end())
    return found[0] if len(found) == 1 else None


def too_large(data: bytes) -> bool:
    """Whether what begins with a head, whole or not, begins with one of too many bytes or lines."""
    end = _BLANK.search(data, 0, BYTES)
    if end is None and len(data) >= BYTES:
        return True
    # The first line and the blank one have ends too.
    return data.count(b"\n", 0, BYTES if end is None else end.end()) > LINES + 2


def in_origin_form(request: h11.Request) -> h11.Request:
    """The request with a path as target: of a target in absolute form the authority takes the place of Host."""
    found = _ABSOLUTE.fullmatch(request.target)
    if found is None:
        return request
    authority, path = found.groups()
    headers = [(b"host", authority), *(pair for pair in request.headers if pair[0] != b"host")]
    return h11.Request(
        method=request.method,
        target=path if path.startswith(b"/") else b"/" + path,
        headers=headers,
        http_version=request.http_version,
    )
