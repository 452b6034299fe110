"""Names for every object of a contract: languages want nested objects by name, and the same one once."""

from __future__ import annotations

from typing import NamedTuple

from infra.ops.generate.clients.contract import Contract, RpcMethod, pascal, tag
from infra.ops.generate.clients.types import Array, Field, Literals, Map, Object, Ref, Type, Union, union

#: An object without members.
NOTHING = "Nothing"
#: Types of the two tables for folds, and what is said of those.
ROOM_CHANGE, GONE_ROOM = "RoomChange", "GoneRoom"
CHANGES_ABOUT = "Types of deltas that set members of their room: each becomes what `data` says."
GONE_ABOUT = "What a deleted room shows besides its id, type, state and times."


class NamedTypes(NamedTuple):
    """Types by name, in an order in which each stands after those of its members where that is possible.

    Members of objects hold no objects, only their names.
    """

    types: dict[str, Type]
    about: dict[str, str]


def params(operation: RpcMethod) -> str:
    return operation.type_name


def answer(operation: RpcMethod) -> str:
    return f"{operation.type_name}Answer"


def delta(type: str) -> str:
    return f"{pascal(type)}Delta"


def named(contract: Contract) -> NamedTypes:
    """Names and types of all that a contract holds."""
    names = _Names()
    for name, type in contract.types.items():
        names.define(name, type, contract.about.get(name, ""))
    for operation in contract.operations:
        names.define(params(operation), operation.params, f"What `{operation.name}` takes.")
        if operation.answer is not None:
            names.define(answer(operation), operation.answer, f"What `{operation.name}` answers.")
    for shape in list(contract.deltas.values())[:1]:
        # The same in each, so it has no delta's name.
        names.define("DeltaInclude", shape.fields["include"].type, shape.fields["include"].about)
    for type_name, shape in contract.deltas.items():
        names.define(delta(type_name), shape, "")
    names.define("Delta", Union(tuple(Ref(delta(one)) for one in contract.deltas)), "What a client receives.")
    if contract.room_changes:
        names.define(ROOM_CHANGE, Literals(contract.room_changes), "Type of a delta in `ROOM_CHANGES`.")
    if contract.gone:
        room = contract.types["Room"]
        assert isinstance(room, Object)
        fields = {name: Field(room.fields[name].type, "") for name in contract.gone}
        names.define(GONE_ROOM, Object(fields, frozenset(fields)), GONE_ABOUT)
    return NamedTypes(names.types, names.about)


class _Names:
    def __init__(self) -> None:
        self.types: dict[str, Type] = {}
        self.about: dict[str, str] = {}
        self._known: dict[str, str] = {}

    def define(self, name: str, type: Type, about: str) -> None:
        assert name not in self.types, f"expected one type of the name {name}, got two"
        if isinstance(type, Object):
            lifted: Type = self._members(name, type)
            self._known.setdefault(_shape(type), name)
        else:
            lifted = self._lifted(name, type)
        self.types[name] = lifted
        if about:
            self.about[name] = about

    def _members(self, name: str, type: Object) -> Object:
        fields = {
            key: Field(self._lifted(name + pascal(key), field.type), field.about) for key, field in type.fields.items()
        }
        return Object(fields, type.required)

    def _lifted(self, name: str, type: Type) -> Type:
        """The type with names in place of objects; ``name``: what the first one is called."""
        if isinstance(type, Object):
            if not type.fields:
                name = NOTHING
                if name not in self.types:
                    self.types[name] = type
                return Ref(name)
            shape = _shape(type)
            if shape not in self._known:
                self.define(name, type, "")
            return Ref(self._known[shape])
        if isinstance(type, Array):
            return Array(self._lifted(name, type.item))
        if isinstance(type, Map):
            return Map(self._lifted(name, type.value))
        if isinstance(type, Union):
            return self._union(name, type)
        return type

    def _union(self, name: str, type: Union) -> Type:
        objects = [one for one in type.options if isinstance(one, Object)]
        found: list[Type] = []
        for one in type.options:
            if isinstance(one, Object) and len(objects) > 1:
                suffix = tag(one, objects)
                found.append(self._lifted(name + (pascal(suffix) if suffix else str(len(found) + 1)), one))
            else:
                found.append(self._lifted(name, one))
        return union(*found)


def _shape(type: Object) -> str:
    """The same text for objects of the same members, whatever is said about them."""
    fields = sorted((name, repr(_bare(field.type))) for name, field in type.fields.items())
    return repr((fields, sorted(type.required & type.fields.keys())))


def _bare(type: Type) -> Type:
    if isinstance(type, Object):
        return Object({name: Field(_bare(one.type), "") for name, one in type.fields.items()}, type.required)
    if isinstance(type, Array):
        return Array(_bare(type.item))
    if isinstance(type, Map):
        return Map(_bare(type.value))
    if isinstance(type, Union):
        return Union(tuple(map(_bare, type.options)))
    return type
