"""What must know an operation: the registry, its past, and what the contracts and the reference say of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import api
from api.core.operation import Operation
from infra.ops.generate import answers, comments, examples
from infra.ops.missing.tables import Gap, Tables, file_of, modules

_GENERATE = "infra/ops/generate"
#: Characters of a text below which it says nothing.
_SAYS = 10


def rows(tables: Tables) -> Iterator[Gap]:
    """Rows that are not in the registry."""
    listed = {operation.name for operation in tables.operations}
    for module in modules(api):
        for row in getattr(module, "OPERATIONS", ()):
            if row.name not in listed:
                word = module.__name__.rpartition(".")[2]
                yield Gap("api/registry.py", f"operation {row.name}", f"add *{word}.OPERATIONS to all_operations")


def words(tables: Tables) -> Iterator[Gap]:
    """Operations without description, example or tag, and members of bodies without words."""
    for operation in tables.operations:
        name, tag = operation.name, operation.name.partition(".")[0]
        if name not in tables.descriptions:
            write = f'add "{name}": one to three sentences to DESCRIPTIONS'
            yield Gap(f"{_GENERATE}/descriptions.py", f"description of {name}", write)
        if not tables.examples.get(name):
            yield Gap(_examples(tag), f"example of {name}", f'add "{name}": (Example(...),) to EXAMPLES')
        if tag not in tables.tags:
            yield Gap(f"{_GENERATE}/openapi.py", f"tag {tag}", f'add "{tag}": a sentence to TAGS')
        yield from _members(operation)


def _examples(tag: str) -> str:
    """The file that has the other examples of a tag; the folder where it is the first."""
    for module in modules(examples):
        own = getattr(module, "EXAMPLES", examples.EXAMPLES)
        if own is not examples.EXAMPLES and any(name.startswith(f"{tag}.") for name in own):
            return f"{module.__name__.replace('.', '/')}.py"
    return f"{_GENERATE}/examples"


def _members(operation: Operation) -> Iterator[Gap]:
    """Members of a body; what a member of a path or the query means, the path and its name say."""
    if operation.method in ("GET", "DELETE"):
        return
    said = comments.fields(operation.request)
    for name in operation.request.__struct_fields__:
        if name not in operation.path_parameters and len(said.get(name, "")) < _SAYS:
            subject = f"{operation.request.__name__}.{name} of {operation.name}"
            yield Gap(file_of(operation.request), subject, "say above it, in a comment #:, what it is")


def past(tables: Tables) -> Iterator[Gap]:
    """Reads that do not say what they answer of the past."""
    for operation in tables.operations:
        if operation.method == "GET" and operation.as_of is None:
            write = (
                "add as_of=NoPast(why not) to its row, or the function to AS_OF in the file of its domain in api/as_of"
            )
            yield Gap(file_of(operation.run), f"as-of of {operation.name}", write)


def scopes(tables: Tables) -> Iterator[Gap]:
    """Operations of services that nobody may call, as they name no scope."""
    for operation in tables.operations:
        if operation.permission == "service" and operation.scope is None:
            yield Gap(file_of(operation.run), f"scope of {operation.name}", "add scope=...: a value of Scope")


def references(tables: Tables) -> Iterator[Gap]:
    """Schemas that answers and components name, and that are not there."""
    for operation in tables.operations:
        schema = answers.answer(operation.name, operation.returns)
        yield from _dangling(f"answer of {operation.name} ({file_of(operation.run)})", schema, tables)
    for name, component in tables.components.items():
        yield from _dangling(f"component {name}", component, tables)


def _dangling(subject: str, schema: Any, tables: Tables) -> Iterator[Gap]:
    for target in sorted(set(_targets(schema))):
        name = target.removeprefix("#/components/schemas/")
        if name not in tables.components:
            write = f"no schema {name}: add a row to VIEWS in projectors/views, or to _PLAIN or _composed here"
            yield Gap(f"{_GENERATE}/answers.py", subject, write)


def _targets(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _targets(item)
    elif isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for item in value.values():
            yield from _targets(item)


def problems(tables: Tables) -> Iterator[Gap]:
    """Codes of problems without a document as example."""
    for code in tables.problems:
        if code not in tables.documents:
            yield Gap(f"{_GENERATE}/examples/problems.py", f"problem {code}", f'add "{code}" to PROBLEMS')


WALKS = (rows, words, past, scopes, references, problems)
