"""Profiles as a viewer sees them: the one rule of what a block makes of them, for every read.

The rule (docs/decisions/0039): whom the viewer blocks has nothing but a username for them; who blocks the viewer stands
still for them, as they were when the block began, where the viewer sees them at all.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from api.core.calls import Call
from events.users import User
from events.visuals import Visual
from infra.base.postgres import Connection, queries
from projectors.as_of import people
from projectors.as_of.moments import Moment
from projectors.views import View, masked, user_view


class Apart(NamedTuple):
    """The blocks between a viewer and others; empty, and so false, for most."""

    #: Whom the viewer blocks.
    own: Collection[str] = frozenset()
    #: Who blocks the viewer, and the offset in their stream at which that began.
    by: Mapping[str, int] = {}

    def __bool__(self) -> bool:
        return bool(self.own or self.by)


async def apart(connection: Connection, viewer: str) -> Apart:
    """All blocks of a viewer and against them: one look into an index."""
    rows = await connection.fetch(queries("blocks")["of_user"], viewer)
    if not rows:
        return Apart()
    own = frozenset(row["other"] for row in rows if row["own"])
    return Apart(own, {row["other"]: row["version"] for row in rows if not row["own"]})


async def apart_then(connection: Connection, moment: Moment, viewer: str, ids: Iterable[str]) -> Apart:
    """The same of some users, of the blocks of now and of a past moment: one as of which something is read."""
    found = await apart(connection, viewer)
    own, by = set(found.own), dict(found.by)
    pairs = [pair for id in ids if id != viewer for pair in ((viewer, id), (id, viewer))]
    for one in await people.relationships(connection, moment, pairs):
        if one.type == "block" and one.user == viewer:
            own.add(one.other)
        elif one.type == "block":
            by[one.user] = min(one.version, by.get(one.user, one.version))
    return Apart(own, by)


async def seen(connection: Connection, blocks: Apart, views: list[View]) -> list[View]:
    """Views of users as the viewer whose ``blocks`` these are sees them."""
    if not blocks:
        return views
    shown = {view["id"]: masked(view) for view in views if view["id"] in blocks.own}
    # Who has not changed since is as they were.
    cuts = {
        id: blocks.by[id]
        for id, version in ((view["id"], view["version"]) for view in views)
        if id in blocks.by and id not in shown and version >= blocks.by[id]
    }
    if cuts:
        still = await people.users_below(connection, cuts)
        shown |= {view["id"]: masked(view) for view in views if view["id"] in cuts}
        shown |= {id: user_view(user) for id, user in still.items()}
    return [shown.get(view["id"], view) for view in views]


async def of_team(call: Call, connection: Connection, ids: Collection[str]) -> set[str]:
    """Those of some users who are of the caller's team now: of others nobody is there, then neither."""
    if not await call.has_teams():
        return set(ids)
    rows = await connection.fetch(queries("users")["of_team"], list(ids), await call.team())
    return {row["id"] for row in rows}


async def of_team_then(call: Call, connection: Connection, users: Sequence[User]) -> list[User]:
    """Those of some users, as they were once, who were of the caller's team of now, and are."""
    there, team = await of_team(call, connection, [user.id for user in users]), await call.team()
    return [user for user in users if user.team == team and user.id in there]


async def of_users(connection: Connection, viewer: str, users: Iterable[User]) -> list[View]:
    """Users as a viewer sees them now."""
    return await seen(connection, await apart(connection, viewer), [user_view(user) for user in users])


async def of_users_then(connection: Connection, moment: Moment, viewer: str, users: Iterable[User]) -> list[View]:
    """Users as they were at a moment, as a viewer may see them who was and is apart from some of them."""
    views = [user_view(user) for user in users]
    blocks = await apart_then(connection, moment, viewer, [view["id"] for view in views])
    return await seen(connection, blocks, views)


async def visual_seen(connection: Connection, blocks: Apart, visual: Visual) -> Visual | None:
    """A visual as the viewer sees it: none of people whom they block; of people who block them, as it was before."""
    if visual.owner in blocks.own:
        return None
    cut = blocks.by.get(visual.owner)
    return visual if cut is None or visual.version < cut else await people.visual_below(connection, visual, cut)
