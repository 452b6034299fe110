"""Where in a request a fault stands, as clients see it: decisions know members, and the way decides what has them.

Over RPC all are members of its data. Over HTTP they are in the body, the path or the query, and a few in headers.
"""

from __future__ import annotations

from collections.abc import Mapping

from api.core.operation import Operation
from api.support.problems import Problem
from events.core.faults import Fault, brief, quoted, sentence, wrong
from events.core.type_faults import UNKNOWN

POSITION_HEADER = "Klatsch-Position"
KEY_HEADER = "Idempotency-Key"
#: Members of every RPC's data beside the operation's own: what HTTP has in headers.
KEY_MEMBER = "idempotency_key"
POSITION_MEMBER = "position"
_MEMBERS = {POSITION_HEADER: POSITION_MEMBER, KEY_HEADER: KEY_MEMBER}


def over_http(problem: Problem, operation: Operation) -> Problem:
    """The problem with parameters where they are no members of the body."""
    return _moved(problem, [_parameter(fault, operation) for fault in problem.errors])


def _parameter(fault: Fault, operation: Operation) -> Fault:
    name = fault.get("pointer", "").partition("/")[2]
    if name and (operation.method in ("GET", "DELETE") or name in operation.path_parameters):
        return parameter(name, fault["expected"].replace(UNKNOWN, "no parameter of this name"), fault["actual"])
    return fault


def over_rpc(problem: Problem) -> Problem:
    """The problem with members where HTTP has headers."""
    return _moved(problem, [_member(fault) for fault in problem.errors])


def over_grpc(problem: Problem, names: Mapping[str, str]) -> Problem:
    """The problem with metadata where HTTP has headers, and the fields that a message has for members: ``names``."""
    return _moved(problem, [_field(fault, names) for fault in problem.errors])


def _field(fault: Fault, names: Mapping[str, str]) -> Fault:
    if "header" in fault:
        return header(fault["header"].lower(), fault["expected"], fault["actual"])
    first, slash, rest = fault.get("pointer", "").removeprefix("/").partition("/")
    if first not in names:
        return fault
    return wrong(f"/{names[first]}{slash}{rest}", fault["expected"], fault["actual"])


def _moved(problem: Problem, errors: list[Fault]) -> Problem:
    """The problem with its places where they are, also in a detail that is made of them."""
    if problem.detail == sentence(problem.errors):
        problem.detail = sentence(errors)
    problem.errors = errors
    return problem


def _member(fault: Fault) -> Fault:
    member = _MEMBERS.get(fault.get("header", ""))
    return fault if member is None else wrong(f"/{member}", fault["expected"], fault["actual"])


def parameter(name: str, expected: str, actual: str) -> Fault:
    """A fault of the path or the query."""
    return {"parameter": brief(name), "expected": expected, "actual": actual}


def header(name: str, expected: str, actual: str) -> Fault:
    """A fault of a header."""
    return {"header": name, "expected": expected, "actual": actual}


def position(text: str) -> Fault:
    """A fault of the position that a read is to include."""
    return header(POSITION_HEADER, "positions of this installation's shards such as rooms/0/1,users/3/20", quoted(text))
