"""Ubuntu's IRC logs line by line, their times, and what is planned for them: no I/O but reading files."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import RFC_4122, UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.core.clock import from_datetime
from events.core.visible_text import unlike_a_name
from infra.ops.irc import people
from infra.ops.irc.forms.ubuntu import parse
from infra.ops.irc.lines import (
    BLANK,
    CTCP,
    EMPTY,
    MODE,
    UNKNOWN,
    Came,
    Ops,
    Renamed,
    Skipped,
    Spoken,
    Topic,
    Went,
    What,
    clean,
)
from infra.ops.irc.plan import MESSAGE, TOPIC, ImportPlan, Piece
from producers.limits import Slug, Username
from producers.names import check_username
from producers.rooms import named
from tests.infra.ops.irc.importing import filled, lines_of, log

SECRET = "ab" * 32

UNTIMED: list[tuple[str, What]] = [
    ("=== topyli [~juha@dsl-hkigw3k9b.dial.inet.fi]  has left #ubuntu []", Went("topyli", "#ubuntu")),
    ('=== DAC1138 [~dave@24-56-174-97.example]  has left #ubuntu [""Buy.]', Went("DAC1138", "#ubuntu")),
    ('=== sangria [n=jaime@core.example]  has left #ubuntu ["Leaving"] ', Went("sangria", "#ubuntu")),
    ("=== tuxx [~tuxx@host.example]  has joined #ubuntu", Came("tuxx", "#ubuntu")),
    ("=== FireEgl [Ariel@2001:5c0:84dc:2::]  has joined #Ubuntu", Came("FireEgl", "#Ubuntu")),
    # The logger wrote a blank after each bracket.
    ("=== [optik]  [~optik@200.106.11.64]  has joined #ubuntu", Came("[optik]", "#ubuntu")),
    ("=== N}{N[] O [n=Conectin@host]  has left #ubuntu [x]", Went("N}{N[]O", "#ubuntu")),
    ("=== [cc] smart [n=[cc] smar@gw.example]  has joined #ubuntu", Came("[cc]smart", "#ubuntu")),
    ("=== Guard] [an [n=Guardian@host]  has joined #ubuntu", Came("Guard][an", "#ubuntu")),
    ("=== [GuS] [n=x@y] has joined #ubuntu", Came("[GuS]", "#ubuntu")),
    ("=== Istario [n=[tgn] cok@67.170.242.255]  has left #ubuntu []", Went("Istario", "#ubuntu")),
    ("=== usual is now known as ubuntor", Renamed("usual", "ubuntor")),
    ("=== Cre[a] tiveEmb[a]  is now known as CreativeEmbassy", Renamed("Cre[a]tiveEmb[a]", "CreativeEmbassy")),
    ("=== server_ is now known as Bart] ", Renamed("server_", "Bart]")),
    ("=== ubuntu_ was kicked off #ubuntu by Amaranth (Amaranth)", Went("ubuntu_", "#ubuntu", kicked=True)),
    ("=== mode/#ubuntu [+o Amaranth]  by ChanServ", Ops("#ubuntu", (("Amaranth", True),))),
    ("=== mode/#ubuntu [-oo rob mdz]  by ChanServ", Ops("#ubuntu", (("rob", False), ("mdz", False)))),
    ("=== mode/#ubuntu [+o [cc] smart]  by ChanServ", Ops("#ubuntu", (("[cc]smart", True),))),
    (
        "=== mode/#ubuntu [+oo-o a Bart]  a]  by irc.example ",
        Ops("#ubuntu", (("a", True), ("Bart]", True), ("a", False))),
    ),
    # A parameter goes to each mode that takes one.
    ("=== mode/#c [+lbo-lk 5 *!*@h a key]  by x", Ops("#c", (("a", True),))),
    ("=== mode/#c [-b+b *!*@a o!*@b]  by x", MODE),
    ("=== mode/#c [+rR]  by x", MODE),
    ("=== mode/#c [+v a]  by x", MODE),
    ("=== mode/#c [+oo a]  by x", Skipped("change of mode that cannot be read")),
    ("=== mode/#c [+o a b]  by x", Skipped("change of mode that cannot be read")),
    ("=== mode/#c [+o *!*@h]  by x", Skipped("change of mode that cannot be read")),
    ("=== mode/#c", Skipped("change of mode that cannot be read")),
    ("=== ..[topic/#ubuntu:Seveas] : Help [here]  only", Topic("#ubuntu", " Help [here] only", "Seveas")),
    ("=== ..[topic/#c:[cc] smart] : x: y", Topic("#c", " x: y", "[cc]smart")),
    ("=== Topic for #ubuntu: Official | FAQ: http://x", Topic("#ubuntu", " Official | FAQ: http://x", None)),
    ("=== Topic (#ubuntu): set by Madpilot at Mon Dec  4 07:27:08 2006", Skipped("who had set the topic")),
    ("=== LjL changed the topic of #ubuntu to: Official", Topic("#ubuntu", " Official", "LjL")),
    ("=== LjL changed the topic of #ubuntu to:", Topic("#ubuntu", "", "LjL")),
    ("=== netjoined: irc.example -> kornbluth.example", Skipped("split of the network")),
    ("=== Starting logfile irclogs/ubuntu.log", Skipped("the logger's own line")),
    ("=== |trey| shuts up", Spoken("|trey|", "action", "shuts up")),
    ("=== bur[n] er wonders if", Spoken("bur[n]er", "action", "wonders if")),
    ("=== [0x90]  is making tha soup. brb", Spoken("[0x90]", "action", "is making tha soup. brb")),
    ("=== ogra thinks he is now known as a fool", Spoken("ogra", "action", "thinks he is now known as a fool")),
    ("=== ", UNKNOWN),
    ("", BLANK),
    ("nothing of the kind", UNKNOWN),
]


@pytest.mark.parametrize(("line", "what"), UNTIMED)
def test_lines_without_a_time(line: str, what: What) -> None:
    parsed = parse(line)
    assert (parsed.second, parsed.day, parsed.what) == (None, None, what)


@pytest.mark.parametrize(
    ("line", "minute", "what"),
    [
        ("[12:18] <|trey|> usual, stable  :)", 738, Spoken("|trey|", "text", "usual, stable  :)")),
        ("[06:03] <bur[n] er> anyone?", 363, Spoken("bur[n]er", "text", "anyone?")),
        ("[07:15] <[optik] > hola", 435, Spoken("[optik]", "text", "hola")),
        ("[09:34] <Talisker[w] >        dmesg | tail", 574, Spoken("Talisker[w]", "text", "       dmesg | tail")),
        ("[00:00] <a> <b> quoted", 0, Spoken("a", "text", "<b> quoted")),
        ("[13:56]  * genii sips a coffee", 836, Spoken("genii", "action", "sips a coffee")),
        ("[05:12] -gfx:#ubuntu- a notice", 312, Spoken("gfx", "text", "a notice")),
        ("[12:18] <+voice> with a voice", 738, Spoken("voice", "text", "with a voice")),
        ("[12:18] <@op> an op", 738, Spoken("op", "text", "an op")),
        ("[12:20] <ada> \x01ACTION waves\x01", 740, Spoken("ada", "action", "waves")),
        ("[12:20] <ada> \x01ACTION\x01", 740, EMPTY),
        ("[12:20] <ada> \x01VERSION\x01", 740, CTCP),
        ("[11:19] <citrix>", 679, EMPTY),
        ("[11:19] <citrix>    ", 679, EMPTY),
        ("[07:09]  * homejoe", 429, EMPTY),
        ("[01:09] (soundray/#ubuntu) thomas: have you seen", 69, UNKNOWN),
        # mIRC's: one blank.
        ("[16:07] * Now talking in #tea", 967, UNKNOWN),
        ("[25:00] <a> b", None, UNKNOWN),
    ],
)  # fmt: skip
def test_lines_with_a_time(line: str, minute: int | None, what: What) -> None:
    parsed = parse(line)
    assert (parsed.second, parsed.what) == (None if minute is None else minute * 60, what)


def test_control_characters_go() -> None:
    assert clean("a\x00b\x08c\x7f\td") == "abc\td"
    assert clean("\x04FF0000red\x04 \x0400ff00,0000FFboth\x0f \x04bad") == "red both bad"
    assert clean("\x0304,12red\x03 \x02bold\x0f 5\x031 x") == "red bold 5 x"


def _times(name: str, *lines: str) -> list[str]:
    with TemporaryDirectory() as folder:
        return [line.time for line in lines_of(log(Path(folder), name, "\n".join(lines)))]


def test_times_ascend_within_a_minute_and_lines_without_one_take_that_above() -> None:
    assert _times("2004-11-15_03.txt", "=== a [h]  has joined #c", "[12:18] <a> x", "[12:18] <a> y", "=== a z",
                  "[12:19] <a> z") == [
        "2004-11-15T12:18:00.000Z", "2004-11-15T12:18:00.001Z", "2004-11-15T12:18:00.002Z", "2004-11-15T12:18:00.003Z",
        "2004-11-15T12:19:00.000Z",
    ]  # fmt: skip


@pytest.mark.long
def test_a_clock_that_goes_back() -> None:
    # Twelve hours: noon is passed.
    assert _times("2004-11-15_03.txt", "[12:59] <a> x", "[01:00] <a> y")[1] == "2004-11-15T13:00:00.000Z"
    assert _times("2006-01-02.txt", "[11:59] <a> x", "[00:00] <a> y")[1] == "2006-01-02T12:00:00.000Z"
    # Twenty-four hours: a new day.
    assert _times("2017-12-31.txt", "[23:58] <a> x", "[00:01] <a> y")[1] == "2018-01-01T00:01:00.000Z"
    # A clock that was set: no time before the line above.
    assert _times("2017-12-31.txt", "[10:05] <a> x", "[10:03] <a> y", "[10:06] <a> z")[1:] == [
        "2017-12-31T10:05:00.001Z", "2017-12-31T10:06:00.000Z"
    ]  # fmt: skip
    # More lines in a minute than milliseconds: the last ones share the last.
    many = _times("2017-12-31.txt", *["[10:05] <a> x"] * 60_002)
    assert many[59_999] == many[60_001] == "2017-12-31T10:05:59.999Z"


def _filled(*lines: str, names: tuple[str, ...] = ("2004-11-15.txt",)) -> tuple[ImportPlan, list[Piece]]:
    with TemporaryDirectory() as folder:
        return filled("#c", *(log(Path(folder), name, "\n".join(lines)) for name in names))


def _orders(pieces: list[Piece]) -> list[tuple[str, str]]:
    return [(order.command, order.actor) for piece in pieces for order in piece.room]


def test_who_acts_without_having_come_comes_just_before() -> None:
    plan, pieces = _filled("[12:18] <a> x", "=== b [h]  has left #c []", "=== c is now known as d")
    assert _orders(pieces) == [
        ("AddMember", "id-a"), ("PostMessage", "id-a"),
        ("AddMember", "id-b"), ("RemoveMember", "id-b"),
        ("AddMember", "id-c"), ("RemoveMember", "id-c"), ("AddMember", "id-d"),
    ]  # fmt: skip
    (profile,) = pieces[0].profiles
    assert (profile.actor, profile.fields["data"]) == ("id-c", {"now_known_as": "d"})
    assert sorted(plan.people) == ["a", "b", "c", "d"]


def test_what_changes_nothing_becomes_no_order() -> None:
    rename = "=== a is now known as b"
    plan, pieces = _filled(
        "=== a [h]  has joined #c", "=== a [h]  has joined #C", rename, rename, "=== x [h]  has joined #other"
    )
    assert _orders(pieces) == [
        ("AddMember", "id-a"), ("RemoveMember", "id-a"), ("AddMember", "id-b"),
        ("AddMember", "id-a"), ("RemoveMember", "id-a"),
    ]  # fmt: skip
    assert len(pieces[0].profiles) == 1
    assert sum(plan.skipped.values()) == 3 and "about another channel than #c" in plan.skipped


def _roles(plan: ImportPlan, pieces: list[Piece]) -> list[tuple[str, str]]:
    """What is ordered about members, and for whom; whose role it is, not who orders it."""
    orders = [order for piece in pieces for order in piece.room if "user" in order.fields]
    assert all(order.actor == plan.account for order in orders if order.command == "ChangeRole")
    return [(order.fields.get("role", order.command), order.fields["user"]) for order in orders]


def _mode(modes: str, channel: str = "#c") -> str:
    return f"=== mode/{channel} [{modes}]  by ChanServ"


def test_ops_become_admins_by_order_of_the_owner() -> None:
    plan, pieces = _filled("=== a [h]  has joined #c", _mode("+o a"), _mode("+o a"), _mode("-o a"), _mode("-o a"))
    assert _roles(plan, pieces) == [("AddMember", "id-a"), ("admin", "id-a"), ("member", "id-a")]
    assert plan.counts["roles given"] == plan.counts["roles taken"] == 1
    assert plan.skipped == {"change of ops that was so already, as far as the logs show": 2}
    # Who is not in comes just before; who is no op, and not in, does not come to lose anything.
    plan, pieces = _filled(_mode("+ob-o a *!*@h b"), _mode("+o c", channel="#other"))
    assert _roles(plan, pieces) == [("AddMember", "id-a"), ("admin", "id-a")] and list(plan.people) == ["a"]
    assert plan.skipped == {"about another channel than #c": 1}


def test_ops_of_one_line_have_keys_of_their_own() -> None:
    _, (piece,) = _filled(_mode("+oo a b"), _mode("-o+o a a"))
    keys = [order.key.rpartition(":")[2] for order in piece.room if order.command == "ChangeRole"]
    assert keys == ["1", "1.1", "2", "2.1"] and piece.numbers == [1, 1, 1, 1, 2, 2]


def test_who_leaves_is_no_op_any_more() -> None:
    left, back = "=== a [h]  has left #c []", "=== a [h]  has joined #c"
    assert _roles(*_filled(_mode("+o a"), left, back, _mode("-o a"), _mode("+o a"))) == [
        ("AddMember", "id-a"), ("admin", "id-a"), ("RemoveMember", "id-a"), ("AddMember", "id-a"), ("admin", "id-a"),
    ]  # fmt: skip
    # A join tells of a quit that the logs do not show.
    plan, pieces = _filled(_mode("+o a"), back, back)
    assert _roles(plan, pieces) == [("AddMember", "id-a"), ("admin", "id-a"), ("member", "id-a")]
    assert plan.skipped == {"joined, but was in already (the logs show no quits)": 1}


def test_an_op_stays_one_under_another_nick() -> None:
    plan, pieces = _filled(
        _mode("+o a"), "=== a is now known as b", "=== b is now known as b", "=== a [h]  has joined #c"
    )
    assert _roles(plan, pieces) == [
        ("AddMember", "id-a"), ("admin", "id-a"), ("RemoveMember", "id-a"), ("AddMember", "id-b"), ("admin", "id-b"),
        ("AddMember", "id-a"),
    ]  # fmt: skip
    # The nick was an op's, who must have gone: its new owner is none.
    plan, pieces = _filled(_mode("+o b"), "=== a [h]  has joined #c", "=== a is now known as b")
    assert _roles(plan, pieces)[-2:] == [("RemoveMember", "id-a"), ("member", "id-b")]


def _topic_lines(pieces: list[Piece]) -> list[tuple[str, str | None]]:
    orders = [order for piece in pieces for order in piece.room if order.command == "ChangeRoom"]
    return [(order.actor, order.fields["topic_line"]) for order in orders]


def test_topics_become_topic_lines() -> None:
    def topic(text: str, nick: str = "a") -> str:
        return f"=== {nick} changed the topic of #c to: {text}"

    plan, pieces = _filled(
        topic(""), topic("one"), _mode("+o a"), topic("one "), topic("\x02two\x0f\x00"), topic("\x0304")
    )
    # By the op who set it, else by the room's owner; an empty one is none, and was so at the beginning.
    assert _topic_lines(pieces) == [("id-channel #c", "one"), ("id-a", "two"), ("id-a", None)]
    assert plan.counts["topics"] == 3 and plan.skipped == {"topic that was set already": 2}
    assert plan.changed == {"control characters and colour codes taken out": 2}
    plan, pieces = _filled(_mode("+o a"), topic("x", nick="b"), "=== Topic for #c: x", "=== Topic for #c: y",
                 "=== ..[topic/#c:a] : z", "=== ..[topic/#other:a] : z")  # fmt: skip
    assert [by for by, _ in _topic_lines(pieces)] == ["id-channel #c", "id-channel #c", "id-a"]
    assert sorted(plan.people) == ["a"]
    plan, pieces = _filled(topic(f"{'x' * TOPIC}y"))
    assert _topic_lines(pieces) == [("id-channel #c", "x" * TOPIC)] and sum(plan.changed.values()) == 1
    plan, pieces = _filled(topic("one\ttwo\u2028three"))
    assert _topic_lines(pieces) == [("id-channel #c", "one two three")]


def test_what_was_so_before_the_file_stands() -> None:
    """Who is an op, and the topic, go on from file to file."""
    days = ("2004-11-15.txt", "2004-11-16.txt")
    _, pieces = _filled(_mode("+o a"), "=== a changed the topic of #c to: x", names=days)
    assert [len(piece.room) for piece in pieces] == [3, 0]


def test_long_and_unclean_messages() -> None:
    plan, pieces = _filled(f"[12:18] <a> {'x' * (2 * MESSAGE + 1)}", "[12:18] <a> \x02\x0f", "[12:18] <a> b\x00c")
    texts = [order.fields["content"]["text"] for order in pieces[0].room if order.command == "PostMessage"]
    assert [len(text) for text in texts] == [MESSAGE, MESSAGE, 1, 2]
    assert plan.skipped == {EMPTY.reason: 1} and sum(plan.changed.values()) == 2


def test_keys_and_ids_are_unlike_and_stay() -> None:
    lines = ["[12:18] <a> x", "[12:18] <a> x", "=== a is now known as b", f"[12:19] <b> {'y' * 2500}"]
    (_, (piece,)), (_, (again,)) = _filled(*lines), _filled(*lines)
    orders = piece.room + piece.profiles
    keys = [(order.command, order.actor, order.key) for order in orders]
    ids = [order.id for order in orders if order.id]
    assert len(set(keys)) == len(keys) and len(set(ids)) == len(ids) == 4
    assert [order.id for order in again.room] == [order.id for order in piece.room]
    _, (odd,) = _filled(*lines, names=(f"2004-11-15 naïve {'n' * 200}.txt",))
    assert all(order.key.isascii() and " " not in order.key and len(order.key) <= 128 for order in odd.room)


def test_ids_and_usernames_of_nicks() -> None:
    assert people.user_id(SECRET, "a") == people.user_id(SECRET, "a") != people.user_id("cd" * 32, "a")
    assert people.user_id(SECRET, "a")[14] == "4"
    first, second = people.usernames("Matt_2")
    assert first == "Matt_2" and second.startswith("Matt_2-")
    (made,) = people.usernames("|trey|")
    assert made.startswith("trey-") and made != people.usernames("trey|")[0]
    assert people.usernames("[]")[0].startswith("nick-") and people.usernames("---")[0].startswith("nick-")
    for nick in ("admin", "System", "emotions", "irc-ubuntu", "IRC-x", "---", "\u3164"):
        # Nobody is called so, or only what an import or an operator makes.
        (made,) = people.usernames(nick)
        check_username(msgspec.convert(made, Username))
        assert unlike_a_name(people.shown_name(nick, made)) is None
    assert people.room_id("#Ubuntu") == "irc-ubuntu"
    channels = ["#c", "##c", "#c++", "#c--", "#c_", "#C_d", "#" + "c" * 200, "#" + "c" * 201]
    assert len({people.room_id(channel) for channel in channels}) == len(channels)
    for channel in ("#ubuntu+1", "##c++", "#c|x", "#日本語", "#!?", "#tea,(and)🍵"):
        assert people.room_name(channel) == channel, "a name is text, and the channel's is known to its people"
    assert people.room_name("#cafe\u0301") == "#café" and people.room_name("#" + "c" * 200) == "#" + "c" * 99
    for channel in ("#a\u202eb", "#a\u0002b", "#a "):
        assert people.room_name(channel) == people.room_id(channel)
    accounts = [people.account_name(people.room_id(channel)) for channel in channels]
    assert len(set(accounts)) == len(accounts) and people.account_name("irc-ubuntu") == "irc-ubuntu"
    for account in accounts:
        check_username(msgspec.convert(account, Username), by_operator=True)


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_any_channel_becomes_a_room_that_can_be_made(channel: str) -> None:
    assert msgspec.convert(people.room_id(f"#{channel}"), Slug).startswith("irc-")
    assert named(people.room_name(f"#{channel}"))


@given(st.integers(0, 2**41), st.text(), st.text())
def test_message_ids_are_uuids_of_their_time(ms: int, room: str, key: str) -> None:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)
    found = UUID(people.message_id(room, key, from_datetime(moment)))
    assert (found.version, found.variant, found.int >> 80) == (7, RFC_4122, ms)
