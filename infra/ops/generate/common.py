"""What the operations of ``schemas/openapi.json`` have in common: parameters, headers, problems; and the stream."""

from __future__ import annotations

from typing import Any

from api.support.problems import PROBLEMS
from infra.base.kafka import EVENT_TOPICS
from infra.ops.generate import contents
from infra.ops.generate.answers import reference
from infra.ops.generate.examples import PARAMETERS
from infra.ops.generate.examples import document as shown
from infra.ops.generate.examples.sync import STREAM, STREAM_SINCE
from infra.ops.generate.shapes import Schema
from push.delivery.pull import CURSOR_PATTERN

#: See events.core.positions.parse_vector.
_PLACE = f"({'|'.join(EVENT_TOPICS)})/[0-9]{{1,4}}/[0-9]{{1,18}}"
_VECTOR = f"{_PLACE}(,{_PLACE})*"
_POSITION: Schema = {"type": "string", "examples": ["rooms/0/1"], "pattern": f"^{_VECTOR}$"}
#: A time of RFC 3339, or a position.
_MOMENT = f"^([0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}[Tt ][0-9:.]+([Zz]|[+-][0-9:]+)|{_VECTOR})$"

#: Every answer has it.
REQUEST_ID: Schema = {"X-Request-Id": {"$ref": "#/components/headers/RequestId"}}

#: Those that were counted have these.
RATE_LIMIT: Schema = {
    "RateLimit": {"$ref": "#/components/headers/RateLimit"},
    "RateLimit-Policy": {"$ref": "#/components/headers/RateLimitPolicy"},
}


def problem(codes: list[str]) -> dict[str, Any]:
    """The response of a status that has these codes."""
    if len(codes) == 1:
        return {"$ref": f"#/components/responses/{codes[0]}"}
    text = "; ".join(f"`{code}`: {PROBLEMS[code].title[:1].lower()}{PROBLEMS[code].title[1:]}" for code in codes)
    return {"description": text, **_document(codes)}


def _document(codes: list[str]) -> dict[str, Any]:
    """Headers and content of a problem."""
    content = {"application/problem+json": {"schema": reference("Problem"), "examples": shown.of_problems(codes)}}
    return {"headers": REQUEST_ID, "content": content}


def problems() -> dict[str, Any]:
    """A response for each code."""
    return {
        code: {"description": f"`{code}`: {kind.title}. {kind.about}", **_document([code])}
        for code, kind in PROBLEMS.items()
    }


def headers() -> dict[str, Any]:
    """Headers of answers."""
    words = {
        "RateLimitPolicy": "The limit that the call counts against: `q` calls at once, as many again in `w` seconds.",
        "RateLimit": "What is left of it: `r` calls now, and all of it again in `t` seconds.",
    }
    return {
        "Position": {"description": "The position of your events.", "schema": _POSITION},
        "RequestId": {
            "description": "Names the request in the operator's log: as you sent it, if it is up to 64 of "
            "`A-Z a-z 0-9 . _ -`, else made here. Problem documents have it as `request_id`.",
            "schema": {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,64}$"},
        },
        "Repeated": {
            "description": "Only on the first result of a key that was used before.", "schema": contents.only("true"),
        },
        **{name: {"description": text, "schema": {"type": "string"}} for name, text in words.items()},
    }  # fmt: skip


def parameters() -> dict[str, Any]:
    """Parameters of many operations, each with its example."""
    return {name: {**one, "example": PARAMETERS[name]} for name, one in _parameters().items()}


def _parameters() -> dict[str, Any]:
    return {
        "Position": {
            "name": "Klatsch-Position", "in": "header", "required": False, "schema": _POSITION,
            "description": "From an earlier answer: this one waits until it includes that change (5 s at most). Shards "
            "that this installation does not have are refused.",
        },
        "AsOf": {
            "name": "as_of", "in": "query", "required": False,
            "schema": {"type": "string", "pattern": _MOMENT},
            "description": "Answer of this past moment: a time, or next offsets of shards as in `Klatsch-Position`. "
            "A time refers to when things happened: history imported later, with older times, is in the answer. "
            "What has not come yet, and shards that this installation does not have, are refused. "
            "You see what you were allowed to see then and are allowed to see now. The answer has an `ETag`.",
        },
        "IfNoneMatch": {
            "name": "If-None-Match", "in": "header", "required": False, "schema": {"type": "string"},
            "description": "The `ETag` of an earlier answer: this one is empty if it would be the same.",
        },
        "IdempotencyKey": {
            "name": "Idempotency-Key", "in": "header", "required": False,
            "schema": {"type": "string", "pattern": "^[\\x21-\\x7e]{1,128}$"},
            "description": "Made by you: repeating the request with the same key gives the first result again.",
        },
    }  # fmt: skip


def stream() -> dict[str, Any]:
    """The server-sent events, which are no operation: they are not over RPC."""
    since = {
        "name": "since", "in": "query", "required": False,
        "schema": {"type": "string", "pattern": CURSOR_PATTERN},
        "description": "A cursor, `<epoch>:<offset>`: where to continue. Without it: from now on.",
        "example": STREAM_SINCE,
    }  # fmt: skip
    last = {**since, "name": "Last-Event-ID", "in": "header", "description": "The same; browsers send it themselves."}
    return {
        "operationId": "stream",
        "summary": "Your deltas as server-sent events",
        "tags": ["changes"],
        "description": "One event per delta; its id is the cursor after it. Formats: the reference of push.",
        "security": [{"token": []}, {"cookie": []}],
        "parameters": [since, last],
        "responses": {
            "200": {
                "description": "A stream that does not end.",
                "headers": {**REQUEST_ID, **RATE_LIMIT},
                "content": {
                    "text/event-stream": {"schema": {"type": "string"}, "examples": {"example": {"value": STREAM}}}
                },
            },
            "400": {"$ref": "#/components/responses/malformed"},
            "401": {"$ref": "#/components/responses/unauthenticated"},
            "402": {"$ref": "#/components/responses/limit_reached"},
            "429": {"$ref": "#/components/responses/rate_limited"},
            "503": {"$ref": "#/components/responses/unavailable"},
        },
    }  # fmt: skip
