"""What the queries of ``schemas/sql`` leave to the registry, so that no list of it is kept twice.

``{columns room}`` stands for the columns of an entity; ``{columns room r}`` for those of the table called ``r``;
``{columns member m m_}`` for the same with ``m_`` before each name, as ``rows.from_row`` reads them;
``{types inviting}`` for a set of event types (infra/base/event_types.py), as a list of literals: Postgres compares it
with the predicates of partial indexes, which it cannot do with a parameter.
"""

from __future__ import annotations

import re

from infra.base import event_types, rows

_PLACEHOLDER = re.compile(r"\{(columns|types) ([\w ]+)\}")


def filled(sql: str) -> str:
    """The SQL with all placeholders filled in. Raises KeyError for what the registry does not have."""
    return _PLACEHOLDER.sub(_fill, sql)


def _fill(found: re.Match[str]) -> str:
    if found[1] == "types":
        return ", ".join(f"'{name}'" for name in event_types.SETS[found[2]])
    return rows.columns(*found[2].split())
