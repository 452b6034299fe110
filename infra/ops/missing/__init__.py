"""``klatsch schemas --missing``: every table that lacks a row, with the file where the row belongs and what to write.

One pure walk over the registries, in seconds: it starts no server and writes nothing. What declares a thing (an event,
an entity, a command, an operation) is compared with each table that must know it. ``check`` and ``schemas`` begin with
it, so that what is forgotten is a line and not a traceback of the generator.
"""

from __future__ import annotations

import sys
import traceback
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def lines() -> list[str]:
    """What is missing, a line each."""
    try:
        # The registries are assembled on import, which fails where a row lacks a field.
        from infra.ops.missing import commands, entities, events, operations, tables, walked
    except TypeError as error:
        return [_place(error)]
    found = tables.present()
    walks = (*events.WALKS, *entities.WALKS, *commands.WALKS, *operations.WALKS, *walked.WALKS)
    return [str(gap) for walk in walks for gap in walk(found)]


def _place(error: TypeError) -> str:
    """Where a row could not be made. Raises the error if that is none of our files."""
    at = traceback.extract_tb(error.__traceback__)[-1]
    file = Path(at.filename)
    if not file.is_relative_to(ROOT) or file.is_relative_to(ROOT / ".venv"):
        raise error
    return f"{file.relative_to(ROOT)}:{at.lineno}: {error}"


def main() -> int:
    """Prints the lines. Returns the exit code: 1 when there are any."""
    found = lines()
    sys.stdout.write("".join(f"{line}\n" for line in found))
    return 1 if found else 0
