"""Clients that fold what they receive, on each way on which deltas come, and what of it a fresh snapshot shows too."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from tests.client import Person, Socket
from tests.fold import State, fold, refold, snapshot_state, take_page, unread

Json = dict[str, Any]
#: What gives deltas that came since it was asked last: none only if there are no more.
Take = Callable[[], Awaitable[list[Json]]]


class Listener:
    """A client: a person's state, kept up by deltas."""

    def __init__(self, person: Person, way: str, snapshot: Json, take: Take) -> None:
        self.person = person
        self.way = way
        self.state: State = snapshot_state(snapshot)
        #: All deltas that came, and ids of those that were news.
        self.heard: list[Json] = []
        self.news: list[str] = []
        self._take = take

    async def take(self) -> int:
        """Folds some of what has come, or a page of the snapshot. Returns how many deltas or pages that were."""
        if self.state.next is None:
            return len(await self._fold([]))
        meanwhile: list[Json] = []
        page = asyncio.create_task(self.person.do("sync.get", cursor=self.state.next))
        while not page.done():
            await self._fold(meanwhile)
            await asyncio.wait([page], timeout=0.002)
        take_page(self.state, await page)
        for delta in meanwhile:
            refold(self.state, delta)
        return 1

    async def _fold(self, news: list[Json]) -> list[Json]:
        """Returns what came; adds to ``news`` what the state had not."""
        deltas = await self._take()
        for delta in deltas:
            self.heard.append(delta)
            if fold(self.state, delta):
                self.news.append(delta["id"])
                news.append(delta)
        return deltas


def pushing(socket: Socket) -> Take:
    """What a connection has pushed."""
    taken = 0

    async def take() -> list[Json]:
        nonlocal taken
        found = socket.pushed[taken:]
        taken += len(found)
        return found

    return take


def pulling(person: Person, epoch: str, cursor: int, limit: int = 7) -> Take:
    """What ``GET /v1/changes`` gives from a cursor on, in small pages."""
    since = f"{epoch}:{cursor}"

    async def take() -> list[Json]:
        nonlocal since
        page = await person.do("changes.pull", since=since, limit=limit)
        assert page["reset"] is False
        since = page["cursor"]
        changes: list[Json] = page["changes"]
        return changes

    return take


async def pushed(person: Person) -> Listener:
    """Connected before the snapshot is taken, so that deltas come that are in it."""
    socket = await person.world.socket(person.token)
    return Listener(person, "pushed", await person.do("sync.get"), pushing(socket))


async def pulled(person: Person) -> Listener:
    """From the snapshot's cursor."""
    snapshot = await person.do("sync.get")
    return Listener(person, "pulled", snapshot, pulling(person, snapshot["epoch"], snapshot["cursor"]))


async def returned(person: Person, snapshot: Json, since: Json) -> Listener:
    """A page that was loaded again: connects with the cursor of ``since``, which may be older than its snapshot."""
    place = {"offset": since["cursor"], "epoch": since["epoch"]}
    socket = await person.world.socket(person.token, data={"since": place})
    return Listener(person, "returned", snapshot, pushing(socket))


def compared(state: State, fresh: Json, quarrels: set[frozenset[str]]) -> tuple[Json, Json]:
    """What of a state must equal a fresh snapshot, and the same of the snapshot.

    Everything but what a client cannot know:

    - ``created`` of relationships: one that is taken back and made again keeps its first time, which only the log has;
    - ``version`` of others' profiles: it moves with events that are not for others;
    - profiles that are in nobody's snapshot any more: a client may keep what it has seen;
    - profiles of people who have blocked the client, or were blocked, at some time (``quarrels``): nobody is told that
      somebody else lifted a block, so what was not received meanwhile comes with the next change or snapshot.
    """
    me = state.me["id"]
    known = {user["id"] for user in fresh["users"] if frozenset((me, user["id"])) not in quarrels}
    return _shown(state, known), _shown(snapshot_state(fresh), known)


def _shown(state: State, known: set[str]) -> Json:
    return {
        "me": state.me,
        "relationships": {key: _without(one, "created") for key, one in state.relationships.items()},
        "friend_of": {key: _without(one, "created") for key, one in state.friend_of.items()},
        "invitations": state.invitations,
        "rooms": {key: {**entry, "unread": unread(entry)} for key, entry in state.rooms.items()},
        "users": {key: _without(one, "version") for key, one in state.users.items() if key in known},
    }


def _without(view: Json, name: str) -> Json:
    return {field: value for field, value in view.items() if field != name}


def differences(have: Any, want: Any, path: str = "") -> list[str]:
    """Where two states differ, one line each."""
    if not (isinstance(have, dict) and isinstance(want, dict)):
        return [] if have == want else [f"{path}: folded {have!r}, fresh {want!r}"]
    return [
        line
        for key in sorted(have.keys() | want.keys())
        for line in differences(have.get(key, "(nothing)"), want.get(key, "(nothing)"), f"{path}/{key}")
    ]
