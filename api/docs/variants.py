"""Kinds of one thing as people read them: one table, whose members say what they are in each kind."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]


def merged(document: Schema) -> Schema:
    """The document with every ``oneOf`` that a member tells apart (``discriminator``) as one object."""
    schemas = document["components"]["schemas"]
    whole = {name: _whole(schema, schemas) for name, schema in schemas.items() if "discriminator" in schema}
    kinds = {_name(one) for name in whole for one in schemas[name]["oneOf"]}
    bodies = {name for name in whole if any(_body(one) == _to(name) for one in _operations(document))}
    for operation in _operations(document):
        if (found := _body(operation)) is not None and _name(found) in bodies:
            operation["requestBody"]["content"]["application/json"]["schema"] = whole[_name(found)]
    kept = {name: whole.get(name, one) for name, one in schemas.items() if name not in kinds and name not in bodies}
    return {**document, "components": {**document["components"], "schemas": kept}}


def _operations(document: Schema) -> list[Schema]:
    return [operation for methods in document["paths"].values() for operation in methods.values()]


def _body(operation: Schema) -> Schema | None:
    schema: Schema = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    return schema if "$ref" in schema else None


def _to(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _name(schema: Schema) -> str:
    return str(schema["$ref"]).rpartition("/")[2]


def _whole(schema: Schema, schemas: dict[str, Schema]) -> Schema:
    kinds = [schemas[_name(one)] for one in schema["oneOf"]]
    properties = {
        name: _either([kind["properties"][name] for kind in kinds if name in kind["properties"]])
        for kind in kinds
        for name in kind["properties"]
    }
    required = [name for name in kinds[0]["required"] if all(name in kind["required"] for kind in kinds)]
    about = {"description": schema["description"]} if "description" in schema else {}
    return {**about, "type": "object", "properties": properties, "required": required}


def _either(options: list[Schema]) -> Schema:
    """What a member is in some kind or other."""
    different = [one for n, one in enumerate(options) if one not in options[:n]]
    if len(different) == 1:
        return different[0]
    words = next((one["description"] for one in options if "description" in one), None)
    about = {} if words is None else {"description": words}
    if all("enum" in one for one in different):
        return {**about, "type": "string", "enum": [value for one in different for value in one["enum"]]}
    return {**about, "anyOf": different}
