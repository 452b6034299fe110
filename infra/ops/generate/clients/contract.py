"""What the two documents say to a client: named types, operations, deltas by type, and codes of problems."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from infra.ops.generate.asyncapi import GONE, SETS
from infra.ops.generate.clients.types import (  # fmt: skip
    ANY,
    Field,
    Literals,
    Map,
    Object,
    Ref,
    Scalar,
    Schema,
    Type,
    Union,
    parse,
    reachable,
    resolved,
    union,
)
from projectors.audience import AUDIENCES, NOBODY

#: How an operation may be sent again when no answer came: as it is, with the key or ``client_id`` of the first attempt,
#: or not at all.
Repeat = Literal["read", "key", "client_id", "never"]

#: Who calls the rest has no use for a chat client: operators have no push connection.
_PERMISSIONS = ("anyone", "user", "service", "account")
_AS_OF = "Answer of this past moment: a time, or next offsets of shards."

#: Types beside those of operations and deltas: of errors, and what comes when a place is lost.
_ALSO = ("Problem", "Snapshot")


class RpcMethod(NamedTuple):
    """One RPC method. ``params``: an object, or a union of objects; ``answer``: None when it has none."""

    name: str
    about: str
    params: Type
    answer: Type | None
    repeat: Repeat

    @property
    def type_name(self) -> str:
        return pascal(self.name)


class Contract(NamedTuple):
    """Everything a client must know."""

    types: dict[str, Type]
    about: dict[str, str]
    operations: tuple[RpcMethod, ...]
    #: By type: the delta as object, with ``type`` as literal.
    deltas: dict[str, Object]
    problems: tuple[str, ...]
    #: Types of deltas whose members become those of the same names of their room.
    room_changes: tuple[str, ...] = ()
    #: What a deleted room shows, but for what is left of it.
    gone: Mapping[str, Any] = {}


def pascal(name: str) -> str:
    """``member.role_changed`` as name of a type: ``MemberRoleChanged``."""
    return "".join(word.capitalize() for word in name.replace(".", "_").split("_"))


def groups(contract: Contract) -> dict[str, list[RpcMethod]]:
    """The operations by what stands before the dot, each list in the contract's order."""
    found: dict[str, list[RpcMethod]] = {}
    for operation in contract.operations:
        found.setdefault(operation.name.partition(".")[0], []).append(operation)
    return found


def variants(type: Type) -> list[Object]:
    """The objects that a type of parameters allows."""
    if isinstance(type, Object):
        return [type]
    assert isinstance(type, Union), f"expected an object or a union of objects, got {type}"
    return [one for option in type.options for one in variants(option)]


def tag(one: Object, others: list[Object]) -> str | None:
    """The value of the literal by which an object differs from the others; None when there is none."""
    for name, field in one.fields.items():
        if isinstance(field.type, Literals) and len(field.type.values) == 1:
            values = [other.fields[name].type for other in others if name in other.fields]
            if len(values) == len(others) and len(set(map(repr, values))) == len(others):
                return str(field.type.values[0])
    return None


def read(openapi: dict[str, Any], asyncapi: dict[str, Any], rpc_only: list[dict[str, Any]]) -> Contract:
    """The contract of an OpenAPI document, the AsyncAPI document beside it, and operations that HTTP has not."""
    components: dict[str, Schema] = openapi["components"]["schemas"]
    rows = [(method, row) for path in openapi["paths"].values() for method, row in path.items()]
    operations = [
        _operation(row, components, method)
        for method, row in [*rows, *(("put", row) for row in rpc_only)]
        if row.get("x-klatsch-permission") in _PERMISSIONS
    ]
    types = {name: parse(schema, components) for name, schema in components.items()}
    room = types["Room"]
    assert isinstance(room, Object)
    events = {**components, **asyncapi["components"]["schemas"]}
    common = parse(components["Delta"], components)
    assert isinstance(common, Object)
    deltas = {
        name: _delta(name, common, parse(events[name], events), room)
        for name, row in AUDIENCES.items()
        if row != NOBODY
    }
    deltas["message.posted"] = _posted(deltas["message.posted"], resolved(types["Message"], components), operations)
    about = {name: str(schema.get("description", "")) for name, schema in components.items()}
    used = [operation.params for operation in operations] + [operation.answer or ANY for operation in operations]
    found = reachable([*used, *deltas.values(), *(Ref(name) for name in _ALSO if name in types)], types)
    # `Delta` is what these make of all deltas.
    kept = {name: type for name, type in types.items() if name in found - {"Delta"}}
    return Contract(
        kept, about, tuple(operations), deltas, tuple(openapi["components"]["responses"]),
        room_changes=tuple(name for name in deltas if events[name].get(SETS)), gone=events["Room"].get(GONE, {}),
    )  # fmt: skip


def _operation(row: dict[str, Any], components: dict[str, Schema], method: str) -> RpcMethod:
    fields: dict[str, Schema] = {}
    required: list[str] = []
    keyed, past = False, False
    for parameter in row["parameters"]:
        if "$ref" in parameter:
            keyed |= parameter["$ref"].endswith("/IdempotencyKey")
            past |= parameter["$ref"].endswith("/AsOf")
            continue
        fields[parameter["name"]] = {"description": parameter.get("description", ""), **parameter["schema"]}
        required += [parameter["name"]] if parameter["required"] else []
    if past:
        fields["as_of"] = {"type": "string", "description": _AS_OF}
    own = {"type": "object", "properties": fields, "required": required}
    body = row.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    params = parse(own if body is None else {"allOf": [own, body]}, components)
    good = next(answer for status, answer in row["responses"].items() if status.startswith("2"))
    schema = good.get("content", {}).get("application/json", {}).get("schema")
    answer = None if schema is None else parse(schema, components)
    repeat: Repeat = "read" if method == "get" else "key" if keyed else "never"
    if any("client_id" in one.fields for one in variants(params)):
        repeat = "client_id"
    return RpcMethod(row["operationId"], row["summary"], params, answer, repeat)


def _delta(name: str, common: Object, data: Type, room: Object) -> Object:
    shown = _SHOWN.get(name, lambda whole: whole)(data)
    if name == "room.settings_changed" and shown.fields["settings"].type == Map(ANY):
        # The log keeps what a later version may have set; people see what they see in the room.
        shown = Object({"settings": room.fields["settings"]}, shown.required)
    fields = {"type": Field(Literals((name,)), ""), **{key: one for key, one in common.fields.items() if key != "type"}}
    return Object({**fields, "data": Field(shown, "")}, common.required)


def _posted(delta: Object, message: Type, operations: list[RpcMethod]) -> Object:
    """The delta with content by type, as messages show it, of the types that people send."""
    sent = {
        repr(one.fields["type"].type)
        for operation in operations
        if operation.name == "messages.send"
        for one in variants(operation.params)
    }
    data = delta.fields["data"].type
    assert isinstance(data, Object)
    options = [
        Object({**data.fields, "type": one.fields["type"], "content": one.fields["content"]}, data.required)
        for one in variants(message)
        if "type" in one.fields and repr(one.fields["type"].type) in sent
    ]
    return Object({**delta.fields, "data": Field(union(*options) if options else data, "")}, delta.required)


def _without(*hidden: str) -> Any:
    """Those fields of an event stay in the log."""

    def shown(whole: Type) -> Type:
        assert isinstance(whole, Object)
        fields = {name: field for name, field in whole.fields.items() if name not in hidden}
        return Object(fields, whole.required - set(hidden))

    return shown


def _emotion(whole: Type) -> Type:
    """An emotion that is not shown is told to nobody."""
    assert isinstance(whole, Object)
    emotion = whole.fields["emotion"]
    either = Union((emotion.type, Scalar("null")))
    return Object({**whole.fields, "emotion": Field(either, emotion.about)}, whole.required)


#: Events of which people see less than the log has (``projectors/audience``); a test compares.
_SHOWN: dict[str, Any] = {
    "user.registered": _without("credential", "scopes"),
    "user.password_changed": _without("credential", "was"),
    "user.deactivated": _without("reason"),
    "message.emotion_detected": _emotion,
}
