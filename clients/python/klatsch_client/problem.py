"""Errors of a call: a refusal (RFC 9457), or no answer at all."""

from __future__ import annotations

from typing import Any, cast

from klatsch_client import contract
from klatsch_client.contract import ProblemCode

_PREFIX = "urn:klatsch:problem:"
#: Statuses after which the same call may be sent again: it was not run, or it has a key.
_PASSING = frozenset({429, 503, 504})


class Problem(Exception):
    """The server refuses. ``code`` is the end of ``type``: "not_found", "rate_limited" ..."""

    def __init__(self, document: contract.Problem) -> None:
        super().__init__(f"{document['title']}: {document['detail']}")
        self.type = document["type"]
        self.code = cast(ProblemCode, self.type.removeprefix(_PREFIX))
        self.status = document["status"]
        self.title = document["title"]
        self.detail = document["detail"]
        #: Seconds after which it may be tried again, where the server says so.
        self.retry_after = document.get("retry_after")

    @property
    def passing(self) -> bool:
        return self.status in _PASSING


class Unanswered(Exception):
    """No answer came: it may have happened or not. The same call with the same key or ``client_id`` finds out."""

    def __init__(self, method: str, key: str | None, reason: str) -> None:
        super().__init__(f"{method}: no answer ({reason})")
        self.method = method
        #: The ``client_id`` or ``idempotency_key`` that was sent, if any.
        self.key = key


def from_reply(error: dict[str, Any]) -> Problem:
    """The refusal that an error of the protocol is."""
    if "problem" in error:
        return Problem(error["problem"])
    # Of the connection itself, like too many calls at once.
    code, status = ("overloaded" if error["code"] == 111 else "internal"), 503 if error["code"] in (100, 111) else 400
    words = str(error["message"])
    return Problem({"type": _PREFIX + code, "title": words, "status": status, "detail": words, "request_id": ""})
