"""What must know a command: the registry, and who may give it in a room."""

from __future__ import annotations

from collections.abc import Iterator

import producers
from infra.ops.generate import outcomes
from infra.ops.missing.tables import Gap, Tables, declared, file_of, modules
from producers.commands import Command
from producers.roles import allow


def rows(tables: Tables) -> Iterator[Gap]:
    """Commands without a row, and rows that are not in the registry."""
    listed: set[type] = {row.struct for row in tables.commands.values()}
    for module in modules(producers):
        for row in getattr(module, "COMMANDS", ()) if module.__name__ != "producers.registry" else ():
            if row.name not in tables.commands:
                word = module.__name__.rpartition(".")[2]
                yield Gap("producers/registry.py", f"command {row.name}", f"add *{word}.COMMANDS to COMMAND_TYPES")
                listed.add(row.struct)
    for struct in declared(producers, Command):
        if struct not in listed:
            yield Gap(file_of(struct), f"command {struct.__name__}", "add a row to COMMANDS: CommandType(...)")


def permissions(tables: Tables) -> Iterator[Gap]:
    """Commands whose decision asks for a role in the room (``allow``), and that the table of roles does not know."""
    for name, row in tables.commands.items():
        if name not in tables.permissions and outcomes.reaches(row.decide, allow):
            yield Gap(
                "producers/roles.py", f"permission for {name}", f'add "{name}": PermissionRow(...) to PERMISSIONS'
            )


WALKS = (rows, permissions)
