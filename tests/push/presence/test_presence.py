"""The table of who is present: nodes that start, die, stop, miss notes, or have a clock of their own."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from push.presence.gossip import GossipMessage, Present
from push.presence.presence import OFFLINE, Presence
from push.presence.presence_hub import PresenceHub
from tests.push.gatherings import TICK, TTL, Ear, Nodes


def three() -> tuple[Nodes, dict[str, Ear]]:
    """Three nodes; ann at the first, bob and eve at the second, eve at the third too; all in one room."""
    nodes = Nodes(3)
    for user in ("ann", "bob", "eve"):
        nodes.lives(user, "den")
    nodes.run(1)
    places = (("ann", 0), ("bob", 1), ("eve", 1), ("eve", 2))
    ears = {f"{user}{number}": nodes.connect(nodes.all[number], user) for user, number in places}
    nodes.run(1)
    return nodes, ears


def statuses(node: PresenceHub) -> dict[str, str]:
    return {user: node.state(user).status for user in ("ann", "bob", "eve")}


ALL = {"ann": "online", "bob": "online", "eve": "online"}


def test_a_dead_node_s_people_are_offline_and_those_connected_elsewhere_are_not() -> None:
    nodes, ears = three()
    nodes.run(TTL / 3 - 1)
    nodes.dead.add(nodes.all[1].node)
    killed = nodes.now
    while statuses(nodes.all[0]) == ALL:
        nodes.turn()
    # It was silent for up to a third of that when it was killed.
    assert TTL - TTL / 3 <= nodes.now - killed <= TTL + TICK
    nodes.run(TICK)
    assert statuses(nodes.all[0]) == statuses(nodes.all[2]) == {**ALL, "bob": "offline"}
    assert ears["ann0"].status("bob")[0] == "offline" and ears["eve2"].status("bob")[0] == "offline"
    assert [one.user for _, one in nodes.departed] == ["bob"], "one of the living says so, once"


def test_a_node_that_stops_says_so() -> None:
    nodes, _ = three()
    nodes.send(nodes.all[1].bye())
    nodes.dead.add(nodes.all[1].node)
    nodes.run(1)
    assert statuses(nodes.all[0]) == ALL, "its people have some seconds to come back elsewhere"
    nodes.connect(nodes.all[2], "bob")
    nodes.run(TTL / 10)
    assert statuses(nodes.all[0]) == ALL and not nodes.departed
    nodes.send(nodes.all[2].bye())
    nodes.dead.add(nodes.all[2].node)
    stopped = nodes.now
    nodes.run(TTL / 10 + 1)
    assert statuses(nodes.all[0]) == {"ann": "online", "bob": "offline", "eve": "offline"}
    assert {one.user for _, one in nodes.departed} == {"bob", "eve"}
    assert all(abs(one.seen / 1000 - stopped) < 1 for _, one in nodes.departed)


def test_a_node_that_sends_its_clients_away_tells_nobody_that_they_have_gone() -> None:
    nodes, ears = three()
    nodes.all[1].close()
    nodes.all[1].leave(ears["bob1"].client)
    nodes.run(TTL / 2)
    assert statuses(nodes.all[0]) == ALL
    nodes.connect(nodes.all[2], "bob")
    nodes.run(1)
    nodes.send(nodes.all[1].bye())
    nodes.dead.add(nodes.all[1].node)
    nodes.run(TTL)
    assert statuses(nodes.all[0]) == ALL and not nodes.departed


def test_a_node_that_starts_learns_of_everybody() -> None:
    nodes, _ = three()
    new = nodes.add()
    nodes.run(2.5)
    assert statuses(new) == ALL and sorted(new.inside("den")) == ["ann", "bob", "eve"]


def test_a_process_without_connections_knows_too_and_is_asked_nothing() -> None:
    nodes, _ = three()
    reader = PresenceHub(part=False, ttl=TTL, clock=lambda: nodes.now, wall=lambda: nodes.now)
    nodes.all.append(reader)
    nodes.run(2.5)
    assert statuses(reader) == ALL
    reader.type("bob", "den", True)
    nodes.run(0.5)
    assert not any(note.ask for note in nodes.all[0].turn().gossip)
    nodes.dead |= {nodes.all[1].node, nodes.all[2].node, nodes.all[0].node}
    nodes.run(TTL + 1)
    assert set(statuses(reader).values()) == {"offline"} and not nodes.departed


def test_a_lost_note_is_noticed_and_made_good() -> None:
    nodes, ears = three()
    nodes.loses = lambda note, to: bool(note.gone) and to is nodes.all[0]
    nodes.all[1].leave(ears["bob1"].client)
    nodes.run(TTL / 10 + 1)
    assert statuses(nodes.all[0]) == ALL and statuses(nodes.all[2]) == {**ALL, "bob": "offline"}
    nodes.loses = lambda note, to: False
    nodes.run(TTL / 3 + 2)
    assert statuses(nodes.all[0]) == {**ALL, "bob": "offline"}


def test_who_cannot_read_takes_nobody_for_dead() -> None:
    nodes, _ = three()
    nodes.loses = lambda note, to: to is nodes.all[0]
    nodes.run(5 * TTL)
    assert statuses(nodes.all[0]) == ALL, "its own notes do not come back either"
    assert statuses(nodes.all[2]) == {**ALL}
    # Its own notes come back first: of the others it has still received nothing.
    nodes.loses = lambda note, to: to is nodes.all[0] and note.node != to.node
    nodes.run(TTL / 3 + 1)
    assert statuses(nodes.all[0]) == ALL
    nodes.loses = lambda note, to: False
    nodes.run(TTL)
    assert statuses(nodes.all[0]) == ALL and not nodes.departed


def test_two_nodes_that_lose_a_user_in_the_same_moment_note_it_once() -> None:
    nodes, ears = three()
    nodes.all[1].leave(ears["eve1"].client)
    nodes.all[2].leave(ears["eve2"].client)
    nodes.run(TTL / 10 + 1)
    assert statuses(nodes.all[0])["eve"] == "offline"
    assert len(nodes.departed) == 1


def test_an_activity_is_never_in_the_future() -> None:
    table = Presence("here", ttl=TTL, grace=1)
    ahead = Present("bob", "online", 5_000_000, None, [], ["den"])
    assert not table.take(GossipMessage(node="there", seq=1, whole=(0, 1), present=[ahead]), now=0.0, wall=4_000_000)
    assert table.state("bob").active == 4_000_000


def test_a_telling_of_everything_that_is_cut_off_is_asked_for_again() -> None:
    table = Presence("here", ttl=TTL, grace=1)
    bob, eve = (Present(user, "online", 1, None, [], ["den"]) for user in ("bob", "eve"))
    assert not table.take(GossipMessage(node="there", seq=1, whole=(0, 1), present=[bob, eve]), 0.0, 1)
    assert not table.take(GossipMessage(node="there", seq=2, whole=(0, 2), present=[bob]), 0.0, 1)
    assert table.take(GossipMessage(node="there", seq=4), 0.0, 1), "the second half is lost"
    assert table.state("eve").status == "online", "nobody has gone for want of knowing"
    assert not table.take(GossipMessage(node="there", seq=5, whole=(0, 2), present=[bob]), 0.0, 1)
    assert not table.take(GossipMessage(node="there", seq=6, whole=(1, 2)), 0.0, 1)
    assert table.state("eve") == OFFLINE and table.state("bob").status == "online"


@pytest.mark.parametrize("seq", [1, 7])
def test_a_note_of_an_unknown_node_makes_it_be_asked(seq: int) -> None:
    table = Presence("here", ttl=TTL, grace=1)
    assert table.take(GossipMessage(node="there", seq=seq), 0.0, 1)


@given(st.randoms(use_true_random=False))
def test_whatever_is_lost_in_the_end_all_agree(chance: random.Random) -> None:
    """People come, go, move and act at random on nodes that lose notes and die; then nothing is lost any more."""
    nodes = Nodes(3)
    people = [f"u{n}" for n in range(6)]
    for user in people:
        nodes.lives(user, *chance.sample(["den", "hut", "hall"], 2))
    connected: list[tuple[PresenceHub, str, Ear]] = []
    nodes.loses = lambda note, to: chance.random() < 0.2
    for _ in range(40):
        node, user = chance.choice(nodes.all), chance.choice(people)
        what = chance.randrange(6)
        if what < 2:
            connected.append((node, user, nodes.connect(node, user)))
        elif what == 2 and connected:
            left = connected.pop(chance.randrange(len(connected)))
            left[0].leave(left[2].client)
        elif what == 3 and connected:
            at, who, ear = chance.choice(connected)
            at.show(ear.client, chance.choice(sorted(nodes.rooms[who])), away=chance.random() < 0.3)
        nodes.run(chance.choice([0.25, 1, 5]))
    dead = nodes.all[2] if chance.random() < 0.5 else None
    if dead is not None:
        nodes.dead.add(dead.node)
    nodes.loses = lambda note, to: False
    nodes.run(2 * TTL + 5)
    alive = [node for node in nodes.all if node is not dead]
    for user in people:
        there = [(at, ear) for at, who, ear in connected if who == user and at is not dead]
        states = {node.state(user)._replace(active=None) for node in alive}
        assert len(states) == 1
        assert (states.pop() != OFFLINE) == bool(there)
        for _, ear in there:
            for other in people:
                shares = nodes.rooms[user] & nodes.rooms[other] and other != user
                seen = alive[0].state(other).status if shares else "offline"
                assert ear.status(other)[0] == seen
