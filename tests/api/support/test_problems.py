"""Whatever is raised says what it is to a client: each exception of ours, and each code that the code names. Tests
``events/core/errors.py`` and ``api/support/problems.py``."""

from __future__ import annotations

import ast
import builtins
import logging
from collections.abc import Iterator

import pytest

from api.support import problems
from api.support.problems import PROBLEMS, Problem
from events.core.errors import KlatschError
from events.core.faults import wrong
from events.core.positions import BadPosition
from producers.commands import INNER_CODES, Refused, Unavailable
from push.delivery import bounds
from tests.api.codes import RAISED, module, trees

#: Where a code that stood elsewhere is passed on.
PASSED_ON = {
    "api/blocks.py": "refusal.code",
    "api/grpc/inbound.py": "code",
    "api/support/problems.py": "error.code",
    "infra/ops/generate/examples/problems.py": "code",
    "producers/batch/command_batch.py": "*envelope.refusal *envelope.no_room",
    "producers/engine/router.py": "code",
    "producers/engine/shard.py": "code",
}


def test_every_code_is_a_problems_or_an_inner_one() -> None:
    known = PROBLEMS.keys() | INNER_CODES
    assert [one for one in RAISED if one.code is not None and one.code not in known] == []
    assert len(RAISED) > 150


def test_a_code_is_written_where_it_is_raised() -> None:
    """Else nobody would see that it is none: where it is passed on is known."""
    found: dict[str, str] = {}
    for one in RAISED:
        if one.code is None and one.expression not in found.get(one.path, "").split():
            found[one.path] = f"{found.get(one.path, '')} {one.expression}".strip()
    assert found == PASSED_ON


def test_inner_codes_are_raised_and_no_problems() -> None:
    assert not INNER_CODES & PROBLEMS.keys()
    assert {one.code for one in RAISED} >= INNER_CODES


@pytest.mark.long
def test_every_exception_has_the_root() -> None:
    """Of each class that says that it is an exception: some base is ours."""
    loose = []
    for path, tree in trees():
        for node in ast.walk(tree):
            bases = [ast.unparse(base) for base in node.bases] if isinstance(node, ast.ClassDef) else []
            if any(_is_error(getattr(builtins, base, None)) for base in bases) and "KlatschError" not in bases:
                loose.append(f"{path}: {ast.unparse(node).splitlines()[0]}")
    assert loose == ["events/core/errors.py: class KlatschError(Exception):"]


def _is_error(thing: object) -> bool:
    return isinstance(thing, type) and issubclass(thing, BaseException)


def _below(kind: type[KlatschError]) -> Iterator[type[KlatschError]]:
    for one in kind.__subclasses__():
        yield one
        yield from _below(one)


@pytest.mark.long
def test_every_exception_names_a_problem() -> None:
    for path, tree in trees():
        if any(isinstance(node, ast.alias) and node.name == "KlatschError" for node in ast.walk(tree)):
            module(path)
    classes = set(_below(KlatschError))
    assert len(classes) > 50
    assert {one for one in classes if one.code not in PROBLEMS} == set()


def test_what_names_its_problem_is_told_as_such() -> None:
    """The hub's was `internal`."""
    problem = problems.of(bounds.FeedUnavailable("the hub has not been started"))
    assert (problem.code, problem.detail, problem.retry_after) == ("unavailable", "the hub has not been started", 1)
    fault = wrong("/name", "another", "a name that is taken")
    problem = problems.of(Refused("taken", errors=[fault], holder="whom nobody is told of"))
    assert (problem.code, list(problem.errors), problem.more) == ("taken", [fault], {})
    problem = problems.of(Unavailable("parked", "it waits", retry_after=30.0))
    assert (problem.code, problem.detail, problem.retry_after) == ("parked", "it waits", 30.0)


@pytest.mark.parametrize(
    "error",
    [Refused("typo", "x"), Unavailable("typo", "x"), Problem("typo", "x"), *map(Refused, INNER_CODES), BadPosition("x"),
     ZeroDivisionError("x")],
    ids=repr,
)  # fmt: skip
def test_what_names_none_is_a_fault_of_ours_and_logged(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        problem = problems.of(error)
    assert problem.code == "internal" and "x" not in problem.detail.split()
    assert [record.exc_info[1] for record in caplog.records if record.exc_info] == [error]
