"""How an operator stays in the console: a short-lived link opens it, and the open page renews its token."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from api.core.calls import Call
from api.core.operation import NoParameters, NoPast, Operation
from api.core.tokens import mint
from api.support.problems import Problem
from events.core.clock import after, now, to_datetime, uuid7

#: Lifetime of the console's token, in seconds. It stands in the page's memory, which renews it in good time.
TOKEN_SECONDS = 900.0
#: Seconds after which a page that was open all the time needs a new link: an operator's token cannot be revoked.
STAY_SECONDS = 24 * 3600.0
#: Marks sessions of consoles. A UUIDv7 follows, which says when the console was opened.
_MARK = "console:"
#: What all reads of the console answer of the past.
PRESENT_ONLY = NoPast("the console shows the present; a room's slider has `at` for its past")


async def renew(call: Call, request: NoParameters) -> dict[str, Any]:
    """A fresh token for a console; the first time, for any operator's token, the beginning of its stay."""
    assert call.identity is not None
    session = call.identity.session
    if not session.startswith(_MARK):
        session = _MARK + uuid7()
    moment = now()
    end = after(_opened(session), STAY_SECONDS)
    if end <= moment:
        raise Problem(
            "forbidden",
            f"expected a console opened within {STAY_SECONDS / 3600:.0f} hours, got one of {_opened(session)}; "
            "run './klatsch console' for a new link",
        )
    expires = min(after(moment, TOKEN_SECONDS), end)
    token = mint(
        call.settings, user=call.identity.user, session=session, role="operator", issued=moment, expires=expires
    )
    return {"token": token, "expires": expires, "seconds": _seconds(moment, expires)}


def _opened(session: str) -> str:
    milliseconds = int(session.removeprefix(_MARK).replace("-", "")[:12], 16)
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="milliseconds")[:23] + "Z"


def _seconds(since: str, until: str) -> int:
    return round((to_datetime(until) - to_datetime(since)).total_seconds())


OPERATIONS = [
    Operation("console.renew", "POST", "/v1/console/token", "operator", NoParameters, renew,
              "A new token for an operator's open console",
              {"token": "string", "expires": "time", "seconds": "integer"}),
]  # fmt: skip
