"""Presence, typing and watching over several nodes, without a network: who is told what, and how often."""

from __future__ import annotations

from push.presence import gossip
from push.presence.gossip import Present, chunks
from tests.push.gatherings import AWAY, TTL, Ear, Nodes


def two() -> tuple[Nodes, Ear]:
    """Two nodes; ann listens at the first; ann and bob are in ``den``, eve is in ``hut``."""
    nodes = Nodes()
    nodes.lives("ann", "den", "attic")
    nodes.lives("bob", "den", "cellar")
    nodes.lives("eve", "hut")
    nodes.run(1)
    return nodes, nodes.connect(nodes.all[0], "ann")


def test_a_user_of_another_node_comes_idles_acts_and_goes() -> None:
    nodes, ann = two()
    bob = nodes.connect(nodes.all[1], "bob")
    nodes.run(1)
    assert ann.status("bob") == ("online", None) and bob.status("ann") == ("online", None)
    nodes.run(AWAY)
    assert ann.status("bob") == ("away", None)
    nodes.all[1].acted(bob.client)
    nodes.run(1)
    assert ann.status("bob") == ("online", None)
    nodes.all[1].leave(bob.client)
    nodes.run(1)
    assert ann.status("bob") == ("online", None), "a page that is loaded again is no event"
    nodes.run(TTL / 10)
    assert ann.status("bob") == ("offline", None)
    assert [(node, one.user) for node, one in nodes.departed] == [(nodes.all[1].node, "bob")]
    nodes.all[0].leave(ann.client)
    nodes.run(TTL)
    assert [(node, one.user) for node, one in nodes.departed][1:] == [(nodes.all[0].node, "ann")], "who had them"


def test_who_shares_no_room_hears_nothing_and_is_not_heard_of() -> None:
    nodes, ann = two()
    eve = nodes.connect(nodes.all[0], "eve")
    nodes.run(TTL)
    nodes.all[0].leave(eve.client)
    nodes.run(TTL)
    assert not ann.heard and not eve.heard


def put() -> tuple[Nodes, Ear, Ear]:
    """The same; bob listens at the second node, and was put into ``den``."""
    nodes, ann = two()
    nodes.unwilling = {("bob", "den")}
    bob = nodes.connect(nodes.all[1], "bob")
    nodes.run(TTL)
    return nodes, ann, bob


def test_who_was_put_into_a_room_is_not_heard_of_there_and_hears_of_nobody() -> None:
    nodes, ann, bob = put()
    nodes.all[0].type("ann", "den", True)
    nodes.run(1)
    assert not ann.heard and not bob.heard
    assert nodes.all[0].inside("den") == {"ann"}


def test_who_reads_or_speaks_where_they_were_put_is_there() -> None:
    nodes, ann, bob = put()
    nodes.all[1].acted_in("bob", "cellar")
    nodes.run(1)
    assert not ann.heard and not bob.heard, "it is another room"
    nodes.all[1].acted_in("bob", "den")
    nodes.run(1)
    assert ann.status("bob") == ("online", None) and bob.status("ann") == ("online", None)


def test_who_is_put_into_a_room_while_they_listen() -> None:
    nodes, ann = two()
    nodes.lives("eve", "hut")
    eve = nodes.connect(nodes.all[0], "eve")
    nodes.all[0].moved("eve", "den", True, 3, willing=False)
    nodes.run(1)
    assert not ann.heard and not eve.heard
    # Put out again, they are nowhere; and who comes by themselves is there.
    nodes.all[0].moved("eve", "den", False)
    nodes.all[0].acted_in("eve", "den")
    nodes.run(1)
    assert not ann.heard and not eve.heard
    nodes.all[0].moved("eve", "den", True, 3)
    nodes.run(1)
    assert ann.status("eve") == ("online", None) and eve.status("ann") == ("online", None)


def test_a_room_shows_only_to_those_who_are_in_it_too() -> None:
    nodes, ann = two()
    bob = nodes.connect(nodes.all[1], "bob")
    nodes.run(1)
    frames = len(ann.frames)
    nodes.all[1].show(bob.client, "cellar", away=False)
    nodes.run(1)
    assert len(ann.frames) == frames, "to her nothing has changed"
    nodes.all[1].show(bob.client, "den", away=False)
    nodes.run(1)
    assert ann.status("bob") == ("online", "den")


def test_several_devices_make_one_presence() -> None:
    nodes, ann = two()
    phone, desk = nodes.connect(nodes.all[0], "bob"), nodes.connect(nodes.all[1], "bob")
    nodes.all[0].show(phone.client, "den", away=False)
    nodes.run(1)
    assert ann.status("bob") == ("online", "den")
    nodes.all[1].show(desk.client, "cellar", away=False)
    nodes.run(1)
    assert ann.status("bob") == ("online", None), "the device that was used last shows another room"
    nodes.all[0].acted(phone.client)
    nodes.run(1)
    assert ann.status("bob") == ("online", "den"), "until the first is used again"
    tablet = nodes.connect(nodes.all[0], "bob")
    nodes.run(1)
    assert ann.status("bob") == ("online", None), "one that has just come shows nothing"
    nodes.all[0].acted(phone.client)
    nodes.run(1)
    assert ann.status("bob") == ("online", "den")
    nodes.all[0].leave(tablet.client)
    nodes.all[0].show(phone.client, "den", away=True)
    nodes.run(1)
    assert ann.status("bob")[0] == "online", "the other device is in use"
    nodes.all[1].leave(desk.client)
    nodes.run(TTL / 10 + 1)
    assert ann.status("bob") == ("away", "den")
    assert not nodes.departed


def test_who_comes_back_within_a_turn_is_not_told_of() -> None:
    nodes, ann = two()
    bob = nodes.connect(nodes.all[0], "bob")
    nodes.run(1)
    frames = len(ann.frames)
    for _ in range(3):
        nodes.all[0].leave(bob.client)
        bob = nodes.connect(nodes.all[0], "bob")
    nodes.all[0].show(bob.client, "den", away=True)
    nodes.all[0].show(bob.client, None, away=False)
    nodes.run(TTL)
    assert len(ann.frames) == frames


def test_a_crowd_that_comes_at_once_is_one_frame_a_turn_for_each() -> None:
    nodes = Nodes()
    people = [f"u{n}" for n in range(100)]
    for number, user in enumerate(people):
        nodes.lives(user, f"room{number // 10}")
    nodes.run(1)
    ears = {}
    for step in range(5):
        for user in people[step::5]:
            ears[user] = nodes.connect(nodes.all[step % 2], user)
        nodes.turn()
    before = nodes.records
    nodes.run(2)
    assert nodes.records - before <= 4
    for number, (user, ear) in enumerate(sorted(ears.items(), key=lambda pair: people.index(pair[0]))):
        mates = people[number // 10 * 10 :][:10]
        assert all(ear.status(mate)[0] == "online" for mate in mates if mate != user)
        assert len(ear.frames) <= 7


def test_a_block_hides_both_from_each_other_at_once() -> None:
    nodes, ann = two()
    bob = nodes.connect(nodes.all[1], "bob")
    nodes.run(1)
    for node in nodes.all:
        node.related("ann", "bob", True)
    nodes.run(1)
    assert ann.status("bob")[0] == "offline" and bob.status("ann")[0] == "offline"
    nodes.all[0].show(ann.client, "den", away=False)
    nodes.run(1)
    frames = len(ann.frames), len(bob.frames)
    nodes.all[1].type("bob", "den", True)
    nodes.all[1].show(bob.client, "den", away=False)
    nodes.all[1].show(bob.client, None, away=True)
    nodes.run(2)
    assert (len(ann.frames), len(bob.frames)) == frames
    assert ann.last("typing", "den") is None, "not even that somebody types of whom she may not know"
    assert ann.last("watching", "den") == {"count": 1, "users": ["ann"]}
    for node in nodes.all:
        node.related("bob", "ann", True)
        node.related("ann", "bob", False)
    nodes.run(1)
    assert (len(ann.frames), len(bob.frames)) == frames, "the other still blocks, and nothing shows of it"
    for node in nodes.all:
        node.related("bob", "ann", False)
    nodes.run(1)
    assert ann.status("bob")[0] == "away" and bob.status("ann") == ("online", "den")


def test_a_watcher_who_is_hidden_does_not_show_by_a_signal_of_nothing() -> None:
    nodes, ann = two()
    nodes.lives("eve", "den")
    nodes.blocks.add(("ann", "bob"))
    nodes.all[0].leave(ann.client)
    ann, bob, eve = (nodes.connect(nodes.all[0], user) for user in ("ann", "bob", "eve"))
    for ear in (ann, eve):
        nodes.all[0].show(ear.client, "den", away=False)
    nodes.run(1)
    frames = len(ann.frames)
    nodes.all[0].show(bob.client, "den", away=False)
    nodes.run(1)
    assert eve.last("watching", "den")["count"] == 3
    assert len(ann.frames) == frames and ann.last("watching", "den")["count"] == 2


def test_a_block_of_somebody_who_is_not_there_is_not_told() -> None:
    nodes, ann = two()
    for blocked in (True, False):
        nodes.all[0].related("bob", "ann", blocked)
        nodes.run(1)
    assert not ann.heard


def test_a_block_that_was_there_before_is_learnt() -> None:
    nodes, ann = two()
    nodes.blocks.add(("bob", "ann"))
    nodes.all[0].leave(ann.client)
    ann, bob = nodes.connect(nodes.all[0], "ann"), nodes.connect(nodes.all[1], "bob")
    nodes.run(1)
    assert not ann.heard and not bob.heard


def test_who_leaves_a_room_hears_no_more_of_it_and_nobody_of_them() -> None:
    nodes, ann = two()
    bob = nodes.connect(nodes.all[1], "bob")
    nodes.all[1].show(bob.client, "den", away=False)
    nodes.run(1)
    nodes.all[1].moved("bob", "den", False)
    nodes.run(1)
    assert ann.status("bob")[0] == "offline" and bob.status("ann")[0] == "offline"
    frames = len(bob.frames)
    nodes.all[0].type("ann", "den", True)
    nodes.all[0].show(ann.client, "den", away=True)
    nodes.run(1)
    assert len(bob.frames) == frames
    assert ann.last("watching", "den") == {"count": 1, "users": ["ann"]}
    nodes.all[1].moved("bob", "den", True, members=2)
    nodes.run(1)
    assert ann.status("bob")[0] == "online" and bob.status("ann")[0] == "away"


def test_in_a_large_room_only_those_who_show_it_hear() -> None:
    nodes = Nodes()
    nodes.sizes["hall"] = 257
    for user in ("ann", "bob", "eve"):
        nodes.lives(user, "hall")
    ann, bob, eve = (nodes.connect(nodes.all[number % 2], user) for number, user in enumerate(("ann", "bob", "eve")))
    nodes.all[1].show(bob.client, "hall", away=False)
    nodes.all[0].show(eve.client, "hall", away=False)
    nodes.all[0].type("ann", "hall", True)
    nodes.run(1)
    assert not ann.heard, "she does not show it"
    assert eve.last("watching", "hall") == bob.last("watching", "hall")
    assert bob.last("watching", "hall")["count"] == 2 and bob.last("typing", "hall") == {"users": ["ann"]}
    assert all(one["signal"] != "presence" for one in [*bob.heard, *eve.heard])
    assert sorted(nodes.all[0].inside("hall")) == ["ann", "bob", "eve"], "it can be asked for"


def test_who_joins_a_large_room_is_not_told_of_all_who_are_in_it() -> None:
    nodes = Nodes()
    nodes.sizes["hall"] = 300
    for user in ("ann", "bob", "eve"):
        nodes.lives(user, "hall")
    nodes.lives("joe")
    for user in ("ann", "bob", "eve"):
        nodes.connect(nodes.all[0], user)
    joe = nodes.connect(nodes.all[1], "joe")
    nodes.run(1)
    nodes.all[1].moved("joe", "hall", True, members=301)
    nodes.run(1)
    nodes.all[1].moved("joe", "hall", False)
    nodes.run(1)
    nodes.all[1].moved("joe", "hall", True)
    nodes.run(1)
    assert not joe.heard, "nor where it is not known how large it is"


def test_a_room_that_grows_large_or_is_deleted_tells_no_more() -> None:
    nodes, ann = two()
    bob = nodes.connect(nodes.all[1], "bob")
    nodes.run(1)
    for node in nodes.all:
        node.shut("den", True)
    nodes.run(1)
    assert ann.status("bob")[0] == "offline" and not nodes.all[0].is_in("ann", "den")
    for node in nodes.all:
        node.shut("den", False)
    nodes.run(1)
    assert ann.status("bob")[0] == "online"
    for node in nodes.all:
        for at in range(257):
            node.counted("den", True, at)
            node.counted("den", True, at)
    frames = len(ann.frames)
    nodes.all[1].show(bob.client, "den", away=True)
    nodes.run(1)
    assert len(ann.frames) == frames


def test_typing_ends_by_itself_by_word_and_by_a_message() -> None:
    nodes, ann = two()
    nodes.connect(nodes.all[1], "bob")
    nodes.run(1)
    records = nodes.records
    for _ in range(20):
        nodes.all[1].type("bob", "den", True)
        nodes.turn()
    assert ann.last("typing", "den") == {"users": ["bob"]}
    assert nodes.records - records <= 7, "an app that says it at every key costs one record a second"
    nodes.run(5.5)
    assert ann.last("typing", "den") == {"users": []}
    for ends in ("by word", "by a message"):
        nodes.all[1].type("bob", "den", True)
        nodes.run(1)
        assert ann.last("typing", "den") == {"users": ["bob"]}
        if ends == "by word":
            nodes.all[1].type("bob", "den", False)
        else:
            for node in nodes.all:
                node.posted("bob", "den")
        nodes.run(0.5)
        assert ann.last("typing", "den") == {"users": []}


def test_a_word_of_typing_that_comes_after_the_message_is_an_old_one() -> None:
    nodes, ann = two()
    nodes.connect(nodes.all[1], "bob")
    nodes.run(1)
    nodes.all[1].type("bob", "den", True)
    nodes.run(0.5)
    nodes.all[0].posted("bob", "den")
    nodes.all[0].take(gossip.GossipMessage(node="late", typed=[gossip.Typed("bob", "den", True)]))
    nodes.run(0.25)
    assert ann.last("typing", "den") == {"users": []}
    nodes.run(0.5)
    nodes.all[0].take(gossip.GossipMessage(node="new", typed=[gossip.Typed("bob", "den", True)]))
    nodes.run(0.25)
    assert ann.last("typing", "den") == {"users": ["bob"]}


def test_who_opens_a_room_is_told_of_it_and_the_others_of_them() -> None:
    nodes, ann = two()
    bob = nodes.connect(nodes.all[1], "bob")
    nodes.run(1)
    nodes.all[1].show(bob.client, "den", away=False)
    nodes.run(1)
    assert ann.last("watching", "den") is None, "she does not show it"
    nodes.all[0].show(ann.client, "den", away=False)
    nodes.run(1)
    assert ann.last("watching", "den") == bob.last("watching", "den") == {"count": 2, "users": ["bob", "ann"]}
    again = nodes.connect(nodes.all[0], "ann")
    nodes.all[0].show(again.client, "den", away=False)
    nodes.run(1)
    assert again.last("watching", "den") == {"count": 2, "users": ["bob", "ann"]}


def test_a_device_that_does_not_keep_up_is_told_everything_when_it_does() -> None:
    nodes, ann = two()
    bob = nodes.connect(nodes.all[1], "bob")
    nodes.run(1)
    ann.deaf = True
    nodes.all[1].show(bob.client, None, away=True)
    nodes.run(1)
    frames = len(ann.frames)
    ann.deaf = False
    nodes.run(1)
    assert ann.status("bob")[0] == "away"
    assert len(ann.frames) == frames + 1, "in one frame, and not one for each that was dropped"


def test_an_own_device_hears_at_once_what_is_known_when_it_comes() -> None:
    nodes, _ = two()
    bob = nodes.connect(nodes.all[1], "bob")
    nodes.turn()
    assert [frame[0]["signal"] for frame in bob.frames] == ["presence"]
    assert bob.status("ann") == ("online", None)


def test_nothing_private_is_on_the_topic() -> None:
    assert Present.__struct_fields__ == ("user", "status", "active", "room", "open", "rooms")


def test_what_does_not_fit_into_a_note_is_parted() -> None:
    present = [Present(f"u{n}", "online", 0, None, [], [f"r{m}" for m in range(100)]) for n in range(500)]
    parts = list(chunks(present))
    assert len(parts) > 5 and [one for part in parts for one in part] == present
    assert list(chunks([])) == [[]]
