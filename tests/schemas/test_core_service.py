"""The proto that is served is the one that S1 has: services, methods, messages, fields, numbers and types.
Tests ``schemas/proto/core_service.proto``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from google.protobuf.descriptor import FieldDescriptor, ServiceDescriptor

from push.relay import core_service_pb2 as served

#: The block of the requirement document, as it stands there.
SEED = (Path(__file__).parent / "s1.proto").read_text(encoding="utf-8")
_TYPES = {
    FieldDescriptor.TYPE_STRING: "string", FieldDescriptor.TYPE_UINT32: "uint32", FieldDescriptor.TYPE_UINT64: "uint64",
    FieldDescriptor.TYPE_BYTES: "bytes",
}  # fmt: skip


class Declared(NamedTuple):
    """A block of the seed: ``message``, ``enum`` or ``service``, and its statements without comments."""

    kind: str
    name: str
    body: str


def declared() -> Iterator[Declared]:
    text = re.sub(r"//.*", "", SEED)
    for kind, name, body in re.findall(r"(message|enum|service)\s+(\w+)\s*{(.*?)}", text, re.DOTALL):
        yield Declared(kind, name, body)


def of_kind(kind: str) -> dict[str, str]:
    return {one.name: one.body for one in declared() if one.kind == kind}


def type_of(field: FieldDescriptor) -> str:
    message = field.message_type
    if message is not None and message.GetOptions().map_entry:
        key, value = message.fields_by_name["key"], message.fields_by_name["value"]
        return f"map<{type_of(key)}, {type_of(value)}>"
    name = message.name if message is not None else _TYPES[field.type]
    return f"repeated {name}" if field.is_repeated else name


def test_the_seed_has_something_of_each_kind() -> None:
    assert {kind: len(of_kind(kind)) for kind in ("message", "enum", "service")} == {
        "message": 11, "enum": 1, "service": 3,
    }  # fmt: skip


def test_messages_are_those_of_the_seed() -> None:
    assert set(of_kind("message")) == set(served.DESCRIPTOR.message_types_by_name)


@pytest.mark.parametrize("name", of_kind("message"))
def test_fields_are_those_of_the_seed(name: str) -> None:
    wanted = re.findall(r"((?:repeated\s+)?(?:map<.*?>|\w+))\s+(\w+)\s*=\s*(\d+)\s*;", of_kind("message")[name])
    assert wanted and len(wanted) == of_kind("message")[name].count(";")
    fields = served.DESCRIPTOR.message_types_by_name[name].fields
    assert [(type_of(one), one.name, str(one.number)) for one in fields] == [
        (re.sub(r"\s+", " ", type), field, number) for type, field, number in wanted
    ]


def test_the_values_of_the_enum_are_those_of_the_seed() -> None:
    ((name, body),) = of_kind("enum").items()
    values = served.DESCRIPTOR.enum_types_by_name[name].values
    assert [(one.name, str(one.number)) for one in values] == re.findall(r"(\w+)\s*=\s*(\d+)\s*;", body)


def test_services_are_those_of_the_seed() -> None:
    assert set(of_kind("service")) == set(served.DESCRIPTOR.services_by_name)


@pytest.mark.parametrize("name", of_kind("service"))
def test_methods_are_those_of_the_seed(name: str) -> None:
    wanted = re.findall(
        r"rpc\s+(\w+)\s*\(\s*(stream\s+)?([\w.]+)\s*\)\s*returns\s*\(\s*(stream\s+)?([\w.]+)\s*\)",
        of_kind("service")[name],
    )
    assert len(wanted) == of_kind("service")[name].count("rpc ")
    service: ServiceDescriptor = served.DESCRIPTOR.services_by_name[name]
    # No package: the path of a method begins with the bare name of its service.
    assert service.full_name == name
    assert [
        (one.name, one.client_streaming, one.input_type.full_name, one.server_streaming, one.output_type.full_name)
        for one in service.methods
    ] == [(method, bool(sends), taken, bool(gives), given) for method, sends, taken, gives, given in wanted]
