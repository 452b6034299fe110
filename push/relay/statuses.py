"""A status of gRPC with what programs read of it: google.rpc's details, the first of them always an ErrorInfo."""

from __future__ import annotations

import grpc
from google.protobuf.any_pb2 import Any as Packed
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status

from infra.base import request_ids

#: Of every ErrorInfo.
DOMAIN = "klatsch"


def detailed(code: grpc.StatusCode, reason: str, detail: str, *more: Message, **metadata: str) -> Status:
    """The status. ``reason``: a word for programs, which ErrorInfo has in capitals; its metadata has the request's id
    beside ``metadata``. ``more``: further details."""
    metadata["request_id"] = request_ids.current()
    details = [ErrorInfo(reason=reason.upper(), domain=DOMAIN, metadata=metadata), *more]
    return Status(code=code.value[0], message=detail, details=[_packed(one) for one in details])


def retry_info(seconds: float) -> RetryInfo:
    """When it is worth to ask again."""
    retry = RetryInfo()
    retry.retry_delay.FromMilliseconds(int(seconds * 1000))
    return retry


def _packed(message: Message) -> Packed:
    packed = Packed()
    packed.Pack(message)
    return packed
