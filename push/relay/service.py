"""The gRPC services of a relay: ChatService of the contract, and Peers between processes of one installation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import grpc
from google.protobuf.empty_pb2 import Empty
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass
from google.protobuf.struct_pb2 import Struct

from push.relay.core.endings import RelayRefused
from push.relay.core_service_pb2 import DESCRIPTOR, Channel
from push.relay.grpc_transport import connect
from push.relay.guard import Context, Method, check_proof, guarded
from push.relay.relay import Relay

CHAT = "ChatService"
#: Not of the contract, and for other processes of this installation alone.
PEERS = "klatsch.relay.Peers"


def handlers(relay: Relay, proof: str) -> tuple[grpc.GenericRpcHandler, ...]:
    """What a server needs to have of a relay. ``proof``: the metadata ``klatsch-internal`` of processes of the
    installation."""
    return (_chat(relay, proof), _peers(relay, proof))


def _chat(relay: Relay, proof: str) -> grpc.GenericRpcHandler:
    async def add(request: Channel, context: Context) -> Empty:
        check_proof(context, proof)
        if request.users:
            raise _invalid(f"users: expected none, got {len(request.users)}")
        relay.add(request.id, request.name, request.limit)
        return Empty()

    async def remove(request: Channel, context: Context) -> Empty:
        check_proof(context, proof)
        relay.remove(request.id)
        return Empty()

    async def connected(_: object, context: Context) -> None:
        await connect(relay, context)

    methods: dict[str, Method] = {"Connect": connected, "Add": add, "Remove": remove}
    service = DESCRIPTOR.services_by_name[CHAT]
    if {method.name for method in service.methods} != methods.keys():
        raise LookupError(f"{CHAT}: expected the methods {sorted(m.name for m in service.methods)}, got {[*methods]}")
    found: dict[str, Any] = {}
    for method in service.methods:
        run: Any = methods[method.name]
        if method.client_streaming:
            # Of bytes: a frame is encoded once for all who receive it.
            found[method.name] = grpc.stream_stream_rpc_method_handler(guarded(run))
        else:
            run = guarded(_of_bytes(run, GetMessageClass(method.input_type)))
            printed = GetMessageClass(method.output_type).SerializeToString
            found[method.name] = grpc.unary_unary_rpc_method_handler(run, response_serializer=printed)
    return grpc.method_handlers_generic_handler(CHAT, found)


def _peers(relay: Relay, proof: str) -> grpc.GenericRpcHandler:
    async def cut(request: Struct, context: Context) -> Struct:
        check_proof(context, proof)
        fields = dict(request)
        return _answer(relay.cut(_text(fields, "user"), _whole(fields, "version")))

    async def drop(request: Struct, context: Context) -> Struct:
        check_proof(context, proof)
        return _answer(relay.drop(_whole(dict(request), "channel")))

    methods: dict[str, Method] = {"Cut": cut, "Drop": drop}
    found: dict[str, Any] = {}
    for name, method in methods.items():
        run: Any = guarded(_of_bytes(method, Struct))
        found[name] = grpc.unary_unary_rpc_method_handler(run, response_serializer=Struct.SerializeToString)
    return grpc.method_handlers_generic_handler(PEERS, found)


def _of_bytes(method: Method, taken: type[Message]) -> Method:
    """The method, which parses its request itself: gRPC would answer with the error of the parser."""

    async def parsing(raw: bytes, context: Context) -> Any:
        try:
            request = taken.FromString(raw)
        except DecodeError as error:
            raise _invalid(
                f"expected a message {taken.DESCRIPTOR.full_name}, got {len(raw)} bytes of another"
            ) from error
        return await method(request, context)

    return parsing


def _answer(cut: int) -> Struct:
    answer = Struct()
    answer["cut"] = int(cut)
    return answer


def _text(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or not 1 <= len(value) <= 128:
        raise _invalid(f"{name}: expected text of 1 to 128 characters, got {type(value).__name__}")
    return value


def _whole(fields: Mapping[str, Any], name: str) -> int:
    value = fields.get(name)
    # Numbers of a Struct are doubles, exact up to here.
    if not isinstance(value, float) or not value.is_integer() or not 0 <= value <= 2**53:
        raise _invalid(f"{name}: expected a whole number of at most 2^53, got {value if value is None else 'another'}")
    return int(value)


def _invalid(detail: str) -> RelayRefused:
    return RelayRefused("INVALID_ARGUMENT", "invalid", detail)
