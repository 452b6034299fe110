"""Who is in live channels, as their servers note it and as devices are told. Tests
``push/presence/channel_members.py`` and ``push/presence/channel_signals.py``, through a hub."""

from __future__ import annotations

from push.presence import gossip
from push.presence.channel_members import ChannelMembers
from push.presence.gossip import ChannelNote, GossipMessage, MemberNote, inside_notes
from push.presence.presence_hub import PresenceHub
from tests.push.gatherings import TICK, TTL, Ear, Nodes

RELAY = "0a1b@10.0.0.1:8403"
#: Seconds after which a silent server of channels is dead: the hub's own.
SILENT = 15.0


def user(name: str, version: int = 0) -> MemberNote:
    return MemberNote(name, name.title(), 1, version)


def inside(channel: int, *names: str) -> ChannelNote:
    """``names``: with ``@`` and the offset of their listen, where there are several."""
    pairs = [name.partition("@") for name in names]
    return ChannelNote(channel, [user(name, int(version or 0)) for name, _, version in pairs])


def one() -> tuple[Nodes, PresenceHub, Ear]:
    """A node, at which ann listens."""
    nodes = Nodes(1)
    nodes.lives("ann", "den")
    nodes.run(1)
    return nodes, nodes.all[0], nodes.connect(nodes.all[0], "ann")


def told(ear: Ear) -> list[tuple[int, list[str]]]:
    """The channel signals of a device."""
    found = [signal for signal in ear.heard if signal["signal"] == "channel"]
    return [(signal["channel"], [one["user"] for one in signal["users"]]) for signal in found]


def test_who_watches_a_channel_is_told_who_is_in_it_and_of_each_change_once() -> None:
    nodes, hub, ann = one()
    hub.take(GossipMessage(node=RELAY, inside=[inside(7, "bob")]))
    nodes.run(TICK)
    assert told(ann) == [], "who does not watch is told nothing"
    assert hub.watch(ann.client, [7, 8])
    nodes.run(TICK)
    assert told(ann) == [(7, ["bob"]), (8, [])]
    assert ann.heard[-2] == {
        "signal": "channel", "channel": 7, "users": [{"id": "Bob", "user": "bob", "number": 1}],
    }  # fmt: skip
    hub.take(GossipMessage(node=RELAY, inside=[inside(7, "bob", "eve")]))
    hub.take(GossipMessage(node=RELAY, inside=[inside(7, "bob", "eve")]))
    hub.take(GossipMessage(node=RELAY, inside=[inside(9, "dee")]))
    nodes.run(1)
    assert told(ann)[2:] == [(7, ["bob", "eve"])]
    assert hub.watch(ann.client, [8])
    hub.take(GossipMessage(node=RELAY, inside=[inside(7, "bob")]))
    nodes.run(1)
    assert told(ann)[3:] == []
    assert hub.watch(ann.client, [7])
    nodes.run(1)
    assert told(ann)[3:] == [(7, ["bob"])]


def test_what_happens_within_a_turn_is_told_once() -> None:
    nodes, hub, ann = one()
    hub.watch(ann.client, [7])
    nodes.run(TICK)
    for names in (("bob",), (), ("bob", "eve"), ("eve",)):
        hub.take(GossipMessage(node=RELAY, inside=[inside(7, *names)]))
    nodes.run(TICK)
    assert told(ann) == [(7, []), (7, ["eve"])]
    hub.take(GossipMessage(node=RELAY, inside=[inside(7, "bob")]))
    hub.take(GossipMessage(node=RELAY, inside=[inside(7, "eve")]))
    nodes.run(TICK)
    assert told(ann)[2:] == [], "who came and went within a turn was not there"


def test_a_note_of_everything_empties_what_it_does_not_name() -> None:
    nodes, hub, ann = one()
    hub.watch(ann.client, [7, 8])
    for note in inside_notes(RELAY, [inside(7, "bob"), inside(8, "eve")]):
        hub.take(note)
    nodes.run(TICK)
    for note in inside_notes(RELAY, [inside(8, "eve")]):
        hub.take(note)
    nodes.run(TICK)
    assert told(ann) == [(7, ["bob"]), (8, ["eve"]), (7, [])]
    for note in inside_notes(RELAY, []):
        hub.take(note)
    nodes.run(TICK)
    assert told(ann)[3:] == [(8, [])]


def test_everything_is_told_in_notes_that_fit() -> None:
    many = [ChannelNote(n, [MemberNote(f"{n}-{k}" * 4, "n" * 64, k, 10**9) for k in range(25)]) for n in range(1000)]
    notes = inside_notes(RELAY, many)
    assert len(notes) > 1 and all(len(gossip.encode(note)) < 700_000 for note in notes)
    members = ChannelMembers(ttl=SILENT)
    for note in notes:
        members.take(gossip.decode(gossip.encode(note)), 0.0)
    assert set(members.changes()) == set(range(1000))
    assert [list(members.of(n)) for n in range(1000)] == [one.users for one in many]


def test_servers_that_stop_are_silent_or_start_anew_have_nobody() -> None:
    nodes, hub, ann = one()
    hub.watch(ann.client, [7])

    def now(*names: str, node: str = RELAY, bye: bool = False) -> list[tuple[int, list[str]]]:
        before = len(told(ann))
        hub.take(GossipMessage(node=node, bye=True) if bye else GossipMessage(node=node, inside=[inside(7, *names)]))
        nodes.run(TICK)
        return told(ann)[before:]

    assert now("bob") == [(7, ["bob"])]
    assert now(bye=True) == [(7, [])]
    assert now("bob") == [(7, ["bob"])]
    nodes.run(SILENT - 2)
    assert told(ann)[-1] == (7, ["bob"])
    nodes.run(TTL / 3 + 3)
    assert told(ann)[-1] == (7, []), "silent for too long"
    assert now("bob") == [(7, ["bob"])]
    assert now("eve", node="ffff@10.0.0.1:8403") == [(7, ["eve"])], "the relay that was at this address is gone"
    assert now("bob", node="cccc@10.0.0.2:8403") == [(7, ["eve", "bob"])], "another one is another"
    assert now("dee", node="a service account") == [(7, ["eve", "bob", "dee"])], "and so is a server of others"


def test_a_user_is_where_the_latest_listen_led() -> None:
    nodes, hub, ann = one()
    hub.watch(ann.client, [7, 8])
    nodes.run(TICK)
    before = len(told(ann))
    hub.take(GossipMessage(node=RELAY, inside=[inside(7, "bob@5", "eve@6")]))
    nodes.run(TICK)
    hub.take(GossipMessage(node="cccc@10.0.0.2:8403", inside=[inside(8, "bob@9")]))
    nodes.run(TICK)
    assert told(ann)[before:] == [(7, ["bob", "eve"]), (8, ["bob"]), (7, ["eve"])]
    # The relay that has not cut him off yet, or is dead, says so again.
    for note in inside_notes(RELAY, [inside(7, "bob@5", "eve@6")]):
        hub.take(note)
    nodes.run(TICK)
    assert told(ann)[before + 3 :] == []
    hub.take(GossipMessage(node="cccc@10.0.0.2:8403", bye=True))
    nodes.run(TICK)
    assert sorted(told(ann)[before + 3 :]) == [(7, ["bob", "eve"]), (8, [])]


def test_who_cannot_read_takes_no_server_for_dead() -> None:
    nodes, hub, ann = one()
    hub.watch(ann.client, [7])
    hub.take(GossipMessage(node=RELAY, inside=[inside(7, "bob")]))
    nodes.run(TICK)
    nodes.loses = lambda note, to: True
    nodes.run(TTL)
    assert told(ann)[-1] == (7, ["bob"])
    nodes.loses = lambda note, to: False
    nodes.run(TTL / 3 + 1)
    assert told(ann)[-1] == (7, [])


def test_a_block_hides_somebody_in_a_channel_and_nothing_shows_it() -> None:
    nodes, hub, ann = one()
    hub.watch(ann.client, [7])
    hub.take(GossipMessage(node=RELAY, inside=[inside(7, "bob", "eve")]))
    nodes.run(TICK)
    assert told(ann) == [(7, ["bob", "eve"])]
    hub.related("bob", "ann", True)
    nodes.run(TICK)
    assert told(ann)[1:] == [(7, ["eve"])]
    hub.take(GossipMessage(node=RELAY, inside=[inside(7, "eve")]))
    nodes.run(TICK)
    hub.take(GossipMessage(node=RELAY, inside=[inside(7, "eve", "bob")]))
    nodes.run(TICK)
    assert told(ann)[2:] == [], "not even that something changed"
    hub.related("bob", "ann", False)
    nodes.run(TICK)
    assert told(ann)[2:] == [(7, ["eve", "bob"])]


def test_a_device_that_missed_a_signal_is_told_everything_when_it_takes_some() -> None:
    nodes, hub, ann = one()
    hub.watch(ann.client, [7])
    nodes.run(TICK)
    ann.deaf = True
    hub.take(GossipMessage(node=RELAY, inside=[inside(7, "bob")]))
    nodes.run(1)
    ann.deaf = False
    nodes.run(1)
    assert told(ann) == [(7, []), (7, ["bob"])]


def test_who_has_gone_watches_nothing() -> None:
    nodes, hub, ann = one()
    hub.watch(ann.client, [7])
    hub.leave(ann.client)
    hub.take(GossipMessage(node=RELAY, inside=[inside(7, "bob")]))
    nodes.run(1)
    assert told(ann) == []
    assert not hub.watch(ann.client, [7]), "nobody knows it"
    assert not hub._channel_signals._watchers and not hub._channel_signals._watches
