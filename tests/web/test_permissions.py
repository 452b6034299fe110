"""What the demo offers is what the server allows: the two tables, cell by cell.
Tests ``api/web/klatsch/permissions.js`` and ``producers/roles.py``."""

from __future__ import annotations

from typing import Any

from producers.roles import PERMISSIONS, PermissionRow, Rule
from tests.client import World
from tests.web.conftest import Open

_ROLES = ("owner", "admin", "member", "direct")
_RANK = {"member": 0, "admin": 1, "owner": 2}

#: Each cell of the client's table, under every setting and on every thing that it could be done to.
_ASK = """async () => {
    const { TABLE, may } = await import("/klatsch/permissions.js");
    const found = {};
    for (const command of Object.keys(TABLE))
        for (const column of ["owner", "admin", "member", "direct"])
            for (const state of ["active", "archived", "deleted"])
                for (const setting of ["members", "admins"])
                    for (const [kind, target] of Object.entries({
                        mine: { mine: true }, self: { self: true }, owner: { role: "owner" }, admin: { role: "admin" },
                        member: { role: "member" },
                    })) {
                        const direct = column === "direct";
                        const room = { state, type: direct ? "direct" : "public",
                            settings: { posting: setting, inviting: setting } };
                        const entry = { room, member: { role: direct ? "member" : column } };
                        found[[command, column, state, setting, kind].join(" ")] = may(command, entry, target);
                    }
    return found;
}"""


def _allowed(row: PermissionRow, column: str, state: str, setting: str, kind: str) -> bool:
    if state == "deleted" or (state == "archived" and not row.archived):
        return False
    match getattr(row, column):
        case Rule.OWN:
            return kind == "mine"
        case Rule.OWN_POSTING:
            return kind == "mine" and setting == "members"
        case Rule.SELF:
            return kind == "self"
        case Rule.BELOW:
            return kind == "self" or _RANK[column] > _RANK.get(kind, 0)
        case Rule.POSTING | Rule.INVITING:
            return setting == "members"
        case rule:
            return rule is Rule.YES


async def test_the_demo_offers_what_the_server_allows(windows: Open, world: World) -> None:
    window = await windows(world.url)
    found: dict[str, Any] = await window.page.evaluate(_ASK)
    assert {name.split(" ")[0] for name in found} == set(PERMISSIONS)
    expected = {name: _allowed(PERMISSIONS[command], *rest) for name in found for command, *rest in [name.split(" ")]}
    assert found == expected
