"""The tables that the walk compares: those of the code, gathered in one value, so that a test can take a row out."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from types import ModuleType
from typing import Any, NamedTuple

from api.core.operation import Operation
from api.registry import all_operations
from api.support.problems import PROBLEMS
from events.core.records import Entity, Registry
from events.registry import REGISTRY
from infra.base import rows
from infra.ops.generate import examples, openapi
from infra.ops.generate.descriptions import DESCRIPTIONS
from infra.ops.generate.files import ROOT
from infra.ops.generate.shapes import Schema
from producers import registry
from producers.commands import CommandType
from producers.revert import REVERTIBLE
from producers.revertible import Revertible
from producers.roles import PERMISSIONS, PermissionRow
from projectors.audience import AUDIENCES, Audience
from projectors.verify.comparing import STREAMS
from projectors.views import HIDDEN, VIEWS

#: The folds of clients: each has a rule for every event that people receive.
FOLDS = (
    "tests/fold.py",
    "clients/python/klatsch_client/fold.py",
    "clients/typescript/src/fold.ts",
    "api/web/klatsch/fold.js",
)
#: Tests that go through a registry by a table of their own, and what keeps one beside the registry (``walked.py``).
WALKED = (
    "push/protocol/items.py",
    "tests/api/core/test_first_results.py",
    "tests/api/core/test_repeating.py",
    "tests/api/repeats.py",
    "tests/api/test_blocks_walk.py",
    "tests/api/test_contract_examples.py",
    "tests/api/test_own_writes.py",
    "tests/api/test_permissions.py",
    "tests/api/test_shown_changes.py",
    "tests/producers/test_commands.py",
    "tests/producers/test_roles.py",
    "tests/projectors/test_audience.py",
    "tests/projectors/test_views.py",
    "tests/push/delivery/test_withheld.py",
)
_SQL = "schemas/sql/schema_live.sql"
_TABLE = re.compile(r"^create table (\w+) \($(.*?)^\)", re.MULTILINE | re.DOTALL)
_COLUMN = re.compile(r'^    "?(\w+)"? +\w', re.MULTILINE)


class Gap(NamedTuple):
    """A row that a table lacks."""

    #: Where the row belongs, from the root of the repository.
    file: str
    #: What has no row.
    subject: str
    #: What to write.
    write: str

    def __str__(self) -> str:
        return f"{self.file}: {self.subject}: {self.write}"


class Tables(NamedTuple):
    """All tables."""

    registry: Registry
    commands: Mapping[str, CommandType]
    operations: Sequence[Operation]
    audiences: Mapping[str, Audience]
    #: Entities that have a view, or a reason why they have none.
    viewed: Collection[type[Entity]]
    revertible: Mapping[str, Revertible]
    #: Table of each kind of entity, and the columns of each table.
    kinds: Mapping[str, str]
    columns: Mapping[str, Collection[str]]
    #: Text of each client's fold, by path.
    folds: Mapping[str, str]
    #: Text of each file that has a table of its own, by path.
    walked: Mapping[str, str]
    #: Tables that ``klatsch verify`` compares.
    compared: Collection[str]
    permissions: Mapping[str, PermissionRow]
    descriptions: Mapping[str, str]
    #: Examples of operations by their names, and documents of problems by their codes.
    examples: Mapping[str, Any]
    documents: Mapping[str, Any]
    tags: Mapping[str, str]
    problems: Collection[str]
    components: Mapping[str, Schema]


def present() -> Tables:
    """Those of this code."""
    operations = all_operations()
    return Tables(
        registry=REGISTRY,
        commands=registry.COMMANDS_BY_NAME,
        operations=operations,
        audiences=AUDIENCES,
        viewed={*(one.entity for one in VIEWS.values()), *HIDDEN},
        revertible=REVERTIBLE,
        kinds=rows.TABLES,
        columns={name: _COLUMN.findall(body) for name, body in _TABLE.findall((ROOT / _SQL).read_text())},
        folds={path: (ROOT / path).read_text() for path in FOLDS},
        walked={path: (ROOT / path).read_text() for path in WALKED},
        compared=STREAMS,
        permissions=PERMISSIONS,
        descriptions=DESCRIPTIONS,
        examples=examples.EXAMPLES,
        documents=examples.PROBLEMS,
        tags=openapi.TAGS,
        problems=PROBLEMS,
        components=openapi.components(operations),
    )


def modules(package: ModuleType) -> Iterator[ModuleType]:
    """The domains of a package: its modules, without those in folders below it."""
    for found in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        if not found.ispkg:
            yield importlib.import_module(found.name)


def word_of(module: ModuleType) -> str:
    """The word of a domain's module: the last part of its name."""
    return module.__name__.rpartition(".")[2]


def declared(package: ModuleType, base: type) -> Iterator[type]:
    """The classes of a kind that the domains of a package declare, but for those that others are made from."""
    for module in modules(package):
        for thing in vars(module).values():
            own = isinstance(thing, type) and issubclass(thing, base) and thing.__module__ == module.__name__
            if own and not thing.__subclasses__():
                yield thing


def file_of(thing: Any) -> str:
    """The file that declares a class or function, from the root of the repository."""
    module: str = thing.__module__
    return f"{module.replace('.', '/')}.py"


#: Domains whose word is not that of the file in ``events``.
_WORDS = {"message_entity": "messages"}


def domain(thing: type) -> str:
    """The word of the domain that declares a class: that of its files in every folder."""
    word = thing.__module__.rpartition(".")[2]
    return _WORDS.get(word, word)
