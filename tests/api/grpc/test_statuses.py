"""Every problem as a status of gRPC. Tests ``api/grpc/statuses.py`` and ``api/support/problems.py``."""

from __future__ import annotations

import grpc
import pytest
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status

from api.grpc.statuses import status_of
from api.support.problems import PROBLEMS, Problem
from events.core.faults import wrong


def details(problem: Problem) -> Status:
    """What a client reads of the status."""
    ((_, encoded),) = status_of(problem).trailing_metadata
    return Status.FromString(encoded)


@pytest.mark.parametrize("code", PROBLEMS)
def test_every_problem_has_a_status_and_says_its_type(code: str) -> None:
    problem = Problem(code, "expected this, got that")
    status = status_of(problem)
    assert status.code is grpc.StatusCode[PROBLEMS[code].grpc] and status.code is not grpc.StatusCode.OK
    assert status.details == "expected this, got that"
    info = ErrorInfo()
    assert details(problem).details[0].Unpack(info)
    assert (info.reason, info.domain, info.metadata["type"]) == (code.upper(), "klatsch", f"urn:klatsch:problem:{code}")
    # google.rpc asks for this form of a reason.
    assert info.reason.replace("_", "").isalpha() and len(info.reason) <= 63


def test_what_may_be_repeated_is_what_http_says_may() -> None:
    """UNAVAILABLE means that nothing was changed; clients repeat it by themselves."""
    for code, kind in PROBLEMS.items():
        if kind.grpc == "UNAVAILABLE":
            assert kind.status in (503, 507), code
        if kind.status == 401:
            assert kind.grpc == "UNAUTHENTICATED", code


def test_a_time_to_wait_and_the_faults_are_there_for_programs() -> None:
    problem = Problem("rate_limited", errors=[wrong("/content/text", "a string", "null")], retry_after=1.25)
    _, retry_detail, bad_detail = details(problem).details
    retry, bad = RetryInfo(), BadRequest()
    assert retry_detail.Unpack(retry) and bad_detail.Unpack(bad)
    assert retry.retry_delay.ToMilliseconds() == 1250
    assert [(one.field, one.description) for one in bad.field_violations] == [
        ("content.text", "expected a string, got null")
    ]
