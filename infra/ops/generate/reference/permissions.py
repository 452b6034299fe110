"""``docs/reference/permissions.md``: who may do what in a room, as the decisions have it."""

from __future__ import annotations

from api.core.operation import Operation
from api.registry import all_operations
from infra.ops.generate import outcomes
from infra.ops.generate.reference.events import anchor
from infra.ops.generate.reference.markdown import code, page, table
from producers.accounts import ACCOUNTS
from producers.roles import PERMISSIONS, PermissionRow, Rule

_INTRO = """\
A member of a room is its owner, an admin or a member; the two of a direct room are alike. At every position of the log
a room has at most one owner. This table is what the decisions use (`producers/roles.py`), and it is tested cell by
cell. Whoever is not in a room is answered `not_found`, as if it did not exist; whose role does not allow something,
`forbidden`. In a room where only admins post, a member does not edit what they once said there, but may delete it.
In a direct room nobody writes, edits or changes the room's data while one of the two blocks the other
([what a block hides](../decisions/0039-what-a-block-hides.md)).
Who may let others in adds them at once where the other's choice allows it (`added_by`), and else invites them. Who
invited somebody withdraws the invitation while they are in the room themselves; so does whoever may put members out.
An application's own server acts for a user (`actor` in the events, `via` says that it was the server): what the column
says, whatever the user's role, in the room or not, and all else as the user.
A room belongs to the team of whoever made it, or to none. To people of any other team it does not exist, also to those
who were in it; an application's own server reaches it, and lets in people of its team only
([teams](../howto/teams.md)).
An operator can bring a deleted or archived room back ([`rooms.restore`](commands.md#roomsrestore)).
"""


def page_text() -> str:
    """The page."""
    listing = table(
        (
            "command",
            "operations",
            "owner",
            "admin",
            "member",
            "in a direct room",
            "not in the room",
            "by a server",
            "room archived",
        ),
        (_cells(name, row) for name, row in PERMISSIONS.items()),
    )
    return page(
        "Permissions in a room", _INTRO, listing, "## Kinds of accounts", _ACCOUNTS, _kinds(),
        "## Operations", _OPERATIONS, _levels(),
    )  # fmt: skip


def _cells(name: str, row: PermissionRow) -> tuple[str, ...]:
    rules = (row.owner, row.admin, row.member, row.direct, row.outsider)
    return (
        code(name),
        _operations(name),
        *map(_words, rules),
        "yes" if row.server else "as the user",
        "yes" if row.archived else "no",
    )


def _words(rule: Rule) -> str:
    return rule.value if rule is not Rule.NO else "-"


def _operations(command: str) -> str:
    names = [one.name for one in all_operations() if command in outcomes.of(one).commands]
    return ", ".join(f"[{code(name)}](commands.md#{anchor(name)})" for name in names)


_ACCOUNTS = """\
An application registers its users as `regular`, `guest` or `anonymous` ([`users.upsert`](commands.md#usersupsert)). A
guest takes part: reads, joins public rooms and those into which they are invited, and posts where their role allows it.
Who is anonymous looks on: reads, joins and leaves. Neither makes rooms, befriends people or adds them to rooms. Regular
accounts may do all of this, every row. The kind is the account's: Klatsch's own tokens say it (claim `kind`), an
application signs none. This table is what decides (`producers/accounts.py`), before the role in the room is asked.
Reading needs no row: what somebody may see, they see whatever their account is.
"""


def _kinds() -> str:
    rows = ((code(name), _operations(name), row.guest.value, row.anonymous.value) for name, row in ACCOUNTS.items())
    return table(("command", "operations", "guest", "anonymous"), rows)


_OPERATIONS = """\
Before a room's table comes the permission of the operation: `anyone` needs no token, `user` a person's or a service
account's, `service` that of a service account which has the scope, `server` that of an application's own server,
`operator` the operator's, `app` one of these two.

Service accounts are users too: they see what they are let into, and nothing else. An operator names their scopes when
making them (`POST /v1/services`); their tokens have them as the claim `scope`, with spaces between (RFC 8693). Accounts
of before there were scopes count as having `emotions:write`.
"""


def _levels() -> str:
    return table(
        ("operation", "permission"),
        ((f"[{code(one.name)}](commands.md#{anchor(one.name)})", _level(one)) for one in all_operations()),
    )


def _level(operation: Operation) -> str:
    return f"{operation.permission}, {code(operation.scope)}" if operation.scope else operation.permission
