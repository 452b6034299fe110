"""IRC logs line by line, their times, and what is planned for them: no I/O but reading files."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.irc import logs, people
from infra.irc.lines import BLANK, EMPTY, UNKNOWN, Came, Renamed, Said, Skipped, Went, What, clean, parse
from infra.irc.plan import MESSAGE, Plan, make

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
    ("=== mode/#ubuntu [+o Amaranth]  by ChanServ", Skipped("change of mode")),
    ("=== ..[topic/#ubuntu:Seveas] : Official Ubuntu Help channel", Skipped("topic")),
    ("=== Topic (#ubuntu): set by Madpilot at Mon Dec  4 07:27:08 2006", Skipped("topic")),
    ("=== LjL changed the topic of #ubuntu to: Official", Skipped("topic")),
    ("=== netjoined: irc.example -> kornbluth.example", Skipped("split of the network")),
    ("=== Starting logfile irclogs/ubuntu.log", Skipped("the logger's own line")),
    ("=== |trey| shuts up", Said("|trey|", "action", "shuts up")),
    ("=== bur[n] er wonders if", Said("bur[n]er", "action", "wonders if")),
    ("=== [0x90]  is making tha soup. brb", Said("[0x90]", "action", "is making tha soup. brb")),
    ("=== ogra thinks he is now known as a fool", Said("ogra", "action", "thinks he is now known as a fool")),
    ("=== ", UNKNOWN),
    ("", BLANK),
    ("nothing of the kind", UNKNOWN),
]


@pytest.mark.parametrize(("line", "what"), UNTIMED)
def test_lines_without_a_time(line: str, what: What) -> None:
    assert parse(line) == (None, what)


@pytest.mark.parametrize(
    ("line", "minute", "what"),
    [
        ("[12:18] <|trey|> usual, stable  :)", 738, Said("|trey|", "text", "usual, stable  :)")),
        ("[06:03] <bur[n] er> anyone?", 363, Said("bur[n]er", "text", "anyone?")),
        ("[07:15] <[optik] > hola", 435, Said("[optik]", "text", "hola")),
        ("[09:34] <Talisker[w] >        dmesg | tail", 574, Said("Talisker[w]", "text", "       dmesg | tail")),
        ("[00:00] <a> <b> quoted", 0, Said("a", "text", "<b> quoted")),
        ("[13:56]  * genii sips a coffee", 836, Said("genii", "action", "sips a coffee")),
        ("[05:12] -gfx:#ubuntu- a notice", 312, Said("gfx", "text", "a notice")),
        ("[11:19] <citrix>", 679, EMPTY),
        ("[11:19] <citrix>    ", 679, EMPTY),
        ("[07:09]  * homejoe", 429, EMPTY),
        ("[01:09] (soundray/#ubuntu) thomas: have you seen", 69, UNKNOWN),
        ("[25:00] <a> b", None, UNKNOWN),
    ],
)  # fmt: skip
def test_lines_with_a_time(line: str, minute: int | None, what: What) -> None:
    assert parse(line) == (minute, what)


def test_control_characters_go() -> None:
    assert clean("a\x00b\x08c\x7f\td") == "abc\td"
    assert clean("\x0304,12red\x03 \x02bold\x0f 5\x031 x") == "red bold 5 x"


def _times(name: str, *lines: str) -> list[str]:
    return [line.time for line in logs.parse_log(name, "\n".join(lines).encode()).lines]


def test_times_ascend_within_a_minute_and_lines_without_one_take_that_above() -> None:
    assert _times("2004-11-15_03.txt", "=== a [h]  has joined #c", "[12:18] <a> x", "[12:18] <a> y", "=== a z",
                  "[12:19] <a> z") == [
        "2004-11-15T12:18:00.000Z", "2004-11-15T12:18:00.001Z", "2004-11-15T12:18:00.002Z", "2004-11-15T12:18:00.003Z",
        "2004-11-15T12:19:00.000Z",
    ]  # fmt: skip


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


def test_bytes_that_are_no_utf8_and_windows_line_ends() -> None:
    log = logs.parse_log("2004-11-15.txt", b"[12:18] <a> caf\xe9\r\n[12:18] <a> caf\xc3\xa9\r\n\r\n")
    assert [line.what for line in log.lines] == [
        Said("a", "text", "caf\ufffd"), Said("a", "text", "café"), BLANK
    ]  # fmt: skip
    assert log.damaged == 1


def test_files_are_found_oldest_first_and_once(tmp_path: Path) -> None:
    for name in ("2005-01-02.train-a.txt", "2004-11-15_03.txt", "README.md", "2005-13-45.txt"):
        (tmp_path / name).write_text("")
    found = logs.find([tmp_path, tmp_path / "2004-11-15_03.txt"])
    assert [path.name for path in found] == ["2004-11-15_03.txt", "2005-01-02.train-a.txt"]


def test_files_that_cannot_be_imported(tmp_path: Path) -> None:
    with pytest.raises(logs.BadLog, match="found none"):
        logs.find([tmp_path])
    (tmp_path / "chat.log").write_text("")
    with pytest.raises(logs.BadLog, match="named after its day"):
        logs.find([tmp_path / "chat.log"])
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "2004-11-15.txt").write_text("")
    with pytest.raises(logs.BadLog, match="twice"):
        logs.find([tmp_path / "one", tmp_path / "two"])


def _plan(*lines: str, name: str = "2004-11-15.txt") -> Plan:
    log = logs.parse_log(name, "\n".join(lines).encode())
    return make("#c", [log], lambda nick: f"id-{nick}")


def _orders(plan: Plan) -> list[tuple[str, str]]:
    return [(order.command, order.actor) for file in plan.files for order in file.room]


def test_who_acts_without_having_come_comes_just_before() -> None:
    plan = _plan("[12:18] <a> x", "=== b [h]  has left #c []", "=== c is now known as d")
    assert _orders(plan) == [
        ("AddMember", "id-a"), ("PostMessage", "id-a"),
        ("AddMember", "id-b"), ("RemoveMember", "id-b"),
        ("AddMember", "id-c"), ("RemoveMember", "id-c"), ("AddMember", "id-d"),
    ]  # fmt: skip
    (profile,) = plan.files[0].profiles
    assert (profile.actor, profile.fields["data"]) == ("id-c", {"now_known_as": "d"})
    assert sorted(plan.people) == ["a", "b", "c", "d"]


def test_what_changes_nothing_becomes_no_order() -> None:
    rename = "=== a is now known as b"
    plan = _plan("=== a [h]  has joined #c", "=== a [h]  has joined #C", rename, rename, "=== x [h]  has joined #other")
    assert _orders(plan) == [
        ("AddMember", "id-a"), ("RemoveMember", "id-a"), ("AddMember", "id-b"),
        ("AddMember", "id-a"), ("RemoveMember", "id-a"),
    ]  # fmt: skip
    assert len(plan.files[0].profiles) == 1
    assert sum(plan.skipped.values()) == 3 and "about another channel than #c" in plan.skipped


def test_long_and_unclean_messages() -> None:
    plan = _plan(f"[12:18] <a> {'x' * (2 * MESSAGE + 1)}", "[12:18] <a> \x02\x0f", "[12:18] <a> b\x00c")
    texts = [order.fields["content"]["text"] for order in plan.files[0].room if order.command == "PostMessage"]
    assert [len(text) for text in texts] == [MESSAGE, MESSAGE, 1, 2]
    assert plan.skipped == {EMPTY.reason: 1} and sum(plan.changed.values()) == 2


def test_keys_and_ids_are_unlike_and_stay() -> None:
    lines = ["[12:18] <a> x", "[12:18] <a> x", "=== a is now known as b", f"[12:19] <b> {'y' * 2500}"]
    plan, again = _plan(*lines), _plan(*lines)
    orders = plan.files[0].room + plan.files[0].profiles
    keys = [(order.command, order.actor, order.key) for order in orders]
    ids = [order.id for order in orders if order.id]
    assert len(set(keys)) == len(keys) and len(set(ids)) == len(ids) == 4
    assert [order.id for order in again.files[0].room] == [order.id for order in plan.files[0].room]
    odd = _plan(*lines, name=f"2004-11-15 naïve {'n' * 200}.txt")
    assert all(order.key.isascii() and " " not in order.key and len(order.key) <= 128 for order in odd.files[0].room)


def test_ids_and_usernames_of_nicks() -> None:
    assert people.user_id(SECRET, "a") == people.user_id(SECRET, "a") != people.user_id("cd" * 32, "a")
    assert people.user_id(SECRET, "a")[14] == "4"
    first, second = people.usernames("Matt_2")
    assert first == "Matt_2" and second.startswith("Matt_2-")
    (made,) = people.usernames("|trey|")
    assert made.startswith("trey-") and made != people.usernames("trey|")[0]
    assert people.usernames("[]")[0].startswith("irc-")
    assert people.room_id("#Ubuntu") == "irc-ubuntu"
    assert people.room_id("#c++") != people.room_id("#c--")
    assert people.message_id("r", "k", "2004-11-15T12:18:00.001Z").startswith("01003c2b-04c1-7")
