"""Users, relationships and visuals as of a moment. Each is folded from the events that name it: there are few."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from msgspec.structs import replace

from events.core.records import Key
from events.relationships import Relationship, relationship_key
from events.user_erasure import without_person
from events.users import User, user_key
from events.visuals import Visual, visual_key
from infra.base import rows
from infra.base.event_types import naming
from infra.base.postgres import Connection, queries
from projectors.as_of import folding
from projectors.as_of.folding import Past
from projectors.as_of.moments import Moment

USER, RELATIONSHIP, VISUAL = naming("user"), naming("relationship"), naming("visual")
#: Types of events that change what others see of a user; a test tries all that name one.
PROFILE = (
    "user.registered", "user.profile_changed", "user.visual_chosen", "user.deactivated", "user.reactivated",
    "user.erased", "user.team_set",
)  # fmt: skip


async def users(connection: Connection, moment: Moment, ids: Iterable[str]) -> dict[str, User]:
    """Those of the ids that were registered users."""
    wanted = list(dict.fromkeys(ids))
    found = await entities(connection, moment, {user_key(id): id for id in wanted}, USER)
    users = {user.id: user for user in found.values() if isinstance(user, User) and user.state == "registered"}
    return await _without_erased(connection, users)


async def _without_erased(connection: Connection, found: dict[str, User]) -> dict[str, User]:
    """The users, of those who are erased now without what they called themselves: that is shown no more."""
    if not found:
        return found
    rows = await connection.fetch(queries("past")["erased"], list(found))
    return found | {row["id"]: without_person(found[row["id"]]) for row in rows}


async def users_below(connection: Connection, cuts: Mapping[str, int]) -> dict[str, User]:
    """Users as others saw them before an offset of their stream, by id, at the cost of the profiles that they had."""
    place = (list(cuts), list(cuts.values()))
    state: Past = {}
    folding.fold(
        state, map(folding.record, await connection.fetch(queries("past")["named"], *place, list(PROFILE), None))
    )
    rows = await connection.fetch(queries("past")["last_below"], *place, list(USER))
    versions = {row["stream"]: row["offset"] for row in rows}
    found = [(id, state.get(user_key(id))) for id in cuts]
    users = {id: replace(user, version=versions[id]) for id, user in found if isinstance(user, User)}
    return await _without_erased(connection, users)


async def relationships(connection: Connection, moment: Moment, pairs: Iterable[tuple[str, str]]) -> list[Relationship]:
    """What the first of each pair was to the second, where there was something."""
    streams = {relationship_key(*pair): pair[0] for pair in pairs}
    found = await entities(connection, moment, streams, RELATIONSHIP, [key[2] for key in streams])
    return [one for one in found.values() if isinstance(one, Relationship) and one.type is not None]


async def visuals(connection: Connection, moment: Moment, ids: Collection[str], app: str | None = None) -> list[Visual]:
    """Those of the visuals that there were, in one application or any: others cost as much as those of nobody."""
    now = await rows.load(connection, [visual_key(id) for id in ids])
    owners = {key: one.owner for key, one in now.items() if isinstance(one, Visual) and app in (None, one.app)}
    found = await entities(connection, moment, owners, VISUAL, list(ids))
    return [one for one in found.values() if isinstance(one, Visual)]


async def visual_below(connection: Connection, visual: Visual, cut: int) -> Visual | None:
    """A visual as it was before an offset of its owner's stream."""
    state: Past = {}
    events = await connection.fetch(queries("past")["named"], [visual.owner], [cut], list(VISUAL), [visual.id])
    folding.fold(state, map(folding.record, events))
    found = state.get(visual_key(visual.id))
    return found if isinstance(found, Visual) else None


async def entities(
    connection: Connection,
    moment: Moment,
    streams: dict[Key, str],
    types: Collection[str],
    named: list[str] | None = None,
) -> Past:
    """The entities of the keys, each of a stream, made by events of these types only; of those that name ``named``."""
    cuts = await moment.cuts(connection, streams.values())
    now = await rows.load(connection, list(streams))
    # What has not changed since is as it was: its version is the offset of its latest event.
    found: Past = {
        key: one for key, one in now.items() if one is not None and folding.unchanged(one, cuts[streams[key]])
    }
    changed = {key: streams[key] for key in streams if now[key] is not None and key not in found}
    if changed:
        wanted = {stream: cuts[stream] for stream in changed.values()}
        state: Past = {}
        events = await connection.fetch(
            queries("past")["named"], list(wanted), list(wanted.values()), list(types), named
        )
        folding.fold(state, map(folding.record, events))
        found.update({key: state[key] for key in changed if key in state})
    return found
