"""One document for each type of problem, with the detail that the server gives in such a case."""

from __future__ import annotations

from typing import Any

from api.support import problems
from events.core.faults import wrong
from infra.base.settings import Settings
from infra.ops.generate.examples.story import LINUS, REQUEST, ROOM
from producers.engine import storage

_USERNAME = "a string of 3 to 50 of the characters A-Z a-z 0-9 _ -"
_TAKEN = wrong("/username", "a free username", "grace, which is taken")
_KEY = "expected the request for which this key or token was first used, got another; give it one of its own"
_RATE = (
    "expected at most 500 calls of the kind `send` from one account at once, and as many again in 10 s, got more; wait "
    "1 s (operators: KLATSCH_LIMIT_SEND)"
)
_CLOCKS = (
    "expected a token that was made at most 30 s ahead of this node's clock, got a later one: the clocks of two "
    "machines differ, or this one was set back; try again later"
)
_HOST = (
    "expected a name of this installation as Host, got 'chat.example'; the operator lists its names in KLATSCH_HOSTS"
)
_CROWD = (
    "expected at most 500 invitations to one room that wait for an answer, there are 500; wait for answers, or "
    "withdraw some"
)
_FULL = "expected at most 10000 users of the application, as its plan allows, got more: there are 10000 already"
_SPENT = (
    "expected at most 100000 messages of the application in a day (UTC), as its plan allows, got more: there are "
    "100000 already; again in 3600 s"
)
_IN_USE = "expected a team without users and rooms, got one with 12 users and 3 rooms"
_DISK = storage.sentence(Settings().disk_floor, 31_000_000)

#: Detail, seconds to wait where there is something to wait for, and what else the document has.
_DETAILS: dict[str, tuple[str, float | None, dict[str, Any]]] = {
    "invalid": ("", None, {"errors": [wrong("/username", _USERNAME, "7")]}),
    "malformed": ("expected JSON: Input data was truncated", None, {}),
    "unauthenticated": ("expected a token, got none; log in and send Authorization: Bearer", None, {}),
    "token_expired": ("expected a valid token, got one that has expired; log in again", None, {}),
    "token_not_yet_valid": (_CLOCKS, 30, {}),
    "token_revoked": ("expected a valid token, got one that was revoked; log in again", None, {}),
    "forbidden": ("expected a token of: operator; got one of: person", None, {}),
    "not_found": (f"expected a room that you are in, found none with id {ROOM}", None, {}),
    "method_not_allowed": ("expected another method than POST", None, {}),
    "declined": (f"{LINUS} has declined an invitation of yours; they have to join or write first", None, {}),
    "too_many": (_CROWD, None, {}),
    "suspended": ("expected an application in use, got one that is suspended; its operator resumes it", None, {}),
    "erased": ("expected an account, got one that was erased at 2026-11-21T08:58:00.000Z, for good", None, {}),
    "taken": ("expected a free username, grace is taken", None, {"errors": [_TAKEN]}),
    "in_use": (_IN_USE, None, {"users": 12, "rooms": 3}),
    "key_reused": (_KEY, None, {}),
    "archived": (f"expected a room in use; {ROOM} is archived: it can be read and left", None, {}),
    "no_successor": ("expected a member to pass the ownership on to; try again", None, {}),
    "limit_reached": (_FULL, None, {"limit": "users", "most": 10_000, "used": 10_000}),
    "quota_used": (_SPENT, 3600, {"limit": "messages_day", "most": 100_000, "used": 100_000, "reset": 3600}),
    "too_large": ("content: expected at most 16384 bytes of JSON, got 20011", None, {}),
    "too_slow": ("expected the whole body of the request in time; send it at once", None, {}),
    "misdirected": (_HOST, None, {}),
    "upgrade_required": ("expected a WebSocket handshake (RFC 6455), got a plain request", None, {}),
    "head_too_large": ("expected a head of at most 32768 bytes and 100 lines of headers", None, {}),
    "rate_limited": (_RATE, 1, {"limit": "send", "most": 500, "used": 500, "reset": 10}),
    "internal": ("the server failed; the operator can find the error in the log", None, {}),
    "overloaded": ("shard rooms/3: 2000 commands are waiting", 1, {}),
    "lagging": ("the read models have not reached the position within 5.0 s", 2, {}),
    "parked": (f"stream {ROOM} waits for an operator: one of its events could not be applied", 30.0, {}),
    "no_owner": ("shard rooms/3 has no owner at the moment", 1.0, {}),
    "unavailable": ("Kafka or Postgres does not answer; try again", 1, {}),
    "insufficient_storage": (_DISK, 10.0, {}),
    "unknown": ("no outcome within 10.0 s; it may have happened, or may yet", 1.0, {}),
}

#: The document of each code.
PROBLEMS: dict[str, dict[str, Any]] = {
    code: {**problems.document(problems.Problem(code, detail, retry_after=wait, **more)), "request_id": REQUEST}
    for code, (detail, wait, more) in _DETAILS.items()
}
