"""``schemas/openapi.json``: the operations over HTTP, one operation a row of ``api.registry``."""

from __future__ import annotations

from typing import Any

from api.core.operation import Operation
from api.registry import all_operations
from api.support.problems import PROBLEMS
from infra.ops.generate import answers, common, contents, outcomes
from infra.ops.generate.answers import reference
from infra.ops.generate.descriptions import DESCRIPTIONS
from infra.ops.generate.examples import document as shown
from infra.ops.generate.files import json_text
from infra.ops.generate.portable import portable
from infra.ops.generate.shapes import DIALECT, Schema, nullable
from infra.ops.generate.version import VERSION

TAGS = {
    "users": "Users and their profiles.",
    "sessions": "Logging in and out.",
    "relationships": "Friends and blocks.",
    "visuals": "Visual characters and the emotions they show.",
    "rooms": "Private chats and groups.",
    "members": "Who is in a room, and how far they have read.",
    "invitations": "The rooms to which you were invited.",
    "messages": "What is said.",
    "channels": "Live channels: what is said in them goes to who is there, and is kept nowhere.",
    "sync": "The snapshot that a client starts from.",
    "changes": "Deltas without the push connection.",
    "presence": "Who is online, and what they have open: never stored.",
    "signals": "Sent as it happens, and never stored.",
    "apps": "Applications that the installation serves, each with users and rooms of its own.",
    "usage": "What applications use, by hour and day.",
    "plans": "Plans that applications may choose: prices, features and limits.",
    "teams": "Parts of an application whose people know nothing of each other.",
    "services": "Accounts of programs.",
    "import": "Conversations from elsewhere.",
    "console": "What operators look at.",
}

#: Members of bodies that are components.
_NAMED: dict[str, dict[str, Schema]] = {
    "rooms.create": {"settings": reference("RoomSettingsChange")},
    "rooms.change": {"settings": nullable(reference("RoomSettingsChange"))},
    "apps.change": {"settings": nullable(reference("AppSettingsChange"))},
    "plans.define": {"limits": reference("GivenPlanLimits")},
}

#: Operations whose body has keys, so that the header means nothing.
_OWN_KEYS = ("messages.set_emotions", "import.orders")


_ABOUT = """\
Every operation, except those of operators and of applications' own servers, can also be called on the push connection:
RPC method = operation id, data = all members together.

**Read your writes.** A read includes everything that its user was told has happened, by any node, on any device. An
operation that changes something also answers with the header `Klatsch-Position`: anybody who sends it with a read sees
that change too.

**Safe repetition.** An operation that changes something takes an `Idempotency-Key`: the same request with the same key
gives the first result again, with `Klatsch-Repeated: true`, and another request `key_reused`. For
`messages.send` its `client_id` is the same (older name: `token`).

**The past.** A read with `as_of` answers as of a past moment: a time (RFC 3339), or the next offsets of shards, as in
`Klatsch-Position`; shards that are not named are as they are now.

**Limits.** Every answer of an operation, refusals too, says in `RateLimit-Policy` and `RateLimit` which limit the call
counted against and what is left of it (draft-ietf-httpapi-ratelimit-headers-10); beyond it the answer is 429 with
`Retry-After`. An operator's calls are not counted. Over RPC a refusal says it, in its problem.

**Errors** are problem documents (RFC 9457): `errors` names each wrong place of the request, and what was
expected there. A request body is JSON, whatever its content type says.

**Applications.** One installation may serve several, which know nothing of each other. An application's own server
sends a token that it signs itself (HS256 with the secret of its API key, which is the header `kid`; claims `server`:
true, `iat`, `exp`), and calls any operation for one of its users with the header `Klatsch-User`: the user's id. Tokens
of its users it signs likewise, with `sub`, their id with it. Who has no token yet names the application by its API key
in `Klatsch-Api-Key`; without, the default one is meant. A room may be named by an id of the application's own.

**Request ids.** Every answer has the header `X-Request-Id`: the one of the request, or a new one. It is in the
operator's log too: quote it when you ask for help.
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
    paths["/v1/stream"] = {"get": common.stream()}
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
            "schemas": components(operations),
            "parameters": common.parameters(),
            "responses": common.problems(),
            "examples": shown.problems(),
            "headers": common.headers(),
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
    plain: dict[str, Any] = portable(found)
    return plain


def components(operations: list[Operation]) -> dict[str, Schema]:
    """The schemas that operations and answers refer to, by name."""
    return {**answers.components(), **_typed(operations)}


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
    if operation.has_past:
        parameters.append({"$ref": "#/components/parameters/AsOf"})
    if changes and operation.name not in _OWN_KEYS:
        parameters.append({"$ref": "#/components/parameters/IdempotencyKey"})
    found: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "tags": [operation.name.partition(".")[0]],
        "description": f"{DESCRIPTIONS[operation.name]} {permission_text(operation)}",
        "x-klatsch-permission": operation.permission,
        "security": []
        if operation.permission == "anyone"
        else [{"token": [operation.scope] if operation.scope else []}],
        "parameters": parameters,
    }
    body, needed = _members_of_body(operation)
    if body:
        found["requestBody"] = _body(operation, body, needed)
    found["responses"] = {str(operation.status): _answer(operation, changes), **_refusals(operation)}
    if operation.conditional:
        found["parameters"].append({"$ref": "#/components/parameters/IfNoneMatch"})
        found["responses"]["304"] = {"description": "Nothing has changed since the answer with that `ETag`."}
    shown.add(operation, found)
    return found


def permission_text(operation: Operation) -> str:
    """Who may call it, in words."""
    return {
        "anyone": "Needs no token.",
        "user": "Needs a token of a person or a service account.",
        "service": f"Needs the token of a service account with the scope `{operation.scope}`.",
        "server": "Needs the token of your application's own server.",
        "app": "Needs the token of your application's own server, or an operator's (`./klatsch token`).",
        "operator": "Needs an operator's token (`./klatsch token`).",
        "account": "Needs a token of a person or a service account, or an operator's (`./klatsch token`).",
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


def _members_of_body(operation: Operation) -> tuple[dict[str, Schema], list[str]]:
    """Schemas of the members of an operation's body, and the names of those that must be there."""
    if operation.method in ("GET", "DELETE"):
        return {}, []
    fields, required = answers.request_fields(operation.request)
    body = {name: schema for name, schema in fields.items() if name not in operation.path_parameters}
    for name, schema in _NAMED.get(operation.name, {}).items():
        about = {key: value for key, value in body[name].items() if key == "description"}
        body[name] = {**about, **schema}
    return body, [name for name in required if name in body]


def _body(operation: Operation, fields: dict[str, Schema], required: list[str]) -> dict[str, Any]:
    schema: Schema = {"type": "object", "properties": fields, "additionalProperties": False}
    if required:
        schema["required"] = required
    if operation.name == "messages.send":
        schema = reference("SendMessage")
    return {"required": bool(required), "content": {"application/json": {"schema": schema}}}


def _typed(operations: list[Operation]) -> dict[str, Schema]:
    """Components in which type and content of a message belong together."""
    sends = [contents.sends(*_members_of_body(one)) for one in operations if one.name == "messages.send"]
    return {**contents.messages(answers.components()["Message"]), **contents.shown(), **(sends[0] if sends else {})}


def _answer(operation: Operation, changes: bool) -> dict[str, Any]:
    found: dict[str, Any] = {"description": "Done." if operation.status != 201 else "Made."}
    headers = {"X-Request-Id": "RequestId"}
    if changes:
        headers["Klatsch-Position"] = "Position"
    if changes and outcomes.of(operation).keyed:
        headers["Klatsch-Repeated"] = "Repeated"
    if operation.permission != "operator":
        headers |= {"RateLimit": "RateLimit", "RateLimit-Policy": "RateLimitPolicy"}
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
    return {str(status): common.problem(codes) for status, codes in sorted(by_status.items())}


def rpc_only() -> list[dict[str, Any]]:
    """What only the push connection has, each as an operation of the document: for clients made from it."""
    return [_operation(operation) for operation in all_operations() if operation.only_rpc]
