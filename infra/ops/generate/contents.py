"""What messages hold, by their type: as they are sent, and as they are read. Type and content belong together."""

from __future__ import annotations

from typing import Any

import msgspec

from api.messages import SendMessageRequest
from infra.ops.generate import shapes
from infra.ops.generate.shapes import Schema
from producers.messages import CONTENT, FileContent, ImageContent, TextContent

#: What a message of a type is about, for the description of its schema.
_ABOUT = {
    "text": "A text.",
    "action": 'What its author does: "/me waves".',
    "image": "An image that is stored elsewhere.",
    "file": "A file that is stored elsewhere.",
    "custom": "Any JSON object, for clients that know it.",
    "join": "Somebody came into the room: made by the server.",
    "leave": "Somebody left the room, or was removed: made by the server.",
    "system": "Something else that happened in the room: made by the server.",
}
_STRUCTS: dict[type[Any], str] = {TextContent: "Text", ImageContent: "Image", FileContent: "File"}
_USER: Schema = {"type": "string", "description": "Whom it is about: a user id."}
_MADE: dict[str, Schema] = {
    "Member": {"user": _USER},
    "Event": {
        "event": {"type": "string", "enum": ["role_changed"]},
        "user": _USER,
        "role": {"type": "string", "enum": ["owner", "admin", "member"], "description": "Of the user from here on."},
    },
}
#: Content as it is read, by the type of the message that has it.
_READ = {
    **{type_: "Custom" if struct is None else _STRUCTS[struct] for type_, struct in CONTENT.items()},
    "join": "Member", "leave": "Member", "system": "Event",
}  # fmt: skip


#: The type of a message that does not say what it is.
_UNSAID = next(field.default for field in msgspec.structs.fields(SendMessageRequest) if field.name == "type")


def reference(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def contents() -> dict[str, Schema]:
    """What is sent, by name: ``TextContent``. Members that it does not name are refused."""
    return {
        **{f"{name}Content": shapes.of_struct(struct) for struct, name in _STRUCTS.items()},
        "CustomContent": {"type": "object", "description": _ABOUT["custom"], "additionalProperties": True},
    }


def shown() -> dict[str, Schema]:
    """What is read, by name: ``ShownText``. It has no members where the message was deleted."""
    found = {f"Shown{name}": _emptied(contents()[f"{name}Content"]["properties"]) for name in _STRUCTS.values()}
    made = {f"Shown{name}": _emptied(properties) for name, properties in _MADE.items()}
    return {**found, "ShownCustom": contents()["CustomContent"], **made}


def _emptied(properties: dict[str, Schema]) -> Schema:
    plain = {name: {key: value for key, value in one.items() if key != "default"} for name, one in properties.items()}
    return {"type": "object", "description": "Without members: the message was deleted.", "properties": plain}


def messages(view: Schema) -> dict[str, Schema]:
    """``Message`` and one schema for each type, from the view of all."""
    names = {type_: f"{type_.capitalize()}Message" for type_ in _READ}
    found = {
        names[type_]: {
            **view,
            "description": _ABOUT[type_],
            "properties": {**view["properties"], "type": only(type_), "content": reference(f"Shown{content}")},
        }
        for type_, content in _READ.items()
    }
    return {"Message": {"description": view["description"], **_one_of(names)}, **found}


def sends(fields: dict[str, Schema], required: list[str]) -> dict[str, Schema]:
    """``SendMessage`` and one schema for each type, from the members of the body."""
    names = {type_: f"Send{type_.capitalize()}" for type_ in CONTENT}
    found = {}
    for type_, name in names.items():
        content = reference(f"{_READ[type_]}Content")
        # A text needs not say that it is one.
        plain = {"default": type_} if type_ == _UNSAID else {}
        found[name] = {
            "type": "object",
            "description": _ABOUT[type_],
            "properties": {**fields, "type": {**only(type_), **plain}, "content": content},
            "required": required if plain else [*required, "type"],
            "additionalProperties": False,
        }
    return {"SendMessage": _one_of(names), **found}


def only(value: str) -> Schema:
    """One text and no other, as all generators understand it."""
    return {"type": "string", "enum": [value]}


def _one_of(names: dict[str, str]) -> Schema:
    mapping = {type_: reference(name)["$ref"] for type_, name in names.items()}
    return {
        "oneOf": [reference(name) for name in names.values()],
        "discriminator": {"propertyName": "type", "mapping": mapping},
    }
