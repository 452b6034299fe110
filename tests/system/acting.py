"""People who do things at random, of all that S0 and S2 allow; fewer deeds of a seed are a prefix of more of them."""

from __future__ import annotations

import asyncio
import secrets
from random import Random
from typing import Any, NamedTuple

from tests.client import Person, Refusal, World
from tests.running import until

PASSWORD = "correct horse"
#: What a random deed may be refused with: it was not allowed, or not there any more. Anything else is a fault.
EXPECTED = {"declined", "forbidden", "not_found", "invalid", "no_successor", "taken", "archived"}

#: Kinds of deeds, those more often that make more of a difference.
KINDS = (
    "say", "say", "say", "say", "say", "say", "direct", "group", "join", "join", "join", "leave", "leave", "add",
    "add", "put_out", "rename", "rename", "room_data", "read", "read", "profile", "visual", "change_visual",
    "no_visual", "emotion", "emotion", "log_in", "log_out", "renew", "email", "friend", "friend", "neither", "block",
    "edit", "edit", "edit", "erase", "erase", "role", "role", "transfer", "notify", "notify", "settings", "describe",
    "topic_line", "room_custom", "room_custom", "custom", "custom", "archive", "unarchive", "unarchive",
    "delete_room", "restore", "restore", "added_by", "added_by",
    "accept", "accept", "accept", "decline", "withdraw", "pin", "pin", "pin", "unpin",
    "channel", "channel", "no_channel", "picture", "picture", "deactivate", "deactivate", "goodbye",
)  # fmt: skip


#: Rooms in which most happens: few, so that people meet there.
ROOMS = 4


class Deed(NamedTuple):
    """What somebody is to do; the numbers choose among what there is then."""

    kind: str
    who: int
    other: int
    which: int
    number: int


def script(seed: int, length: int) -> list[Deed]:
    """The deeds of a seed."""
    random = Random(seed)

    def below(limit: int) -> int:
        return random.randrange(limit)

    return [Deed(random.choice(KINDS), below(1000), below(1000), below(1000), below(100)) for _ in range(length)]


class Cast:
    """Some people, a service account, an operator's token, and what they have made."""

    def __init__(self, people: list[Person], service: Person, operator: str) -> None:
        self.people = people
        self.service = service
        self._operator = operator
        #: Somebody who does nothing, and who is deactivated and reactivated.
        self._leaver: str | None = None
        #: Pairs of whom one has blocked the other at some time.
        self.quarrels: set[frozenset[str]] = set()
        self.done: list[str] = []
        self._rooms: list[str] = []
        self._messages: list[tuple[Person, str, str]] = []
        self._channels: list[tuple[Person, int]] = []
        self._visuals: list[tuple[Person, str]] = []
        self._sessions: list[str] = []
        self._address = f"{secrets.token_hex(5)}-{{}}@example.org"

    async def act(self, deeds: list[Deed], at_once: int = 4) -> None:
        """Does them, some at the same time."""
        for start in range(0, len(deeds), at_once):
            await asyncio.gather(*(self._do(deed) for deed in deeds[start : start + at_once]))

    async def _do(self, deed: Deed) -> None:
        who, other = self.people[deed.who % len(self.people)], self.people[deed.other % len(self.people)]
        try:
            await getattr(self, f"_{deed.kind}")(deed, who, other)
            self.done.append(f"{who.username[:2]} {deed.kind} {other.username[:2]} {deed.which} {deed.number}")
        except Refusal as refusal:
            if refusal.code not in EXPECTED:
                raise AssertionError(f"{deed}: {refusal.problem}") from refusal

    def _room(self, deed: Deed) -> str:
        return self._rooms[deed.which % len(self._rooms)]

    async def _owner(self, deed: Deed, who: Person) -> Person:
        """Mostly who owns the room, and so may change it; now and then somebody who may not."""
        for person in self.people if deed.number % 5 else []:
            try:
                room = (await person.do("rooms.get", room=self._room(deed)))["room"]
            except Refusal:
                continue
            return next((one for one in self.people if one.id == room["owner"]), who)
        return who

    @staticmethod
    def _patch(deed: Deed) -> dict[str, Any]:
        return {"abc"[deed.which % 3]: [None, "1", "2"][deed.number % 3]}

    async def _say(self, deed: Deed, who: Person, other: Person) -> None:
        message = await who.say(self._room(deed), f"text {deed.number}")
        self._messages.append((who, message["room"], message["id"]))

    def _message(self, deed: Deed) -> tuple[Person, str, str]:
        """Author, room and id of one of the last messages."""
        return self._messages[-5:][deed.which % min(5, len(self._messages))]

    async def _edit(self, deed: Deed, who: Person, other: Person) -> None:
        if self._messages:
            author, room, message = self._message(deed)
            data: dict[str, Any] = {} if deed.number % 2 else {"data": self._patch(deed)}
            content = {"text": f"edited {deed.number % 7}"}
            # Now and then by somebody who may not.
            by = who if deed.other % 6 == 0 else author
            await by.do("messages.edit", room=room, message=message, content=content, **data)

    async def _erase(self, deed: Deed, who: Person, other: Person) -> None:
        if self._messages:
            author, room, message = self._message(deed)
            await (author if deed.other % 2 else who).do("messages.delete", room=room, message=message)

    async def _pin(self, deed: Deed, who: Person, other: Person) -> None:
        if self._messages:
            _, room, message = self._message(deed)
            await (await self._owner(deed, who)).do("messages.pin", room=room, message=message)

    async def _unpin(self, deed: Deed, who: Person, other: Person) -> None:
        if self._messages:
            _, room, message = self._message(deed)
            await (await self._owner(deed, who)).do("messages.unpin", room=room, message=message)

    async def _channel(self, deed: Deed, who: Person, other: Person) -> None:
        made = await who.do("channels.create", name=f"Channel {deed.number}", limit=1 + deed.number % 25)
        self._channels.append((who, made["channel"]["id"]))

    async def _no_channel(self, deed: Deed, who: Person, other: Person) -> None:
        if self._channels:
            owner, channel = self._channels[deed.number % len(self._channels)]
            await owner.do("channels.delete", channel=channel)

    async def _role(self, deed: Deed, who: Person, other: Person) -> None:
        fields = {"room": self._room(deed), "user": other.id, "role": ["admin", "member"][deed.number % 2]}
        await (await self._owner(deed, who)).do("members.set_role", **fields)

    async def _transfer(self, deed: Deed, who: Person, other: Person) -> None:
        fields = {"room": self._room(deed), "user": other.id, "role": "owner"}
        await (await self._owner(deed, who)).do("members.set_role", **fields)

    async def _notify(self, deed: Deed, who: Person, other: Person) -> None:
        await who.do("members.set_notifications", room=self._room(deed), notifications=deed.number % 2 == 0)

    async def _custom(self, deed: Deed, who: Person, other: Person) -> None:
        patch = {
            "a": [None, deed.number, {"b": [1.0, True, None]}][deed.which % 3],
            "c": {"d": deed.number % 2 or None},
        }
        user = other.id if deed.other % 2 else "me"
        await who.do("members.change", room=self._room(deed), user=user, custom=patch)

    async def _settings(self, deed: Deed, who: Person, other: Person) -> None:
        # Mostly so that everybody may do something.
        whose = "admins" if deed.number % 5 == 1 else "members"
        settings = [{"announcements": deed.number % 3 > 0}, {"posting": whose}, {"inviting": whose}][deed.other % 3]
        await (await self._owner(deed, who)).do("rooms.change", room=self._room(deed), settings=settings)

    async def _describe(self, deed: Deed, who: Person, other: Person) -> None:
        description = None if deed.number % 3 == 0 else f"About {deed.number}"
        await (await self._owner(deed, who)).do("rooms.change", room=self._room(deed), description=description)

    async def _topic_line(self, deed: Deed, who: Person, other: Person) -> None:
        line = None if deed.number % 3 == 1 else f"Today: {deed.number}"
        await (await self._owner(deed, who)).do("rooms.change", room=self._room(deed), topic_line=line)

    async def _room_custom(self, deed: Deed, who: Person, other: Person) -> None:
        patch = {
            "a": [None, deed.number, {"b": [1.0, True, None]}][deed.other % 3],
            "c": {"d": deed.number % 2 or None},
        }
        await (await self._owner(deed, who)).do("rooms.change", room=self._room(deed), custom=patch)

    async def _archive(self, deed: Deed, who: Person, other: Person) -> None:
        await (await self._owner(deed, who)).do("rooms.archive", room=self._room(deed))

    async def _unarchive(self, deed: Deed, who: Person, other: Person) -> None:
        await (await self._owner(deed, who)).do("rooms.unarchive", room=self._room(deed))

    async def _delete_room(self, deed: Deed, who: Person, other: Person) -> None:
        await (await self._owner(deed, who)).do("rooms.delete", room=self._room(deed))

    async def _restore(self, deed: Deed, who: Person, other: Person) -> None:
        """All rooms, so that most of what is done meets rooms in use."""
        for room in list(self._rooms):
            await who.world.call("rooms.restore", {"room": room}, token=self._operator)

    async def _direct(self, deed: Deed, who: Person, other: Person) -> None:
        room = await who.direct(other)
        if room not in self._rooms and len(self._rooms) < ROOMS:
            self._rooms.append(room)

    async def _group(self, deed: Deed, who: Person, other: Person) -> None:
        if len(self._rooms) < ROOMS:
            await self.group(who, other, type=["public", "private"][deed.number % 2])

    async def group(self, who: Person, *others: Person, type: str = "public") -> None:
        room = await who.group(*others, name="Group", type=type)
        self._rooms.append(room)

    async def _join(self, deed: Deed, who: Person, other: Person) -> None:
        await who.do("members.add", room=self._room(deed), user="me")

    async def _leave(self, deed: Deed, who: Person, other: Person) -> None:
        await (await self._owner(deed, who) if deed.other % 2 else who).do(
            "members.remove", room=self._room(deed), user="me"
        )

    async def _add(self, deed: Deed, who: Person, other: Person) -> None:
        await who.do("members.add", room=self._room(deed), user=other.id)

    async def _added_by(self, deed: Deed, who: Person, other: Person) -> None:
        chosen = ["nobody", "contacts", "everyone", "nobody"][deed.number % 4]
        await who.do("users.change", added_by=chosen)

    async def _invitation(self, deed: Deed, who: Person) -> str | None:
        """A room into which somebody is invited."""
        found = (await who.do("invitations.list"))["invitations"]
        return found[deed.which % len(found)]["room"] if found else None

    async def _accept(self, deed: Deed, who: Person, other: Person) -> None:
        if room := await self._invitation(deed, who):
            await who.do("members.add", room=room, user="me")

    async def _decline(self, deed: Deed, who: Person, other: Person) -> None:
        if room := await self._invitation(deed, who):
            await who.do("invitations.decline", room=room)

    async def _withdraw(self, deed: Deed, who: Person, other: Person) -> None:
        if room := await self._invitation(deed, other):
            await who.do("members.remove", room=room, user=other.id)

    async def _put_out(self, deed: Deed, who: Person, other: Person) -> None:
        await (await self._owner(deed, who)).do("members.remove", room=self._room(deed), user=other.id)

    async def _rename(self, deed: Deed, who: Person, other: Person) -> None:
        await (await self._owner(deed, who)).do("rooms.change", room=self._room(deed), name=f"Room {deed.number}")

    async def _room_data(self, deed: Deed, who: Person, other: Person) -> None:
        await (await self._owner(deed, who)).do("rooms.change", room=self._room(deed), data=self._patch(deed))

    async def _read(self, deed: Deed, who: Person, other: Person) -> None:
        await who.do("members.read", room=self._room(deed), seq=deed.number % 6)

    async def _profile(self, deed: Deed, who: Person, other: Person) -> None:
        await who.do("users.change", name=f"Name {deed.number}", data=self._patch(deed))

    async def _picture(self, deed: Deed, who: Person, other: Person) -> None:
        avatar = None if deed.number % 3 == 0 else f"https://example.org/{deed.number}.png"
        custom = {"abc"[deed.which % 3]: [None, {"d": deed.number}, {"d": None, "e": [1]}][deed.other % 3]}
        await who.do("users.change", avatar=avatar, bio=["Hello", None][deed.which % 2], custom=custom)

    async def _deactivate(self, deed: Deed, who: Person, other: Person) -> None:
        if self._leaver is None:
            self._leaver = (await who.world.person("leaver")).id
        await who.do("relationships.set", user=self._leaver, type="friend")
        name = "users.deactivate" if deed.number % 3 else "users.reactivate"
        await who.world.call(name, {"user": self._leaver}, token=self._operator)

    async def _goodbye(self, deed: Deed, who: Person, other: Person) -> None:
        """Somebody comes whom they know, says something, and goes for good."""
        gone = await who.world.person("gone", added_by="everyone", bio="Not for long")
        await who.do("relationships.set", user=gone.id, type="friend")
        await gone.say(await who.group(gone, other), f"last words {deed.number}")
        fields = {"user": gone.id, "messages": ["keep", "hide"][deed.number % 2]}
        await who.world.call("users.erase", fields, token=self._operator)

        async def done() -> bool:
            found = await who.world.call("users.erasure", {"user": gone.id}, token=self._operator)
            return found["erasure"]["done"] is not None

        await until(done, "the erasure is not done", 30)

    async def _visual(self, deed: Deed, who: Person, other: Person) -> None:
        chosen = await who.do("visuals.choose", model_data={"n": deed.number}, emotion_data={"joy": True})
        self._visuals.append((who, chosen["user"]["visual"]))

    async def _change_visual(self, deed: Deed, who: Person, other: Person) -> None:
        if self._visuals:
            owner, visual = self._visuals[deed.which % len(self._visuals)]
            await owner.do("visuals.change", visual=visual, emotion_data={"joy": deed.number % 2 == 0})

    async def _no_visual(self, deed: Deed, who: Person, other: Person) -> None:
        await who.do("visuals.choose", visual_id=None)

    async def _emotion(self, deed: Deed, who: Person, other: Person) -> None:
        if self._messages:
            _, room, message = self._message(deed)
            emotion = ["joy", "joy", "anger"][deed.number % 3]
            await self.service.do("messages.set_emotion", room=room, message=message, emotion=emotion)

    async def _log_in(self, deed: Deed, who: Person, other: Person) -> None:
        opened = await who.do("sessions.open", username=who.username, password=PASSWORD)
        self._sessions.append(opened["token"])

    async def _log_out(self, deed: Deed, who: Person, other: Person) -> None:
        if self._sessions:
            await who.world.call("sessions.close", {"session": "current"}, token=self._sessions.pop())

    async def _renew(self, deed: Deed, who: Person, other: Person) -> None:
        await who.do("sessions.renew")

    async def _email(self, deed: Deed, who: Person, other: Person) -> None:
        # Few addresses, so that people want the same.
        email = [None, self._address.format(0), self._address.format(1)][deed.number % 3]
        await who.do("users.change", email=email, password=PASSWORD)

    async def _friend(self, deed: Deed, who: Person, other: Person) -> None:
        await who.do("relationships.set", user=other.id, type="friend")

    async def _block(self, deed: Deed, who: Person, other: Person) -> None:
        self.quarrels.add(frozenset((who.id, other.id)))
        await who.do("relationships.set", user=other.id, type="block")

    async def _neither(self, deed: Deed, who: Person, other: Person) -> None:
        await who.do("relationships.remove", user=other.id)


async def cast(world: World, operator: str, people: int = 5) -> Cast:
    """Newly registered people, three of them in a group."""
    found = list(await asyncio.gather(*(world.person(f"p{n}", password=PASSWORD) for n in range(people))))
    fields = {"username": f"service-{secrets.token_hex(5)}", "scopes": ["emotions:write"]}
    service = Person(world, await world.call("services.register", fields, token=operator), "http")
    actors = Cast(found, service, operator)
    await actors.group(*found[:3])
    return actors
