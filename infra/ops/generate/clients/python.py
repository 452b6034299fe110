"""The contract as Python: typed dicts, which are what JSON gives, and a class of methods for each kind of thing."""

from __future__ import annotations

import json
import keyword
import textwrap
from typing import Any

from infra.ops.generate.clients import naming
from infra.ops.generate.clients.contract import Contract, RpcMethod, groups, pascal
from infra.ops.generate.clients.types import Array, Literals, Map, Object, Ref, Scalar, Type, Union

_HEAD = '''\
"""Made from schemas/openapi.json and schemas/asyncapi.json by `./klatsch schemas`: change those, not this file."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Literal, NotRequired, TypeAlias, TypedDict, Unpack, cast, overload

#: Whatever JSON can say.
Json: TypeAlias = Any
'''
_CALL = """
#: How a call may be sent again without an answer: a read as it is, a change with the same key or client_id, the rest
#: not at all.
Repeat = Literal["read", "key", "client_id", "never"]
#: Sends one call: method, parameters, and how it may be repeated.
Call = Callable[[str, Mapping[str, Any], Repeat], Awaitable[Any]]
"""
_SCALARS = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}


def text(contract: Contract) -> str:
    """The module's text."""
    found = naming.named(contract)
    parts = [_HEAD]
    aliases = []
    for name, type in found.types.items():
        about = found.about.get(name, "")
        if isinstance(type, Object):
            parts.append(_class(name, type, about))
        else:
            # In quotes: what it names may stand behind it.
            aliases.append(f'{_comment(about)}{name}: TypeAlias = "{_expression(type, chr(39))}"\n')
    codes = "".join(f'    "{code}",\n' for code in contract.problems)
    parts += [
        "\n".join(aliases),
        f"#: Codes of problems; a newer server may have more.\nProblemCode = Literal[\n{codes}]\n",
    ]
    return "\n".join(parts) + _tables(contract) + _CALL + _rpc(contract, found.types)


def _tables(contract: Contract) -> str:
    """What a fold need not say by hand."""
    found = ""
    if contract.room_changes:
        rows = "".join(f'    "{name}",\n' for name in contract.room_changes)
        found += f"{_comment(naming.CHANGES_ABOUT)}ROOM_CHANGES: tuple[{naming.ROOM_CHANGE}, ...] = (\n{rows})\n"
    if contract.gone:
        rows = "".join(f'    "{name}": {_literal(value)},\n' for name, value in contract.gone.items())
        found += f"{_comment(naming.GONE_ABOUT)}GONE: {naming.GONE_ROOM} = {{\n{rows}}}\n"
    return found


def _literal(value: Any) -> str:
    """A value of JSON, with the quotes that this code has."""
    if isinstance(value, dict):
        return "{" + ", ".join(f'"{name}": {_literal(one)}' for name, one in value.items()) + "}"
    return json.dumps(value) if isinstance(value, str) else repr(value)


def _class(name: str, type: Object, about: str) -> str:
    lines = []
    for key, field in type.fields.items():
        assert key.isidentifier() and not keyword.iskeyword(key), f"{name}: {key!r} is no name for a member in Python"
        shape = _expression(field.type)
        lines.append(_comment(field.about, "    "))
        lines.append(f"    {key}: {shape if key in type.required else f'NotRequired[{shape}]'}\n")
    words = f'    """{about}"""\n' if about and len(about) < 100 else ""
    body = "".join(lines) or "    pass\n"
    return f"{_comment(about) if not words else ''}class {name}(TypedDict):\n{words}{body}"


def _expression(type: Type, quote: str = '"') -> str:
    if isinstance(type, Ref):
        return type.name
    if isinstance(type, Literals):
        return f"Literal[{', '.join(_value(value, quote) for value in type.values)}]"
    if isinstance(type, Scalar):
        return _SCALARS.get(type.name, "Json")
    if isinstance(type, Array):
        return f"list[{_expression(type.item, quote)}]"
    if isinstance(type, Map):
        return f"dict[str, {_expression(type.value, quote)}]"
    assert isinstance(type, Union), f"expected objects by name, got {type}"
    return " | ".join(_expression(option, quote) for option in type.options)


def _value(value: object, quote: str) -> str:
    return f"{quote}{value}{quote}" if isinstance(value, str) else repr(value)


def _comment(words: str, indent: str = "") -> str:
    if not words:
        return ""
    return "".join(f"{indent}#: {line}\n" for line in textwrap.wrap(words, 110))


def _rpc(contract: Contract, types: dict[str, Type]) -> str:
    classes, lines = [], []
    for group, operations in groups(contract).items():
        name = f"{pascal(group)}Rpc"
        methods = "\n".join(_method(operation, types) for operation in operations)
        start = "    def __init__(self, call: Call) -> None:\n        self._call = call\n"
        classes.append(f"\n\nclass {name}:\n{start}\n{methods}")
        lines.append(f"        self.{_safe(group)} = {name}(call)\n")
    words = '    """Every operation, by its name: ``rpc.messages.send(...)``. Each raises Problem."""\n'
    return "".join(classes) + f"\n\nclass Rpc:\n{words}\n    def __init__(self, call: Call) -> None:\n{''.join(lines)}"


def _safe(name: str) -> str:
    return f"{name}_" if keyword.iskeyword(name) else name


def _method(operation: RpcMethod, types: dict[str, Type]) -> str:
    name, params = _safe(operation.name.partition(".")[2]), naming.params(operation)
    answer = "None" if operation.answer is None else naming.answer(operation)
    type = types[params]
    found = []
    given = f"**params: Unpack[{params}]"
    if isinstance(type, Union):
        # A method for each of the shapes that the parameters may have.
        for option in type.options:
            assert isinstance(option, Ref), f"{operation.name}: expected shapes by name, got {option}"
            found.append(
                f"    @overload\n    async def {name}(self, **params: Unpack[{option.name}]) -> {answer}: ...\n\n"
            )
        given = "**params: Any"
    call = f'await self._call("{operation.name}", params, "{operation.repeat}")'
    result = f"        {call}\n" if operation.answer is None else f"        return cast({answer}, {call})\n"
    about = operation.about.replace("\\", "\\\\")
    found.append(f'    async def {name}(self, {given}) -> {answer}:\n        """{about}."""\n{result}')
    return "".join(found)
