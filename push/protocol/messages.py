"""The messages of the Centrifuge client protocol in protobuf, as far as this server reads or writes them. Pure.

Names and numbers are the protocol's; what is not here is skipped when it comes, as protobuf has it. The table makes
the classes, and ``schemas/push.proto`` for those who write a client.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from google.protobuf import descriptor_pool, message_factory
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto

PACKAGE = "klatsch.push"


class MessageField(NamedTuple):
    """A field. Its type is a scalar, a message, ``repeated`` and one of these, ``optional`` and a scalar, or a map."""

    number: int
    name: str
    type: str


def _fields(*lines: str) -> tuple[MessageField, ...]:
    """Each ``type name = number``."""
    found = []
    for line in lines:
        left, _, number = line.partition(" = ")
        type, _, name = left.rpartition(" ")
        found.append(MessageField(int(number), name, type))
    return tuple(found)


_PLACE = ("string epoch = 6", "uint64 offset = 7")
_LIFE = ("string client = 1", "string version = 2", "bool expires = 3", "uint32 ttl = 4")

#: By message: what a line of the reference says of it, and its fields.
MESSAGES: dict[str, tuple[str, tuple[MessageField, ...]]] = {
    "Command": (
        "From a client. Exactly one method is present; in a pong there is nothing.",
        _fields(
            "uint32 id = 1",
            "ConnectRequest connect = 4",
            "SubscribeRequest subscribe = 5",
            "ChannelRequest unsubscribe = 6",
            "Nothing publish = 7",
            "ChannelRequest presence = 8",
            "ChannelRequest presence_stats = 9",
            "HistoryRequest history = 10",
            "Nothing ping = 11",
            "SendRequest send = 12",
            "RpcRequest rpc = 13",
            "RefreshRequest refresh = 14",
            "ChannelRequest sub_refresh = 15",
        ),
    ),
    "Reply": (
        "From the server: the result or the error of the command with this id, or a push. In a ping there is nothing.",
        _fields(
            "uint32 id = 1",
            "Error error = 2",
            "Push push = 4",
            "ConnectResult connect = 5",
            "SubscribeResult subscribe = 6",
            "Nothing unsubscribe = 7",
            "PresenceResult presence = 9",
            "PresenceStatsResult presence_stats = 10",
            "HistoryResult history = 11",
            "Nothing ping = 12",
            "RpcResult rpc = 13",
            "RefreshResult refresh = 14",
            "Nothing sub_refresh = 15",
        ),
    ),
    "Error": (
        "`problem` is the problem document, JSON: a field of this server, which SDKs skip.",
        _fields("uint32 code = 1", "string message = 2", "bool temporary = 3", "bytes problem = 1000"),
    ),
    "Push": ("What nobody asked for.", _fields("string channel = 2", "Publication pub = 4")),
    "Publication": ("A delta, as JSON; without an offset a signal.", _fields("bytes data = 4", "uint64 offset = 6")),
    "ConnectRequest": (
        "`data` is JSON.",
        _fields("string token = 1", "bytes data = 2", "map<string, SubscribeRequest> subs = 3"),
    ),
    "ConnectResult": (
        "`data` is JSON.",
        _fields(
            *_LIFE, "bytes data = 5", "map<string, SubscribeResult> subs = 6", "uint32 ping = 7", "bool pong = 8"
        ),
    ),
    "SubscribeRequest": (
        "`flag` 2: error 112 instead of a lost place. `tf` and a `type` other than 0 are refused.",
        _fields(
            "string channel = 1", "bool recover = 3", *_PLACE, "optional bytes tf = 13", "int64 flag = 14",
            "int32 type = 15",
        ),
    ),
    "SubscribeResult": (
        "Where the stream goes on.",
        _fields(
            "bool recoverable = 3", "string epoch = 6", "bool recovered = 8", "uint64 offset = 9",
            "bool positioned = 10", "bool was_recovering = 12",
        ),
    ),
    "ChannelRequest": ("Of commands that only name a channel.", _fields("string channel = 1")),
    "StreamPosition": ("A place in the stream.", _fields("uint64 offset = 1", "string epoch = 2")),
    "HistoryRequest": (
        "`limit` 0: only the end of the stream; -1: as many as there may be.",
        _fields("string channel = 1", "int32 limit = 7", "StreamPosition since = 8", "bool reverse = 9"),
    ),
    "HistoryResult": (
        "Oldest first.",
        _fields("repeated Publication publications = 1", "string epoch = 2", "uint64 offset = 3"),
    ),
    "ClientInfo": ("One connection.", _fields("string user = 1", "string client = 2")),
    "PresenceResult": ("By client id.", _fields("map<string, ClientInfo> presence = 1")),
    "PresenceStatsResult": ("How many.", _fields("uint32 num_clients = 1", "uint32 num_users = 2")),
    "RpcRequest": ("`data` is JSON.", _fields("bytes data = 1", "string method = 2")),
    "RpcResult": ("`data` is JSON.", _fields("bytes data = 1")),
    "SendRequest": ("`data` is JSON: `method` and `data` of a command nobody waits for.", _fields("bytes data = 1")),
    "RefreshRequest": ("With a new token.", _fields("string token = 1")),
    "RefreshResult": ("As in the connect reply.", _fields(*_LIFE)),
    "Nothing": ("Of what has no fields, or none that are read.", ()),
}  # fmt: skip

_SCALARS = {
    "bool": FieldDescriptorProto.TYPE_BOOL,
    "bytes": FieldDescriptorProto.TYPE_BYTES,
    "int32": FieldDescriptorProto.TYPE_INT32,
    "int64": FieldDescriptorProto.TYPE_INT64,
    "string": FieldDescriptorProto.TYPE_STRING,
    "uint32": FieldDescriptorProto.TYPE_UINT32,
    "uint64": FieldDescriptorProto.TYPE_UINT64,
}


def classes() -> dict[str, Any]:
    """A message class by each name."""
    file = FileDescriptorProto(name="klatsch/push.proto", package=PACKAGE, syntax="proto3")
    for name, (_, fields) in MESSAGES.items():
        _describe(file.message_type.add(name=name), fields)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{PACKAGE}.{name}")) for name in MESSAGES}


def _describe(message: Any, fields: tuple[MessageField, ...]) -> None:
    for number, name, type in fields:
        field = message.field.add(name=name, number=number, label=FieldDescriptorProto.LABEL_OPTIONAL)
        label, _, rest = type.rpartition(" ")
        if label.startswith("map<"):
            entry = message.nested_type.add(name=f"{name.title().replace('_', '')}Entry")
            entry.options.map_entry = True
            _describe(entry, (MessageField(1, "key", "string"), MessageField(2, "value", rest.rstrip(">"))))
            rest, label = f"{message.name}.{entry.name}", "repeated"
        if label == "repeated":
            field.label = FieldDescriptorProto.LABEL_REPEATED
        elif label == "optional":
            # In proto3 the presence of a scalar is a oneof of its own.
            message.oneof_decl.add(name=f"_{name}")
            field.oneof_index, field.proto3_optional = len(message.oneof_decl) - 1, True
        if rest in _SCALARS:
            field.type = _SCALARS[rest]
        else:
            field.type, field.type_name = FieldDescriptorProto.TYPE_MESSAGE, f".{PACKAGE}.{rest}"


def text() -> str:
    """``schemas/push.proto``."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield from (
        "// Made from push/protocol/messages.py by ./klatsch schemas; docs/reference/push.md says what happens when.",
        "// Each frame is binary and holds one or more messages, each with its length before it, as varint.",
        "//",
        "// The wire format is that of the Centrifuge client protocol; what Klatsch does not use is left out.",
        'syntax = "proto3";',
        "",
        f"package {PACKAGE};",
    )
    for name, (words, fields) in MESSAGES.items():
        yield from ("", f"// {words.replace('`', '')}", f"message {name} {{")
        yield from (f"  {field.type} {field.name} = {field.number};" for field in fields)
        yield "}"


__all__ = ["MESSAGES", "PACKAGE", "MessageField", "classes", "text"]
