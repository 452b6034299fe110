"""Files of IRC logs: found in folders, read in any encoding, sorted into rooms, given times, refused with words."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from infra.base.settings import Settings
from infra.ops import irc
from infra.ops.irc import content, files, logs, rooms
from infra.ops.irc.lines import BLANK, Spoken, What
from infra.ops.irc.logs import FUTURE, BadLog
from infra.ops.irc.rooms import ChannelLogs
from tests.infra.ops.irc.importing import filled, lines_of, log

SETTINGS = Settings(kafka="none", postgres="none")
HELLO = "[12:18] <ada> hello\n"


def _said(folder: Path, written: bytes, encoding: str = "") -> list[What]:
    return [line.what for line in lines_of(log(folder, "2004-11-15.txt", written, encoding))]


def test_a_byte_order_mark_is_no_part_of_the_first_line(tmp_path: Path) -> None:
    first, second = Spoken("ada", "text", "first"), Spoken("ada", "text", "naïve")
    text = "[12:18] <ada> first\n[12:19] <ada> naïve\n"
    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        assert _said(tmp_path, text.encode(encoding)) == [first, second], encoding
    assert _said(tmp_path, b"\xfe\xff" + text.encode("utf-16-be")) == [first, second]
    with pytest.raises(BadLog, match=r"a file full of NUL; if it is a text, convert it: iconv"):
        _said(tmp_path, text.encode("utf-16-le"))


def test_line_ends(tmp_path: Path) -> None:
    hello, hi = Spoken("ada", "text", "hello"), Spoken("bob", "text", "hi")
    for end in ("\n", "\r\n", "\r"):
        assert _said(tmp_path, f"[12:18] <ada> hello{end}[12:18] <bob> hi{end}".encode()) == [hello, hi], repr(end)
    assert _said(tmp_path, "[12:18] <ada> hello\r[12:18] <bob> hi\r".encode("utf-16")) == [hello, hi]
    # Beside line feeds it ends no line: the numbers of lines are part of their keys.
    assert len(_said(tmp_path, b"[12:18] <ada> hello\rthere\n[12:18] <bob> hi")) == 2


def test_bytes_that_are_no_utf8(tmp_path: Path) -> None:
    written = b"[12:18] <a> caf\xe9\r\n[12:18] <a> caf\xc3\xa9\r\n\r\n"
    assert _said(tmp_path, written) == [Spoken("a", "text", "caf\ufffd"), Spoken("a", "text", "café"), BLANK]
    (part,) = logs.parts(log(tmp_path, "2004-11-15.txt", written), logs.latest())
    assert part.damaged == 1
    assert _said(tmp_path, written, "cp1252") == [Spoken("a", "text", "café"), Spoken("a", "text", "café"), BLANK]


def test_packed_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadLog, match=r"a packed one \(gzip\); unpack it first"):
        _said(tmp_path, b"\x1f\x8b\x08\x00")


def test_a_long_line_and_a_large_file_are_read_piece_by_piece(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "".join(f"[{n // 60:02d}:{n % 60:02d}] <n{n % 7}> {'x' * (n % 300)}{n}\n" for n in range(1400))
    found = log(tmp_path, "2004-11-15.txt", text)
    plan, (whole,) = filled("#c", found)
    monkeypatch.setattr(logs, "PART", 100)
    monkeypatch.setattr(content, "_CHUNK", 77)
    again, pieces = filled("#c", found)
    assert len(pieces) == 14 == again.pieces and [piece.above for piece in pieces[:3]] == [0, 100, 200]
    assert [order for piece in pieces for order in piece.room] == whole.room
    assert [number for piece in pieces for number in piece.numbers] == whole.numbers
    assert (again.people, again.counts, again.said) == (plan.people, plan.counts, plan.said)
    monkeypatch.setattr(content, "_LONGEST", 1000)
    path = tmp_path / "long"
    path.write_bytes(b"y" * 5000 + b"\nz\n")
    assert [len(line.text) for line in content.texts(path)][-1] == 1
    assert max(len(line.text) for line in content.texts(path)) <= 1000 + 77


def test_what_is_written_meanwhile_waits(tmp_path: Path) -> None:
    """The lines are read several times, and must be the same each time."""
    found = log(tmp_path, "2004-11-15.txt", HELLO)
    with found.file.path.open("a") as file:
        file.write(HELLO)
    assert len(lines_of(found)) == 1 and len(lines_of(log(tmp_path, "2004-11-15.txt", HELLO * 2))) == 2


def test_an_encoding_that_there_is_not(tmp_path: Path) -> None:
    for name in ("utf-9", "base64", "rot13"):
        with pytest.raises(BadLog, match="expected the name of an encoding"):
            irc.run(SETTINGS, [tmp_path], encoding=name, plan=True)


@pytest.mark.parametrize(
    ("path", "day", "channel", "name"),
    [
        ("2004-11-15_03.txt", "2004-11-15", "", "2004-11-15_03.txt"),
        ("2010-02-03-#Tea.txt", "2010-02-03", "#tea", "2010-02-03-#Tea.txt"),
        ("2013/01/31/#kubuntu-devel.txt", "2013-01-31", "#kubuntu-devel", "2013-01-31/#kubuntu-devel.txt"),
        ("2013-01-31/#kubuntu.txt", "2013-01-31", "#kubuntu", "2013-01-31/#kubuntu.txt"),
        ("#tea/2013/01/31.log", "2013-01-31", "#tea", "2013-01-31/31.log"),
        ("net/#tea/2013-01-31.log", "2013-01-31", "#tea", "2013-01-31.log"),
        ("ann_net_#tea_20130131.log", "2013-01-31", "#tea", "ann_net_#tea_20130131.log"),
        ("tea.log.29Nov2020", "2020-11-29", "", "tea.log.29Nov2020"),
        ("irc.net.##c++.weechatlog", None, "##c++", "irc.net.##c++.weechatlog"),
        ("2005-13-45.txt", None, "", "2005-13-45.txt"),
        ("chat-12345678.log", None, "", "chat-12345678.log"),
    ],
)  # fmt: skip
def test_what_names_tell(tmp_path: Path, path: str, day: str | None, channel: str, name: str) -> None:
    file = tmp_path / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("")
    (found,) = files.find([tmp_path])
    assert (found.day and str(found.day), found.channel, found.name) == (day, channel, name)
    # The name in keys does not depend on what the call names.
    assert files.find([file])[0].name == name


def _sorted(folder: Path, channel: str = "") -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    found = rooms.sort([folder], channel)
    return (
        {channel: [log.file.name for log in logs] for channel, logs in found.rooms.items()},
        {reason: [path.name for path in paths] for reason, paths in found.left_out.items()},
    )


def _write(folder: Path, **texts: str) -> None:
    for name, text in texts.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def test_folders_are_walked_and_each_channel_is_a_room(tmp_path: Path) -> None:
    _write(tmp_path, **{
        "2013/01/02/#tea.txt": HELLO, "2013/01/01/#tea.txt": HELLO, "2013/01/01/#milk.txt": HELLO,
        "index.html": "<html>",
        "2013/01/01/.#tea.txt.swp": "no", "README": "Logs.\n", "2013/01/03/#tea.txt": "",
    })  # fmt: skip
    (tmp_path / "2013/loop").symlink_to(tmp_path)
    tea = ["2013-01-01/#tea.txt", "2013-01-02/#tea.txt"]
    assert _sorted(tmp_path) == (
        {"#milk": ["2013-01-01/#milk.txt"], "#tea": tea},
        {
            "empty": ["#tea.txt"],
            "no log: a file with 1 of its first 1 lines of no known kind": ["README"],
            "no log: a log of HTML, which is not imported": ["index.html"],
        },
    )
    assert _sorted(tmp_path, channel="#Tea")[0] == {"#tea": tea}
    assert _sorted(tmp_path, channel="#Tea")[1]["of another channel"] == ["#milk.txt"]
    with pytest.raises(BadLog, match=r"expected logs of #beer, found none: .*found channels: #milk, #tea"):
        rooms.sort([tmp_path], "#beer")


@pytest.mark.parametrize("name", [b"#tea.2016-05-01.\xff.log", b"#caf\xe9/2016-05-01.log"], ids=["a file", "a folder"])
def test_names_that_are_no_utf8_are_refused(name: bytes, tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name))
    path.parent.mkdir(exist_ok=True)
    path.write_text(HELLO)
    shown = f"{tmp_path}/{name.decode(errors='backslashreplace')}"
    for given in (path, tmp_path):
        with pytest.raises(BadLog, match=re.escape(f"expected names of files and folders in UTF-8, got {shown}; ren")):
            irc.run(SETTINGS, [given], plan=True)


def test_files_that_name_no_channel_take_that_of_the_others_where_they_cannot_be_private(tmp_path: Path) -> None:
    joined = "=== bob [b@h]  has joined #ubuntu\n"
    _write(tmp_path, **{"2004-11-15.txt": HELLO, "2004-11-16.txt": joined, "2004-11-17.txt": HELLO})
    assert _sorted(tmp_path) == ({"#ubuntu": ["2004-11-15.txt", "2004-11-16.txt", "2004-11-17.txt"]}, {})
    _write(tmp_path, **{"2004-11-18.txt": joined.replace("#ubuntu", "#kubuntu")})
    channels, left = _sorted(tmp_path)
    assert channels == {"#ubuntu": ["2004-11-16.txt"], "#kubuntu": ["2004-11-18.txt"]}
    assert list(left.values()) == [["2004-11-15.txt", "2004-11-17.txt"]]


def test_private_conversations_are_left_out(tmp_path: Path) -> None:
    opened = "--- Log opened Sun Nov 29 02:43:58 2020\n"
    _write(tmp_path, **{
        "#tea.log": f"{opened}02:43 -!- a [~a@h] has joined #tea\n02:43 < a> hi\n",
        "ada.log": f"{opened}02:43 -!- Irssi: Starting query in example with ada\n02:43 < ada> secret\n",
        "net/bob/2020-11-29.log": "[09:22:57] <bob> secret\n[09:22:57] *** Quits: bob (b@h) ()\n",
        "linus.log": "Session Start: Sun Nov 29 02:43:58 2020\nSession Ident: linus\n[02:43] <linus> secret\n",
    })  # fmt: skip
    for channel in ("", "#tea"):
        found, left = _sorted(tmp_path, channel=channel)
        assert found == {"#tea": ["#tea.log"]}
        ((reason, names),) = left.items()
        assert "private conversation" in reason and sorted(names) == ["2020-11-29.log", "ada.log", "linus.log"]
    with pytest.raises(BadLog, match="name it: --channel"):
        rooms.sort([tmp_path / "ada.log"])
    # Whatever a shell makes of ``*.log``.
    assert rooms.sort(sorted(tmp_path.glob("*.log")), "#tea").rooms["#tea"][0].file.name == "#tea.log"
    assert len(rooms.sort(sorted(tmp_path.glob("*.log")), "#tea").rooms["#tea"]) == 1
    # Who names the file alone and the channel knows what it is; mIRC says itself when it is with one person.
    assert list(rooms.sort([tmp_path / "ada.log"], "#tea").rooms) == ["#tea"]
    with pytest.raises(BadLog, match="private conversation"):
        rooms.sort([tmp_path / "linus.log"], "#tea")


def test_lines_say_where_in_a_name_the_channel_ends(tmp_path: Path) -> None:
    joined = "Session Start: Sun Nov 29 02:43:58 2020\nSession Ident: #tea\n[02:43] * a (a@h) has joined #tea\n"
    _write(tmp_path, **{"#tea.example.log": joined, "#tea-party.log": joined.replace("#tea", "#tea-party")})
    assert list(_sorted(tmp_path)[0]) == ["#tea", "#tea-party"]


def test_files_that_cannot_be_imported(tmp_path: Path) -> None:
    with pytest.raises(BadLog, match="expected log files, found none"):
        rooms.sort([tmp_path])
    (tmp_path / "notes.txt").write_text("Dear diary,\n\ntoday I had tea.\n")
    with pytest.raises(BadLog, match=r"found none: 1 no log: a file with 2 of its first 2 lines of no known kind"):
        rooms.sort([tmp_path])
    with pytest.raises(
        BadLog, match=r"2 of its first 2 lines of no known kind, such as 'Dear diary,'.*Ubuntu; ZNC.*irssi"
    ):
        rooms.sort([tmp_path / "notes.txt"])
    # A day or a channel in its name says that it is meant as a log.
    (tmp_path / "notes.txt").rename(tmp_path / "2020-11-29.txt")
    with pytest.raises(BadLog, match="no known kind"):
        rooms.sort([tmp_path])
    (tmp_path / "2020-11-29.txt").unlink()
    (tmp_path / "chat.log").write_text(HELLO)
    with pytest.raises(BadLog, match=r"got none; name the file after its day"):
        rooms.sort([tmp_path / "chat.log"])


def test_two_files_of_one_name(tmp_path: Path) -> None:
    for network in ("one", "two"):
        _write(tmp_path, **{f"{network}/#tea/2020-11-29.log": HELLO, f"{network}/#{network}/2020-11-29.log": HELLO})
    with pytest.raises(BadLog, match=r"#tea: expected files of different names, got .*one.* and .*two"):
        rooms.sort([tmp_path])
    assert list(rooms.sort([tmp_path / "one"]).rooms) == ["#one", "#tea"]


def test_two_networks_in_one_folder(tmp_path: Path) -> None:
    line = "2020-11-29 02:43:52\tada\thello\n"
    _write(tmp_path, **{"irc.libera.#tea.weechatlog": line, "irc.oftc.#tea.weechatlog": line})
    with pytest.raises(BadLog, match=r"#tea: expected files of one network, got irc\.libera, irc\.oftc; name"):
        rooms.sort([tmp_path])
    _write(tmp_path, **{"irc.oftc.#tea.weechatlog": line.replace("ada", "bob").replace("hello", "")})
    (tmp_path / "irc.oftc.#tea.weechatlog").rename(tmp_path / "irc.oftc.#milk.weechatlog")
    assert list(rooms.sort([tmp_path]).rooms) == ["#milk", "#tea"]
    _write(tmp_path / "days", **{"2013-01-01-#c.txt": HELLO, "2013-01-02-#c.txt": HELLO})
    assert list(rooms.sort([tmp_path / "days"]).rooms) == ["#c"]


def test_times_of_the_future_are_refused_and_counted(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    written = "".join(
        f"{(now + timedelta(minutes=ahead)).strftime('%Y-%m-%dT%H:%M:%S')}  <ada> {ahead}\n"
        for ahead in (-60, 9, 11, 60 * 24 * 365 * 5, -30, -20)
    )
    plan, (piece,) = filled("#c", log(tmp_path, "#c.log", written))
    texts = [order.fields["content"]["text"] for order in piece.room if order.command == "PostMessage"]
    assert texts == ["-60", "9", "-30", "-20"] and plan.skipped == {FUTURE.reason: 2}
    assert plan.examples[FUTURE.reason] == ("#c.log", 3)
    assert plan.changed == {}


def test_a_file_of_the_future(tmp_path: Path) -> None:
    text = "[12:18] <ada> hello\n=== bob [h]  has joined #c\n\n"
    plan, (piece,) = filled("#c", log(tmp_path, "2931-01-01.txt", text))
    assert piece.room == [] and plan.people == {} and plan.skipped == {FUTURE.reason: 2, BLANK.reason: 1}


def _times(folder: Path, name: str, text: str) -> list[str]:
    return [line.time for line in lines_of(log(folder, name, text))]


def test_days_that_lines_tell(tmp_path: Path) -> None:
    irssi = (
        "--- Log opened Sun Nov 29 23:58:40 2020\n23:58 < a> x\n23:59 < a> y\n--- Day changed Mon Nov 30 2020\n"
        "00:01 < a> z\n--- Log closed Mon Nov 30 00:02:00 2020\n--- Log opened Fri Jan 01 00:00:10 2021\n"
        "00:00 < a> new\n"
    )
    # The program's own lines tell days, and their times are nobody's.
    assert [time[:16] for time in _times(tmp_path, "a.log", irssi)] == [
        "2020-11-29T00:00", "2020-11-29T23:58", "2020-11-29T23:59", "2020-11-29T23:59", "2020-11-30T00:01",
        "2020-11-30T00:01", "2020-11-30T00:01", "2021-01-01T00:00",
    ]  # fmt: skip
    # Without a header at midnight, the clock tells; by an hour it may have been set.
    mirc = "Session Start: Sun Nov 29 23:00:00 2020\n[23:59] * a waves\n[23:01] * a waves\n[00:01] * a waves\n"
    assert [time[:16] for time in _times(tmp_path, "b.log", mirc)] == [
        "2020-11-29T23:00", "2020-11-29T23:59", "2020-11-29T23:59", "2020-11-30T00:01",
    ]  # fmt: skip


def test_years_that_lines_do_not_tell(tmp_path: Path) -> None:
    xchat = (
        "**** BEGIN LOGGING AT Wed Dec 30 23:00:00 2015\nDec 31 23:59:59 <a>\tx\nJan 01 00:00:00 <a>\ty\n"
        "Feb 29 00:00:00 <a>\tz\nFeb 28 12:00:00 <a>\tback\n"
    )
    found = log(tmp_path, "#c.log", xchat)
    assert [line.time[:19] for line in lines_of(found)] == [
        "2015-12-30T23:00:00", "2015-12-31T23:59:59", "2016-01-01T00:00:00", "2016-02-29T00:00:00",
        "2016-02-29T00:00:00",
    ]  # fmt: skip
    plan, _ = filled("#c", found)
    assert plan.changed == {"of an earlier time than the line above: got the time of that": 1}


def test_seconds_have_milliseconds_in_them(tmp_path: Path) -> None:
    znc = "[09:22:57] <a> x\n[09:22:57] <a> y\n[09:22:58] *** Joins: b (b@h)\n" + "[09:22:58] <a> z\n" * 1002
    times = _times(tmp_path, "2020-11-29.log", znc)
    assert times[:3] == ["2020-11-29T09:22:57.000Z", "2020-11-29T09:22:57.001Z", "2020-11-29T09:22:58.000Z"]
    assert times[-1] == "2020-11-29T09:22:58.999Z"


def test_a_folder_of_files_is_in_the_order_of_their_days(tmp_path: Path) -> None:
    header = "**** BEGIN LOGGING AT Wed Dec 30 23:00:00 {}\n\nDec 30 23:00:01 *\tNow talking on #tea\n"
    _write(tmp_path, **{"a/#tea.log": header.format(2016), "#tea.1.log": header.format(2015)})
    found = rooms.sort([tmp_path])
    assert [log.file.name for log in found.rooms["#tea"]] == ["#tea.1.log", "#tea.log"]
    room = ChannelLogs("#tea", found.rooms["#tea"], logs.latest())
    assert [piece.name for piece in room.plan(str)[1]] == ["#tea.1.log", "#tea.log"]
