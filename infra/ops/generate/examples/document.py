"""Examples as OpenAPI has them: ``example`` of a parameter, ``examples`` of a body and of an answer."""

from __future__ import annotations

from typing import Any

from api.core.operation import Operation
from api.support import problems as api_problems
from infra.ops.generate.examples import EXAMPLES, PROBLEMS, sent
from infra.ops.generate.examples.story import Example


def add(operation: Operation, found: dict[str, Any]) -> None:
    """Adds the examples of an operation to its entry of the document."""
    examples = EXAMPLES.get(operation.name, ())
    members = {name: value for example in reversed(examples) for name, value in example.members.items()}
    for parameter in found["parameters"]:
        if parameter.get("name") in members:
            parameter["example"] = members[parameter["name"]]
    if "requestBody" in found:
        bodies = {one.name: _with(one, sent(operation, one).body) for one in examples}
        found["requestBody"]["content"]["application/json"]["examples"] = bodies
    answer = found["responses"][str(operation.status)]
    if "content" in answer:
        answers = {one.name: _with(one, one.answer) for one in examples}
        answer["content"]["application/json"]["examples"] = answers


def _with(example: Example, value: Any) -> dict[str, Any]:
    return {**({"summary": example.about} if example.about else {}), "value": value}


def of_problems(codes: list[str]) -> dict[str, Any]:
    """The examples of an answer that may have these codes: those of the document's components."""
    return {code: {"$ref": f"#/components/examples/{code}"} for code in codes}


def problems() -> dict[str, Any]:
    """The components: a document for each code."""
    return {code: {"summary": kind.title, "value": PROBLEMS[code]} for code, kind in api_problems.PROBLEMS.items()}
