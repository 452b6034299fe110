"""One realistic request and its answer for each operation, and one document for each problem: one story of two people.

``EXAMPLES[name]`` are the examples of an operation; the first one is the plain one. An example has its members all
together, as RPC takes them; ``sent`` tells path, query and body apart. ``who`` says whose token it is sent with.
``PROBLEMS[code]`` is the document that a client gets. The same ids, names and times stand in all of them, so that one
example can follow another: grace registers, makes a room, linus comes in, they talk. They are written into
``schemas/openapi.json`` (`examples` of bodies and answers, `example` of parameters), and run against a real server by
``tests/api/test_contract_examples.py`` and ``test_contract_problems.py``.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from api.core.operation import Operation
from infra.ops.generate.examples import apps, channels, messages, operators, people, plans, rooms, sync, teams
from infra.ops.generate.examples.problems import PROBLEMS
from infra.ops.generate.examples.story import Example

#: By operation id, those of RPC alone included.
EXAMPLES: dict[str, tuple[Example, ...]] = {
    **people.EXAMPLES,
    **rooms.EXAMPLES,
    **messages.EXAMPLES,
    **channels.EXAMPLES,
    **sync.EXAMPLES,
    **operators.EXAMPLES,
    **apps.EXAMPLES,
    **plans.EXAMPLES,
    **teams.EXAMPLES,
}

#: Members of parameters and headers that belong to no operation alone, by the component's name.
PARAMETERS: dict[str, str] = {
    "Position": "rooms/3/1235",
    "AsOf": "2026-11-21T08:15:30Z",
    "IdempotencyKey": "3f1c2a7e-compilers",
    "IfNoneMatch": '"5f2c9d"',
}


class ExampleRequest(NamedTuple):
    """An example as an HTTP request."""

    #: With the ids in it: ``/v1/rooms/01a1…/messages``.
    path: str
    query: dict[str, Any]
    #: None where there is none to send.
    body: dict[str, Any] | None


def sent(operation: Operation, example: Example) -> ExampleRequest:
    """The example over HTTP: what stands in the path, in the query (GET, DELETE) and in the body."""
    members = dict(example.members)
    path = operation.path.format(**{name: members.pop(name) for name in operation.path_parameters})
    if operation.method in ("GET", "DELETE"):
        return ExampleRequest(path, members, None)
    return ExampleRequest(path, {}, members or None)


__all__ = ["EXAMPLES", "PARAMETERS", "PROBLEMS", "Example", "ExampleRequest", "sent"]
