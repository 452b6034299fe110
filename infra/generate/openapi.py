"""``schemas/openapi.json``: the surface over HTTP, one operation a row of ``api.operations``."""

from __future__ import annotations

from typing import Any

from api.operations import all_operations
from api.past import PAST, No
from api.problems import PROBLEMS
from api.surface import Operation
from infra.generate import answers, outcomes
from infra.generate.answers import reference
from infra.generate.files import json_text
from infra.generate.shapes import DIALECT, Schema
from infra.generate.version import VERSION
from push.pull import CURSOR_PATTERN

TAGS = {
    "users": "Who takes part, and their profiles.",
    "sessions": "Logging in and out.",
    "relationships": "Friends and blocks.",
    "visuals": "Visual characters and the emotions they show.",
    "rooms": "Private chats and groups.",
    "members": "Who is in a room, and how far they have read.",
    "invitations": "The rooms into which you were invited.",
    "messages": "What is said.",
    "sync": "The snapshot that a client starts from.",
    "changes": "Deltas without the push connection.",
    "presence": "Who is there, and what they have open: never stored.",
    "signals": "What is told as it happens, and never stored.",
    "services": "Accounts of programs.",
    "import": "Conversations from elsewhere.",
    "console": "What operators look at.",
}

#: Operations whose body has keys, so that the header means nothing.
_OWN_KEYS = ("messages.set_emotions", "import.orders")

#: See producers.limits.whole.
_END = r"(?!\n)"
#: See events.positions.parse_vector.
_POSITION: Schema = {
    "type": "string",
    "examples": ["rooms/0/1"],
    "pattern": "^(users|rooms|handles)/[0-9]{1,4}/[0-9]{1,18}(,(users|rooms|handles)/[0-9]{1,4}/[0-9]{1,18})*$",
}

_ABOUT = """\
Every operation, but those of operators, can also be called on the push connection: RPC method = operation id, data =
all members together.

**Read your writes.** A read includes all that its user was told to have happened, by any node, on any device. An
operation that changes something also answers with the header `Klatsch-Position`: who is given it, and sends it with a
read, sees that change too.

**Safe repetition.** An operation that changes something takes an `Idempotency-Key`: the same request with the same key
gives the first result again, with `Klatsch-Repeated: true`, and another request `key_reused`. For
`messages.send` its `client_id` is the same (older name: `token`).

**The past.** A read with `as_of` answers of a past moment: a time (RFC 3339), or the next offsets of shards, as
`Klatsch-Position` names them; shards that are not named stand where they are now.

**Limits.** Every answer says in `RateLimit-Policy` and `RateLimit` which limit the call counted against and what is
left of it (draft-ietf-httpapi-ratelimit-headers-10); beyond it the answer is 429 with `Retry-After`.

**Errors** are problem documents (RFC 9457). A request body is JSON, whatever its content type says.
"""


def text() -> str:
    """The document as it stands in its file."""
    return json_text(document(all_operations()))


def document(operations: list[Operation]) -> dict[str, Any]:
    """The OpenAPI document of some operations."""
    paths: dict[str, Any] = {}
    for operation in operations:
        if operation.only_rpc:
            continue
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation)
    paths["/v1/stream"] = {"get": _stream()}
    tags = dict.fromkeys(operation.name.partition(".")[0] for operation in operations)
    found: dict[str, Any] = {
        "openapi": "3.1.1",
        "jsonSchemaDialect": DIALECT,
        "info": {
            "title": "Klatsch",
            "version": VERSION,
            "summary": "A chat backend whose database is its history.",
            "description": _ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/", "description": "The installation that serves this document."}],
        "tags": [{"name": tag, "description": TAGS[tag]} for tag in [*tags]],
        "paths": paths,
        "components": {
            "schemas": answers.components(),
            "parameters": _parameters(),
            "responses": _problems(),
            "headers": _headers(),
            "securitySchemes": {
                "token": {
                    "type": "http", "scheme": "bearer", "bearerFormat": "JWT",
                    "description": "From `POST /v1/users` or `POST /v1/sessions`.",
                },
                "cookie": {
                    "type": "apiKey", "in": "cookie", "name": "klatsch_stream",
                    "description": "Set by logging in; only the stream accepts it.",
                },
            },
        },
    }  # fmt: skip
    plain: dict[str, Any] = _plain(found)
    return plain


def _plain(value: Any) -> Any:
    """The same; patterns without what Python needs behind ``$`` and JSON Schema does not: RE2 has no look ahead."""
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if not isinstance(value, dict):
        return value
    found = {key: _plain(item) for key, item in value.items()}
    if isinstance(found.get("pattern"), str):
        found["pattern"] = found["pattern"].removesuffix(_END)
    return found


def _operation(operation: Operation) -> dict[str, Any]:
    fields, required = answers.request_fields(operation.request)
    changes = outcomes.of(operation).changes
    inside = operation.path_parameters
    in_query = operation.method in ("GET", "DELETE")
    parameters: list[dict[str, Any]] = []
    for name, schema in fields.items():
        if name in inside or in_query:
            parameters.append(_parameter(name, schema, "path" if name in inside else "query", name in required))
    parameters.append({"$ref": "#/components/parameters/Position"})
    if has_past(operation):
        parameters.append({"$ref": "#/components/parameters/AsOf"})
    if changes and operation.name not in _OWN_KEYS:
        parameters.append({"$ref": "#/components/parameters/IdempotencyKey"})
    found: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "tags": [operation.name.partition(".")[0]],
        "description": permission_text(operation),
        "x-klatsch-permission": operation.permission,
        "security": []
        if operation.permission == "anyone"
        else [{"token": [operation.scope] if operation.scope else []}],
        "parameters": parameters,
    }
    body = {name: schema for name, schema in fields.items() if name not in inside}
    if not in_query and body:
        found["requestBody"] = _body(body, [name for name in required if name in body])
    found["responses"] = {str(operation.status): _answer(operation, changes), **_refusals(operation)}
    if operation.conditional:
        found["parameters"].append({"$ref": "#/components/parameters/IfNoneMatch"})
        found["responses"]["304"] = {"description": "Nothing has changed since the answer with that `ETag`."}
    return found


def has_past(operation: Operation) -> bool:
    """Whether the operation answers of a past moment too."""
    return operation.method == "GET" and not isinstance(PAST.get(operation.name, No("")), No)


def permission_text(operation: Operation) -> str:
    """Who may call it, in words."""
    return {
        "anyone": "Needs no token.",
        "user": "Needs a token of a person or a service account.",
        "service": f"Needs the token of a service account with the scope `{operation.scope}`.",
        "operator": "Needs an operator's token (`./klatsch token`).",
    }[operation.permission]


def _parameter(name: str, schema: Schema, where: str, required: bool) -> dict[str, Any]:
    schema = dict(schema)
    about = schema.pop("description", None)
    found: dict[str, Any] = {"name": name, "in": where, "required": required or where == "path"}
    if about:
        found["description"] = about
    # An optional parameter is left out rather than null.
    options = [one for one in schema.get("anyOf", ()) if one != {"type": "null"}]
    if len(options) == 1:
        schema = {**{key: value for key, value in schema.items() if key not in ("anyOf", "default")}, **options[0]}
        if about is None and "description" in schema:
            found["description"] = schema.pop("description")
    # "No bound" as a number is nothing for a reader.
    if schema.get("default", 0) == 2**62:
        del schema["default"]
    return {**found, "schema": schema}


def _body(fields: dict[str, Schema], required: list[str]) -> dict[str, Any]:
    schema: Schema = {"type": "object", "properties": fields, "additionalProperties": False}
    if required:
        schema["required"] = required
    return {"required": bool(required), "content": {"application/json": {"schema": schema}}}


def _answer(operation: Operation, changes: bool) -> dict[str, Any]:
    found: dict[str, Any] = {"description": "Done." if operation.status != 201 else "Made."}
    headers = {"Klatsch-Position": "Position"} if changes else {}
    if changes and outcomes.of(operation).keyed:
        headers["Klatsch-Repeated"] = "Repeated"
    if operation.permission != "operator":
        headers |= {"RateLimit": "RateLimit", "RateLimit-Policy": "RateLimitPolicy"}
    if headers:
        found["headers"] = {name: {"$ref": f"#/components/headers/{one}"} for name, one in headers.items()}
    if operation.status != 204:
        schema = answers.answer(operation.name, operation.returns)
        found["content"] = {"application/json": {"schema": schema}}
    return found


def _refusals(operation: Operation) -> dict[str, Any]:
    """One response a status; its description lists the codes."""
    by_status: dict[int, list[str]] = {}
    for code in outcomes.all_codes(operation):
        by_status.setdefault(PROBLEMS[code].status, []).append(code)
    return {str(status): _problem(codes) for status, codes in sorted(by_status.items())}


def _problem(codes: list[str]) -> dict[str, Any]:
    if len(codes) == 1:
        return {"$ref": f"#/components/responses/{codes[0]}"}
    text = "; ".join(f"`{code}`: {PROBLEMS[code].title[:1].lower()}{PROBLEMS[code].title[1:]}" for code in codes)
    return {"description": text, "content": {"application/problem+json": {"schema": reference("Problem")}}}


def _problems() -> dict[str, Any]:
    content = {"application/problem+json": {"schema": reference("Problem")}}
    return {
        code: {"description": f"`{code}`: {kind.title}. {kind.about}", "content": content}
        for code, kind in PROBLEMS.items()
    }


def _headers() -> dict[str, Any]:
    words = {
        "RateLimitPolicy": "The limit that the call counts against: `q` calls at once, as many again in `w` seconds.",
        "RateLimit": "What is left of it: `r` calls now, and all of it again in `t` seconds.",
    }
    return {
        "Position": {"description": "Where your events stand.", "schema": _POSITION},
        "Repeated": {
            "description": "Only on the first result of a key that was used before.", "schema": {"const": "true"},
        },
        **{name: {"description": text, "schema": {"type": "string"}} for name, text in words.items()},
    }  # fmt: skip


def _parameters() -> dict[str, Any]:
    return {
        "Position": {
            "name": "Klatsch-Position", "in": "header", "required": False, "schema": _POSITION,
            "description": "From an earlier answer: this one waits until it includes that change (5 s at most). Shards "
            "that this installation does not have are refused.",
        },
        "AsOf": {
            "name": "as_of", "in": "query", "required": False,
            "schema": {
                "anyOf": [{"type": "string", "format": "date-time"}, _POSITION],
                "examples": ["2026-11-21T08:15:30Z", "rooms/3/1235,users/1/88"],
            },
            "description": "Answer of this past moment: a time, or next offsets of shards as in `Klatsch-Position`. "
            "What has not come yet, and shards that this installation does not have, are refused. "
            "You are shown what you might see then and may see now. The answer has an `ETag`.",
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


def _stream() -> dict[str, Any]:
    since = {
        "name": "since", "in": "query", "required": False,
        "schema": {"type": "string", "pattern": CURSOR_PATTERN},
        "description": "A cursor, `<epoch>:<offset>`: where to go on. Without it: from now on.",
    }  # fmt: skip
    last = {**since, "name": "Last-Event-ID", "in": "header", "description": "The same; browsers send it themselves."}
    return {
        "operationId": "stream",
        "summary": "Your deltas as server-sent events",
        "tags": ["changes"],
        "description": "One event a delta; its id is the cursor after it. Formats: the reference of push.",
        "security": [{"token": []}, {"cookie": []}],
        "parameters": [since, last],
        "responses": {
            "200": {
                "description": "A stream that does not end.",
                "content": {"text/event-stream": {"schema": {"type": "string"}}},
            },
            "400": {"$ref": "#/components/responses/malformed"},
            "401": {"$ref": "#/components/responses/unauthenticated"},
            "503": {"$ref": "#/components/responses/unavailable"},
        },
    }  # fmt: skip
