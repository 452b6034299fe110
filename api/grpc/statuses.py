"""Problems as gRPC's statuses: the code beside the problem's type (``api/support/problems.py``), and what a program
reads of it in ``grpc-status-details-bin``: ErrorInfo, RetryInfo and BadRequest of google.rpc."""

from __future__ import annotations

from typing import Any

from google.protobuf.message import Message
from google.rpc.error_details_pb2 import BadRequest
from grpc import StatusCode
from grpc_status import rpc_status

from api.support.problems import PROBLEMS, TYPE_PREFIX, Problem
from events.core.faults import Fault
from push.relay.statuses import detailed, retry_info


def status_of(problem: Problem) -> Any:
    """The status with its details, as ``abort_with_status`` takes it."""
    kind, details = PROBLEMS[problem.code], list[Message]()
    if problem.retry_after is not None:
        details.append(retry_info(problem.retry_after))
    if problem.errors:
        details.append(BadRequest(field_violations=[_violation(one) for one in problem.errors]))
    code = StatusCode[kind.grpc]
    return rpc_status.to_status(detailed(code, problem.code, problem.detail, *details, type=TYPE_PREFIX + problem.code))


def _violation(fault: Fault) -> BadRequest.FieldViolation:
    place = fault.get("parameter") or fault.get("header") or fault.get("pointer", "")
    field = place.removeprefix("/").replace("/", ".")
    return BadRequest.FieldViolation(field=field, description=f"expected {fault['expected']}, got {fault['actual']}")
