"""Operations of an OpenAPI document as requests that one could send: what samples show and forms begin with."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from api.docs.schemas import example

Document = dict[str, Any]


class Parameter(NamedTuple):
    """One parameter of an operation. ``where``: path, query or header."""

    name: str
    where: str
    required: bool
    about: str
    schema: Document
    #: What the example gives it; None where it is left out.
    value: Any


class SampleRequest(NamedTuple):
    """An operation with the values of its example. ``body``: None where it takes none."""

    name: str
    method: str
    path: str
    parameters: tuple[Parameter, ...]
    body: Any
    needs_token: bool
    status: int
    #: Whether the answer is a stream that does not end.
    streams: bool

    @property
    def target(self) -> str:
        """Path and query."""
        values = {one.name: one.value for one in self.parameters}
        path = re.sub(r"\{(\w+)\}", lambda found: quote(text(values[found[1]]), safe=""), self.path)
        query = [
            (one.name, text(one.value)) for one in self.parameters if one.where == "query" and one.value is not None
        ]
        return f"{path}?{urlencode(query)}" if query else path

    @property
    def answers(self) -> bool:
        """Whether the answer has a body."""
        return self.status != 204


def operations(document: Document) -> Iterable[tuple[str, str, Document]]:
    """Method, path and operation of each, in the document's order."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def request(document: Document, method: str, path: str, operation: Document) -> SampleRequest:
    """The example of an operation as a request."""
    status, answer = next((int(one), answer) for one, answer in operation["responses"].items() if one.startswith("2"))
    return SampleRequest(
        operation["operationId"], method, path, tuple(_parameters(document, operation)), _body(operation),
        bool(operation["security"]), status, "text/event-stream" in answer.get("content", {}),
    )  # fmt: skip


def resolved(document: Document, value: Document) -> Document:
    """What a ``$ref`` names; anything else as it is."""
    if "$ref" not in value:
        return value
    found: Any = document
    for step in value["$ref"].removeprefix("#/").split("/"):
        found = found[step]
    target: Document = found
    return target


def body_schema(operation: Document) -> Document | None:
    """The schema of the body, or none."""
    found: Document | None = (
        operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    )
    return found


def text(value: Any) -> str:
    """A value as it stands in a path or a query."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _parameters(document: Document, operation: Document) -> Iterable[Parameter]:
    for own in operation["parameters"]:
        row = resolved(document, own)
        schema = row["schema"]
        # Examples of what many operations take belong to no request, and one does not need headers to see how it goes.
        value = (
            None
            if "$ref" in own or row["in"] == "header"
            else _first(row, row["name"].upper() if row["required"] else None)
        )
        yield Parameter(row["name"], row["in"], row["required"], row.get("description", ""), schema, value)


def _first(holder: Document, otherwise: Any) -> Any:
    """The first example that a parameter, a schema or a body has."""
    if "example" in holder:
        return holder["example"]
    examples = holder.get("examples")
    if isinstance(examples, dict):
        return next(iter(examples.values()))["value"]
    return examples[0] if examples else otherwise


def _body(operation: Document) -> Any:
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    return None if content is None else _first(content, example(content["schema"]))
