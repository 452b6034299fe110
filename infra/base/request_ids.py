"""The id of the request that a task works for: the client's or made here; it is in the answer, and in the log's lines.

It is bound to the task that answers (a context variable): who works for many is ``apart``.
"""

from __future__ import annotations

import logging
import os
import re
from contextvars import Context, ContextVar, copy_context

HEADER = "X-Request-Id"
#: Its name in ASGI.
RAW_HEADER = HEADER.lower().encode()
#: An id that is taken from a client: short, and nothing in it that a log or a header would take for something else.
_FORM = re.compile(r"[A-Za-z0-9._-]{1,64}")

_id: ContextVar[str] = ContextVar("request_id", default="")


def begin(given: str | None = None) -> str:
    """The id of a request that begins: the one that came with it, where it is well-formed."""
    id = given if given is not None and _FORM.fullmatch(given) else made()
    _id.set(id)
    return id


def made() -> str:
    """An id that nobody else makes: 64 random bits, of which 5 billion requests hold two alike in half of all logs."""
    return os.urandom(8).hex()


def current() -> str:
    """The id of the request that is answered; one of its own where none is."""
    return _id.get() or made()


def known() -> str:
    """The id of the request that is answered; empty where none is."""
    return _id.get()


def apart() -> Context:
    """A context for a task that a request happens to begin, and that goes on for others."""
    context = copy_context()
    context.run(_id.set, "")
    return context


class RequestIdFilter(logging.Filter):
    """Gives each line ``request``: the id in brackets behind the logger's name, or nothing."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Lets all pass."""
        id = _id.get()
        record.request = f" [{id}]" if id else ""
        return True


#: How a line of the log is written.
FORMAT = "%(asctime)s %(levelname)s %(name)s%(request)s: %(message)s"


def configure(level: int) -> None:
    """Has the process write its log to standard error, each line with the id of its request."""
    handler = logging.StreamHandler()
    handler.addFilter(RequestIdFilter())
    logging.basicConfig(level=level, format=FORMAT, handlers=[handler])
