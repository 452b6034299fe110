"""Readers: roles of Postgres that see the rows of one application and nothing else. The SQL that makes them. Pure.

What a reader sees is said by the policies of ``schemas/sql/schema_live.sql``: a table without one shows nothing. All
readers of an installation are members of one role without log-in, which has the grants; so tables that are made anew
need one grant each, however many readers there are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from events.core.errors import KlatschError
from infra.base.settings import Settings

#: Columns that no reader sees: where in the vault a password or a secret is.
WITHHELD: Mapping[str, frozenset[str]] = {"users": frozenset({"credential"}), "apps": frozenset({"keys", "reason"})}
#: Tables of the live schema that no reader sees anything of, each with the reason. One that is neither here nor has a
#: policy fails tests/infra/base/test_readers.py.
CLOSED: Mapping[str, str] = {
    "channel_counters": "one row of the whole installation",
    "positions": "of the projectors; says how much all applications write",
    "parked": "events as bytes, of any application",
    "plans": "what the operator offers to all applications",
    "erased_events": "of applications that are no more",
    "erasures": "of applications that are no more",
}
#: What a reader may be called: what needs no quotes in SQL, and is no name that Postgres keeps for itself.
_NAME = re.compile(r"(?!pg_)[a-z_][a-z0-9_]{0,62}", re.ASCII)


class ReaderError(KlatschError):
    """A reader cannot be made or taken away; the text says expected, actual and what to do. Nothing was changed."""


def checked(name: str) -> str:
    """The name of a reader. Raises ReaderError."""
    if not _NAME.fullmatch(name) or name == "public":
        raise ReaderError(
            f"expected a name of 1 to 63 of a-z, 0-9 and _ that begins with no digit and not with pg_, got {name!r}"
        )
    return name


def group(settings: Settings) -> str:
    """The role that all readers of the installation are members of."""
    return f"{settings.schema}_readers"


def grants(settings: Settings, schema: str, tables: Iterable[tuple[str, Sequence[str]]]) -> list[str]:
    """What lets readers ask the tables of ``schema``, given with their columns; the policies say what they see."""
    to = f'to "{group(settings)}"'
    ops = f'"{settings.schema}_ops"'
    found = [
        f"grant usage on schema {ops} {to}",
        f"grant select (role, app) on {ops}.readers {to}",
        f'grant usage on schema "{schema}" {to}',
    ]
    for table, columns in tables:
        hidden = WITHHELD.get(table, frozenset())
        shown = ", ".join(f'"{column}"' for column in columns if column not in hidden)
        found.append(f'grant select{f" ({shown})" if hidden else ""} on "{schema}"."{table}" {to}')
    return found


def closing(functions: Sequence[str], database: str, others: Sequence[str]) -> list[str]:
    """What takes from all roles that they may run these functions, and make temporary tables; ``others`` keep both."""
    if not functions:
        return []
    listed, place = ", ".join(functions), _quoted(database)
    found = [f"revoke execute on function {listed} from public", f"revoke temporary on database {place} from public"]
    if others:
        to = ", ".join(_quoted(name) for name in others)
        found += [f"grant execute on function {listed} to {to}", f"grant temporary on database {place} to {to}"]
    return found


def ending(settings: Settings, name: str) -> list[str]:
    """What takes all from a reader but the role itself, and gives up what it owns."""
    role = f'"{checked(name)}"'
    return [
        f"alter role {role} nologin",
        f'revoke "{group(settings)}" from {role}',
        # Without being a superuser, one ends a role's sessions and gives up what it owns as a member of it.
        f"grant {role} to current_user",
        f"drop owned by {role}",
    ]


def making(settings: Settings, name: str, app: str, database: str, verifier: str) -> list[str]:
    """What makes a reader, once their group is there. ``verifier``: of the password, which the server never sees."""
    role = f'"{checked(name)}"'
    return [
        f"create role {role} login nosuperuser nocreatedb nocreaterole noreplication nobypassrls connection limit 5"
        f" password '{verifier}'",
        # Only what the group may read: who could become the group would be nobody's reader, and see nothing.
        f'grant "{group(settings)}" to {role} with inherit true, set false',
        f'alter role {role} in database {_quoted(database)} set search_path = "{settings.schema}"',
        f'insert into "{settings.schema}_ops".readers (role, app) values ({_literal(name)}, {_literal(app)})',  # noqa: S608 - quoted here
    ]


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def address(postgres: str, name: str, password: str) -> str:
    """The DSN of a reader: that of the installation with another name and password."""
    parts = urlsplit(postgres)
    place = parts.netloc.rpartition("@")[2]
    query = [(key, value) for key, value in parse_qsl(parts.query) if key not in ("user", "password", "passfile")]
    who = f"{quote(name, safe='')}:{quote(password, safe='')}"
    return urlunsplit(parts._replace(netloc=f"{who}@{place}", query=urlencode(query)))
