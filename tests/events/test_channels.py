"""What makes channels, users' numbers and listens what they are. Tests ``events/channels.py``."""

from __future__ import annotations

from events.channels import (
    COUNTER,
    ChannelCreated,
    ChannelDeleted,
    ChannelListened,
    ChannelUserNumbered,
    channel_key,
    channel_user_key,
    listening_key,
)
from tests.events.given import TIME, Given

CREATED = ChannelCreated(channel=1, name="Raid", limit=5, owner="ada")
ADA = channel_user_key("ada")


def test_a_channel_is_counted_with_its_owner() -> None:
    given = Given().when(CREATED, actor="ada")
    channel = {
        "id": 1, "name": "Raid", "limit": 5, "owner": "ada", "state": "created", "created": TIME.format(0),
        "deleted": None,
    }  # fmt: skip
    given.then({channel_key(1): channel, ADA: {"channels": 1, "number": None}, COUNTER: {"channel": 1, "number": 0}})
    second = ChannelCreated(channel=2, name="Raid", limit=5, owner="ada")
    given.when(second).then({channel_key(2): {"id": 2}, ADA: {"channels": 2}, COUNTER: {"channel": 2, "number": 0}})


def test_a_deletion_keeps_the_id() -> None:
    given = Given(CREATED).when(ChannelDeleted(channel=1, owner="ada"), actor="operator")
    given.then({channel_key(1): {"state": "deleted", "deleted": TIME.format(1), "name": "Raid"}, ADA: {"channels": 0}})
    given.when(ChannelDeleted(channel=1, owner="ada")).then({})


def test_numbers_and_channels_do_not_disturb_each_other() -> None:
    given = Given(CREATED).when(ChannelUserNumbered(user="ada", number=1))
    given.then({ADA: {"number": 1, "channels": 1}, COUNTER: {"channel": 1, "number": 1}})
    given.when(ChannelUserNumbered(user="bob", number=2))
    given.then({channel_user_key("bob"): {"number": 2, "channels": 0}, COUNTER: {"channel": 1, "number": 2}})


def test_the_last_listen_counts() -> None:
    first = ChannelListened(channel=1, server="a", number=1, was=None)
    given = Given().when(first, actor="ada")
    given.then({listening_key("s"): {"channel": 1, "server": "a", "listened": TIME.format(0), "version": 0}})
    given.when(ChannelListened(channel=2, server="b", number=1, was="a"), actor="ada")
    given.then({listening_key("s"): {"channel": 2, "server": "b", "listened": TIME.format(1), "version": 1}})
