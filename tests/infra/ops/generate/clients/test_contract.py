"""What the clients' types are made from: schemas with alternatives, references and literals. Pure."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

from events.rooms import SETTERS
from infra.ops.generate import ROOT
from infra.ops.generate.clients import javascript, python, typescript
from infra.ops.generate.clients.contract import Contract, RpcMethod, read, tag, variants
from infra.ops.generate.clients.types import ANY, Array, Literals, Map, Object, Ref, Scalar, Union, parse
from projectors.audience import AUDIENCES
from projectors.views.rooms import GONE

TEXT: dict[str, Any] = {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}
IMAGE: dict[str, Any] = {"type": "object", "properties": {"url": {"type": "string"}}, "required": ["url"]}


def of_type(name: str, content: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": {"type": {"const": name}, "content": content}, "required": ["type"]}


#: What is common beside the alternatives.
MESSAGE: dict[str, Any] = {
    "type": "object",
    "properties": {"room": {"type": "string"}, "type": {"type": "string"}, "content": {"type": "object"}},
    "required": ["room", "content"],
    "oneOf": [of_type("text", TEXT), of_type("image", IMAGE)],
    "discriminator": {"propertyName": "type"},
}
EMPTY: dict[str, Any] = {"openapi": "3.1.1", "paths": {}, "components": {"schemas": {}, "responses": {}}}


def test_plain_types() -> None:
    assert parse({"enum": ["a", 1, None]}, {}) == Literals(("a", 1, None))
    assert parse({"const": True}, {}) == Literals((True,))
    assert parse({"type": ["string", "null"]}, {}) == Union((Scalar("string"), Scalar("null")))
    assert parse({"anyOf": [{"type": "integer"}, {"type": "null"}]}, {}) == Union((Scalar("integer"), Scalar("null")))
    assert parse({"type": "array", "items": {"$ref": "#/components/schemas/User"}}, {}) == Array(Ref("User"))
    assert parse({"type": "object", "additionalProperties": {"type": "string"}}, {}) == Map(Scalar("string"))
    assert parse({"type": "object"}, {}) == Map(ANY) and parse({}, {}) == ANY
    assert parse({"description": "Words alone say nothing."}, {}) == ANY


def test_alternatives_beside_what_is_common_are_whole_objects() -> None:
    text, image = variants(parse(MESSAGE, {}))
    assert text.required == {"room", "content", "type"} and list(text.fields) == ["room", "type", "content"]
    assert text.fields["type"].type == Literals(("text",)) and image.fields["type"].type == Literals(("image",))
    content = image.fields["content"].type
    assert isinstance(content, Object) and content.required == {"url"}
    assert [tag(one, [text, image]) for one in (text, image)] == ["text", "image"]


def test_alternatives_by_reference_are_merged_where_they_stand_in_an_all_of() -> None:
    components = {"Text": of_type("text", TEXT), "Image": of_type("image", IMAGE)}
    common = {"type": "object", "properties": {"room": {"type": "string"}}, "required": ["room"]}
    options = {"oneOf": [{"$ref": f"#/components/schemas/{name}"} for name in components]}
    assert parse(options, components) == Union((Ref("Text"), Ref("Image")))
    merged = variants(parse({"allOf": [common, options]}, components))
    assert [sorted(one.fields) for one in merged] == [["content", "room", "type"]] * 2


def contract(**types: dict[str, Any]) -> Contract:
    sent = RpcMethod("messages.send", "Say something", parse(MESSAGE, {}), None, "client_id")
    read = {name: parse(schema, types) for name, schema in types.items()}
    delta = parse({"type": "object", "properties": {"include": {"type": "object"}}}, {})
    assert isinstance(delta, Object)
    return Contract(read, {}, (sent,), {"message.posted": delta}, ("not_found",))


def test_a_union_of_parameters_in_typescript() -> None:
    made = typescript.text(contract(Message=MESSAGE))
    assert "export type Message = MessageText | MessageImage;" in made
    # The same shapes have one name.
    assert "export type MessagesSend = MessageText | MessageImage;" in made
    assert '  type: "text";' in made and "  content: MessageTextContent;" in made
    assert "send(params: MessagesSend): Promise<void>;" in made
    assert 'send: (params) => call("messages.send", params, "client_id"),' in made


def test_a_union_of_parameters_in_python_is_a_method_for_each() -> None:
    made = python.text(contract(Message=MESSAGE))
    assert 'Message: TypeAlias = "MessageText | MessageImage"' in made
    assert "async def send(self, **params: Unpack[MessageText]) -> None: ..." in made
    assert "async def send(self, **params: Unpack[MessageImage]) -> None: ..." in made
    compile(made, "contract.py", "exec")


def test_each_client_has_what_a_fold_need_not_say_by_hand(tmp_path: Path) -> None:
    room = {
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "motto": {"type": ["string", "null"]},
            "settings": {"type": "object"},
        },
    }
    gone = {"name": "", "motto": None, "settings": {"posting": "members", "at": [1, True]}}
    given = contract(Room=room)._replace(room_changes=("room.renamed", "room.motto_set"), gone=gone)
    script = tmp_path / "contract.mjs"
    script.write_text(f"{javascript.text(given)}console.log(JSON.stringify([ROOM_CHANGES, GONE]));\n")
    if node := shutil.which("node"):
        done = subprocess.run([node, str(script)], capture_output=True, text=True, timeout=60, check=True)
        assert json.loads(done.stdout) == [list(given.room_changes), gone]
    module: dict[str, Any] = {}
    exec(compile(python.text(given), "contract.py", "exec"), module)
    assert (module["ROOM_CHANGES"], module["GONE"]) == (given.room_changes, gone)
    typed = typescript.text(given)
    assert 'export type RoomChange = "room.renamed" | "room.motto_set";' in typed
    assert 'export const ROOM_CHANGES: readonly RoomChange[] = [\n  "room.renamed",\n  "room.motto_set",\n];' in typed
    assert 'export const GONE: Readonly<GoneRoom> = {\n  name: "",\n  motto: null,\n' in typed
    assert "export type GoneRoom = {\n  name: string;\n  motto: string | null;\n" in typed


def test_what_sets_fields_of_a_room_and_what_a_deleted_one_shows_is_read_from_the_contract() -> None:
    openapi, asyncapi = (
        json.loads((ROOT / "schemas" / f"{name}.json").read_text()) for name in ("openapi", "asyncapi")
    )
    found = read(openapi, asyncapi, [])
    assert found.room_changes == tuple(row.name for row in SETTERS) and found.gone == GONE
    schemas = asyncapi["components"]["schemas"]
    assert {name: one["x-klatsch-sets"] for name, one in schemas.items() if "x-klatsch-sets" in one} == {
        row.name: list(row.sets) for row in SETTERS
    }
    del schemas["room.renamed"]["x-klatsch-sets"], schemas["Room"]["x-klatsch-gone"]["pins"]
    less = read(openapi, asyncapi, [])
    assert less.room_changes == found.room_changes[1:]
    assert less.gone == {name: value for name, value in GONE.items() if name != "pins"}


def test_the_past_keys_and_path_are_parameters() -> None:
    reference = "#/components/parameters/"
    path = {"name": "room", "in": "path", "required": True, "schema": {"type": "string"}}
    answer = {"200": {"content": {"application/json": {"schema": {"type": "object", "properties": {}}}}}}
    common = {"x-klatsch-permission": "user", "summary": "", "responses": answer}
    paths = {
        "/one": {
            "get": {"operationId": "rooms.get", "parameters": [path, {"$ref": reference + "AsOf"}], **common},
            "put": {"operationId": "rooms.set", "parameters": [path, {"$ref": reference + "IdempotencyKey"}], **common},
            "post": {"operationId": "rooms.say", "parameters": [path], **common},
            "delete": {"operationId": "console.x", "parameters": [path], **common, "x-klatsch-permission": "operator"},
        }
    }
    room = {"type": "object", "properties": {"settings": {"type": "object"}}}
    delta = {"type": "object", "properties": {"include": {"type": "object"}}, "required": []}
    event: dict[str, Any] = {"type": "object", "properties": {"emotion": {}, "settings": {"type": "object"}}}
    schemas = {"Room": room, "Delta": delta, "Message": MESSAGE}
    found = read(
        {**EMPTY, "paths": paths, "components": {"schemas": schemas, "responses": {}}},
        {"components": {"schemas": dict.fromkeys(AUDIENCES, event)}},
        [],
    )
    assert [(one.name, one.repeat) for one in found.operations] == [
        ("rooms.get", "read"), ("rooms.set", "key"), ("rooms.say", "never"),
    ]  # fmt: skip
    (params,) = variants(found.operations[0].params)
    assert list(params.fields) == ["room", "as_of"] and params.required == {"room"}


def test_what_was_posted_is_typed_as_what_is_sent() -> None:
    openapi, asyncapi = (
        json.loads((ROOT / "schemas" / f"{name}.json").read_text()) for name in ("openapi", "asyncapi")
    )
    found = read(openapi, asyncapi, [])
    posted = variants(found.deltas["message.posted"].fields["data"].type)
    assert [tag(one, posted) for one in posted] == ["text", "action", "image", "file", "custom"]
    assert posted[0].fields["content"].type == Ref("ShownText")
