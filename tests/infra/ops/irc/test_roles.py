"""Ops and topics of IRC logs in a running installation: who has which role, and that interruptions change nothing.
Tests ``infra/ops/irc/importer.py`` and ``infra/ops/irc/plan.py``."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import pytest

from infra.base.settings import Settings
from infra.ops import irc, operator_token
from infra.ops.irc import importer, rooms
from infra.ops.irc.client import Client, Result
from infra.ops.irc.logs import latest
from infra.ops.irc.people import user_id
from infra.ops.irc.plan import ImportOrder, Piece
from infra.ops.irc.rooms import ChannelLogs
from tests.client import visiting
from tests.infra.ops.irc.importing import heads, imported, totals
from tests.parts import Parts
from tests.servers import installation, serving

FIRST = """[10:00] <ada> hello
=== mode/#made [+oo ada bob]  by ChanServ
=== ada changed the topic of #made to: \x02Engines\x0f and looms
[10:01] <ada> done
=== mode/#made [-o bob]  by ada
=== cyd changed the topic of #made to: Looms
"""
#: Without any message.
SECOND = """=== ada [h]  has left #made []
=== ada [h]  has joined #made
=== mode/#made [+o bob]  by ChanServ
=== bob is now known as bob2
=== bob2 changed the topic of #made to:
"""
OWNER = "channel #made"
#: Type, who acts, and what it says of whom; of the channel's room, in order.
EVENTS = [
    ("room.created", OWNER, None), ("member.joined", OWNER, OWNER), ("member.joined", "ada", "ada"),
    ("message.posted", "ada", None), ("member.role_changed", OWNER, ("ada", "admin")),
    ("member.joined", "bob", "bob"), ("member.role_changed", OWNER, ("bob", "admin")),
    ("room.topic_line_set", "ada", "Engines and looms"), ("message.posted", "ada", None),
    ("member.role_changed", OWNER, ("bob", "member")), ("room.topic_line_set", OWNER, "Looms"),
    ("member.left", "ada", "ada"), ("member.joined", "ada", "ada"),
    ("member.role_changed", OWNER, ("bob", "admin")), ("member.left", "bob", "bob"),
    ("member.joined", "bob2", "bob2"), ("member.role_changed", OWNER, ("bob2", "admin")),
    ("room.topic_line_set", "bob2", None),
]  # fmt: skip


@pytest.fixture
async def settings(parts: Parts) -> AsyncIterator[Settings]:
    """An installation for each test, so that its totals are those of the test."""
    async with installation(parts) as settings:
        yield settings


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    (tmp_path / "2004-11-15.txt").write_text(FIRST)
    (tmp_path / "2004-11-16.txt").write_text(SECOND)
    return tmp_path


async def _events(settings: Settings) -> list[tuple[str, str, Any]]:
    """What stands in the channel's stream, in the terms of EVENTS."""
    names = {user_id(settings.secret, nick): nick for nick in (OWNER, "ada", "bob", "bob2")}
    connection = await asyncpg.connect(settings.postgres, server_settings={"search_path": settings.schema})
    try:
        found = await connection.fetch(
            'select type, actor, data from changes where stream = $1 order by "offset"', "irc-made"
        )
    finally:
        await connection.close()

    def said(type: str, data: dict[str, Any]) -> Any:
        who = names.get(data.get("user", ""))
        return (who, data["role"]) if type == "member.role_changed" else data.get("topic_line", who)

    return [(row["type"], names[row["actor"]], said(row["type"], msgspec.json.decode(row["data"]))) for row in found]


async def test_ops_are_admins_and_the_topic_is_the_topic_line(settings: Settings, logs: Path) -> None:
    async with serving(settings) as url, visiting(url) as world:
        said = await imported(settings, logs)
        assert "4 roles given, 1 role taken, 3 topics" in said
        assert "5 changes of role, 3 topics;" in said
        assert await _events(settings) == EVENTS
        token = operator_token.token(settings, user=user_id(settings.secret, "ada"), role="person")
        entry = await world.call("rooms.get", {"room": "irc-made"}, token=token)
        assert entry["room"]["topic_line"] is None and entry["room"]["name"] == "#made"
        assert entry["room"]["owner"] == user_id(settings.secret, OWNER)
        listed = await world.call("members.list", {"room": "irc-made"}, token=token)
        roles = {entry["member"]["user"]: entry["member"]["role"] for entry in listed["members"]}
        assert roles == {
            user_id(settings.secret, nick): role
            for nick, role in ((OWNER, "owner"), ("bob2", "admin"), ("ada", "member"))
        }


async def test_what_comes_after_the_last_message_is_there_already(settings: Settings, logs: Path) -> None:
    async with serving(settings):
        await imported(settings, logs / "2004-11-15.txt")
        first = await heads(settings)
        await imported(settings, logs / "2004-11-15.txt")
        assert await heads(settings) == first
        await imported(settings, logs)
        ends, held = await heads(settings), await totals(settings)
        said = await imported(settings, logs)
        assert "0 messages, 0 people, 0 changes of role, 0 topics" in said
        assert await heads(settings) == ends and await totals(settings) == held
        assert await _events(settings) == EVENTS


class _Cut(Exception):
    """The import was interrupted."""


class _CutClient(Client):
    """Is interrupted after this many requests, before the result of the last one arrives."""

    def __init__(self, settings: Settings, url: str, account: str, requests: int) -> None:
        super().__init__(settings, url, account)
        self._left = requests

    async def order(self, orders: Sequence[ImportOrder]) -> list[Result]:
        results = await super().order(orders)
        self._left -= bool(orders)
        if self._left == 0:
            raise _Cut
        return results


class _Silent:
    def stage(self, name: str, total: int, unit: str) -> None:
        pass

    def advance(self, count: int) -> None:
        pass


def _pieces(room: ChannelLogs, secret: str) -> Iterator[Piece]:
    return room.plan(partial(user_id, secret))[1]


async def test_interrupted_again_and_again(settings: Settings, logs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importer, "BATCH", 1)
    async with serving(settings) as url:
        for requests in range(1, 100):
            room = ChannelLogs("#made", rooms.sort([logs]).rooms["#made"], latest())
            plan = irc.read(settings, room, _Silent())
            ids = {nick: user_id(settings.secret, nick) for nick in plan.people}
            pieces = partial(_pieces, room, settings.secret)
            try:
                async with _CutClient(settings, url, plan.account, requests) as client:
                    await importer.Importer(client, plan, pieces, ids, _Silent()).run()
                    break
            except _Cut:
                continue
        # Each run got one order farther, or found some to be there and left them out.
        assert requests > 10
        await imported(settings, logs)
        assert await _events(settings) == EVENTS
