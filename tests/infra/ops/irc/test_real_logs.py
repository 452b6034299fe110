"""All of the real logs, imported; what the files hold is counted here by itself, line by line.
Tests ``infra/ops/irc/``."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from events.members import Member, member_key
from events.messages import Message, message_key
from events.rooms import Room, room_key
from infra.base.settings import Settings
from infra.ops import operator_token
from infra.ops.irc.people import user_id
from projectors.read_models.projector import ReadModels
from projectors.views import message_view, own_member_view, room_view
from tests.client import World, visiting
from tests.infra.ops.irc.importing import folded, imported, totals
from tests.parts import Parts
from tests.running import running
from tests.servers import installation, process

LOGS = Path(__file__).resolve().parents[5] / "shared" / "data" / "ubuntu-irc"
#: Seconds after which the import counts as hanging. It takes 80 on two cores with nothing beside it.
SECONDS = 480

pytestmark = pytest.mark.skipif(not LOGS.is_dir(), reason=f"the logs are not there: {LOGS}")


class Counted:
    """What the logs hold, by the simplest means: regular expressions of this file's own, sets of who is in, and op."""

    def __init__(self) -> None:
        self.messages: Counter[str] = Counter()
        self.nicks: set[str] = set()
        self.inside: set[str] = set()
        self.ops: set[str] = set()
        self.joined = self.left = self.roles = 0
        self.topics = [""]
        for path in sorted(LOGS.glob("[0-9]*.txt")):
            for line in path.read_text().split("\n"):
                self._line(line)

    def _line(self, line: str) -> None:
        if line.startswith("=== "):
            self._event(line[4:].replace("] ", "]"))
        elif said := re.match(r"\[..:..\] (?:<(.+?)>|( )\* (\S+)|-(\S+?):#ubuntu-) (.*\S)", line):
            self._says((said[1] or said[3] or said[4]).replace("] ", "]"), "action" if said[2] else "text")

    def _event(self, line: str) -> None:
        # No line of these logs mixes ops with other modes.
        if mode := re.match(r"mode/#ubuntu \[([+-])o+ (.*)\] ?by", line):
            for nick in mode[2].split():
                self._is_op(nick, mode[1] == "+")
        elif topic := re.match(
            r"(?:\.\.\[topic.*?\]:|Topic for #ubuntu:|\S+ changed the topic of #ubuntu to:) (.*)", line
        ):
            line = topic[1].strip()
            self.topics += [line] if line != self.topics[-1] else []
        elif re.match(r"mode/|Topic |netjoined: |Starting logfile", line):
            return
        elif came := re.match(r"(\S+) \[.*\]\s*has (joined|left) #ubuntu", line, re.IGNORECASE):
            self._comes(came[1])
            if came[2] == "left":
                self._goes(came[1])
            else:
                self._is_op(came[1], False)
        elif renamed := re.match(r"(.+?) ?is now known as (\S+)", line):
            self._renames(renamed[1], renamed[2])
        elif kicked := re.match(r"(\S+) was kicked off", line):
            self._comes(kicked[1])
            self._goes(kicked[1])
        else:
            self._says(line.split()[0], "action")

    def _renames(self, nick: str, to: str) -> None:
        op = nick in self.ops
        self._comes(nick)
        self._goes(nick)
        self._comes(to)
        self._is_op(to, op)

    def _is_op(self, nick: str, op: bool) -> None:
        if op:
            self._comes(nick)
        self.roles += op != (nick in self.ops)
        self.ops = self.ops | {nick} if op else self.ops - {nick}

    def _says(self, nick: str, kind: str) -> None:
        self._comes(nick)
        self.messages[kind] += 1

    def _comes(self, nick: str) -> None:
        self.nicks.add(nick)
        self.joined += nick not in self.inside
        self.inside.add(nick)

    def _goes(self, nick: str) -> None:
        self.inside.remove(nick)
        self.ops.discard(nick)
        self.left += 1


async def test_all_files(parts: Parts, tmp_path: Path) -> None:
    expected = Counted()
    # The feed is left out: nobody is connected, and to tell tens of thousands of members of each line is its own
    # tests' matter.
    async with (
        installation(parts) as settings,
        process(settings, frozenset({"api"}), tmp_path / "api.log") as server,
        running(ReadModels(settings)),
    ):
        await server.ready()
        said = await imported(settings, LOGS, seconds=SECONDS)
        assert "163 files, 232,963 lines" in said
        found = await totals(settings)
        # One more user and member: the account that owns the room.
        assert found == {
            "users": len(expected.nicks) + 1,
            "handles": len(expected.nicks) + 1,
            "messages": expected.messages.total(),
            "actions": expected.messages["action"],
            "members": len(expected.inside) + 1,
            "joined": expected.joined + 1,
            "left": expected.left,
            "roles": expected.roles,
            "admins": len(expected.ops),
            "topics": len(expected.topics) - 1,
            "parked": 0,
        }
        again = await imported(settings, LOGS)
        assert "0 messages, 0 people" in again and await totals(settings) == found
        async with visiting(server.url) as world:
            await _check_search(world, settings, expected.nicks)
            await _check_sync(world, settings, expected.topics[-1])


async def _check_search(world: World, settings: Settings, nicks: set[str]) -> None:
    token = operator_token.token(settings, user=user_id(settings.secret, "bob2"), role="person")
    for nick in ("bob2", "|trey|", "HrdwrBoB", "Matt|", "N}{N[]O", "Dr_Willis", "[optik]", "Cre[a]tiveEmb[a]"):
        assert nick in nicks
        found = await world.call("users.find", {"name": nick}, token=token)
        assert nick in [user["name"] for user in found["users"]], nick


async def _check_sync(world: World, settings: Settings, topic: str) -> None:
    """A member's snapshot is the fold of the topics; the room's topic line is the last topic that was set."""
    user = user_id(settings.secret, "bob2")
    sync = await world.call("sync.get", {}, token=operator_token.token(settings, user=user, role="person"))
    state, vector = await folded(settings)
    assert sync["vector"] == vector
    (entry,) = sync["rooms"]
    room, member = state[room_key("irc-ubuntu")], state[member_key("irc-ubuntu", user)]
    assert isinstance(room, Room) and isinstance(member, Member) and room.last is not None
    last = state[message_key(room.last)]
    assert isinstance(last, Message)
    assert room.topic_line == topic
    assert entry["room"] == room_view(room) and entry["member"] == own_member_view(member)
    assert entry["message"] == message_view(last) and entry["unread"] == room.seq - member.read
    assert sum(isinstance(entity, Message) for entity in state.values()) == room.seq
