"""What pinning and unpinning make true of the room. Tests ``events/pins.py``."""

from __future__ import annotations

from events.pins import MessagePinned, MessageUnpinned, pin_key
from events.rooms import RoomCreated, room_key
from tests.events.given import TIME, Given

CREATED = RoomCreated(type="group", visibility="public", name="Room", data={})
ROOM, PIN = room_key("s"), pin_key("s", "m")
PINNED, UNPINNED = MessagePinned(message="m"), MessageUnpinned(message="m")


def test_a_pin_counts_once() -> None:
    given = Given(CREATED).when(PINNED, actor="ada")
    pin = {"message": "m", "state": "pinned", "by": "ada", "pinned": TIME.format(1)}
    given.then({PIN: pin, ROOM: {"pins": 1, "updated": TIME.format(0)}})
    given.when(PINNED, actor="bob").then({})
    given.when(MessagePinned(message="n")).then({pin_key("s", "n"): {"state": "pinned"}, ROOM: {"pins": 2}})


def test_what_was_unpinned_can_be_pinned_by_another() -> None:
    given = Given(CREATED, PINNED).when(UNPINNED, actor="bob")
    given.then({PIN: {"state": "unpinned", "by": "ada", "pinned": TIME.format(1)}, ROOM: {"pins": 0}})
    given.when(UNPINNED).then({})
    given.when(PINNED, actor="bob").then(
        {PIN: {"state": "pinned", "by": "bob", "pinned": TIME.format(4)}, ROOM: {"pins": 1}}
    )


def test_in_a_room_that_is_not_there_nothing_is_pinned() -> None:
    Given().when(PINNED).then({})
    Given().when(UNPINNED).then({})
