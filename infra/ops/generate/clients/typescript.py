"""The contract as TypeScript."""

from __future__ import annotations

import json
import textwrap

from infra.ops.generate.clients import javascript, naming
from infra.ops.generate.clients.contract import Contract, RpcMethod, groups, pascal, variants
from infra.ops.generate.clients.types import Array, Literals, Map, Object, Ref, Scalar, Type, Union

_HEAD = """\
// Made from schemas/openapi.json and schemas/asyncapi.json by `./klatsch schemas`: change those, not this file.

/** Whatever JSON can say. */
export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };
"""
_CALL = """
/** How a call may be sent again without an answer: a read as it is, a change with its key, the rest not at all. */
export type Repeat = "read" | "key" | "client_id" | "never";

/** Sends one call. What `makeRpc` is given decides how. */
export type Call = <T>(method: string, params: object, repeat: Repeat) => Promise<T>;
"""
_SCALARS = {"string": "string", "integer": "number", "number": "number", "boolean": "boolean", "null": "null"}


def text(contract: Contract) -> str:
    """The module's text."""
    found = naming.named(contract)
    parts = [_HEAD]
    for name, type in found.types.items():
        parts.append(_about(found.about.get(name, "")) + _definition(name, type))
    codes = " |\n  ".join(json.dumps(code) for code in contract.problems)
    parts.append(f"/** Codes of problems; a newer server may have more. */\nexport type ProblemCode =\n  {codes};\n")
    tables = javascript.tables(contract, f": readonly {naming.ROOM_CHANGE}[]", f": Readonly<{naming.GONE_ROOM}>")
    return "\n".join(parts) + tables + _CALL + _rpc(contract)


def _definition(name: str, type: Type) -> str:
    if not isinstance(type, Object):
        text = _expression(type)
        if len(text) > 100:
            text = (
                "".join(f"\n  | {_expression(option)}" for option in type.options) if isinstance(type, Union) else text
            )
        return f"export type {name} = {text};\n"
    if not type.fields:
        return f"export type {name} = Record<string, never>;\n"
    lines = []
    for key, field in type.fields.items():
        lines.append(textwrap.indent(_about(field.about), "  "))
        # Marked members of an answer may be missing; of parameters they may be left out.
        lines.append(f"  {_key(key)}{'' if key in type.required else '?'}: {_expression(field.type)};\n")
    # A type, not an interface: only the former fits where any object of JSON does.
    return f"export type {name} = {{\n{''.join(lines)}}};\n"


def _expression(type: Type) -> str:
    if isinstance(type, Ref):
        return type.name
    if isinstance(type, Literals):
        return " | ".join(json.dumps(value, ensure_ascii=False) for value in type.values)
    if isinstance(type, Scalar):
        return _SCALARS.get(type.name, "Json")
    if isinstance(type, Array):
        inner = _expression(type.item)
        return f"({inner})[]" if " | " in inner else f"{inner}[]"
    if isinstance(type, Map):
        return f"{{ [name: string]: {_expression(type.value)} }}"
    assert isinstance(type, Union), f"expected objects by name, got {type}"
    return " | ".join(_expression(option) for option in type.options)


def _about(words: str) -> str:
    """A comment, or nothing."""
    if not words:
        return ""
    lines = textwrap.wrap(words.replace("*/", "* /"), 110)
    if len(lines) == 1:
        return f"/** {lines[0]} */\n"
    return "/**\n" + "".join(f" * {line}\n" for line in lines) + " */\n"


def _key(name: str) -> str:
    return name if name.isidentifier() else json.dumps(name)


def _camel(name: str) -> str:
    word = pascal(name)
    return word[0].lower() + word[1:]


def _rpc(contract: Contract) -> str:
    types, values = [], []
    for group, operations in groups(contract).items():
        types.append(f"  {group}: {{\n" + "".join(map(_method, operations)) + "  };\n")
        values.append(f"    {group}: {{\n" + "".join(map(_value, operations)) + "    },\n")
    return (
        f"\n/** Every operation, by its name: `rpc.messages.send(...)`. Each rejects with a `Problem`. */\n"
        f"export type Rpc = {{\n{''.join(types)}}};\n\n"
        f"export function makeRpc(call: Call): Rpc {{\n  return {{\n{''.join(values)}  }};\n}}\n"
    )


def _verb(operation: RpcMethod) -> str:
    return _camel(operation.name.partition(".")[2])


def _method(operation: RpcMethod) -> str:
    mark = "" if any(one.required for one in variants(operation.params)) else "?"
    answer = "void" if operation.answer is None else naming.answer(operation)
    about = textwrap.indent(_about(operation.about), "    ")
    return f"{about}    {_verb(operation)}(params{mark}: {naming.params(operation)}): Promise<{answer}>;\n"


def _value(operation: RpcMethod) -> str:
    given = "params" if any(one.required for one in variants(operation.params)) else "params = {}"
    call = f'call("{operation.name}", params, "{operation.repeat}")'
    return f"      {_verb(operation)}: ({given}) => {call},\n"
