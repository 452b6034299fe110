"""Logs as programs themselves write them (``irc_logs``): one conversation is the same messages in each, imported.
Tests ``infra/ops/irc/forms/`` and ``infra/ops/irc/report.py``."""

from __future__ import annotations

import asyncio
import io
import sys
from pathlib import Path
from shutil import copytree

import pytest
from rich.console import Console

from infra.base.settings import Settings
from infra.ops import operator_token
from infra.ops.irc import logs, rooms
from infra.ops.irc.forms import FORMS
from infra.ops.irc.lines import Spoken, clean
from infra.ops.irc.people import user_id
from infra.ops.irc.plan import ImportPlan
from infra.ops.irc.report import ImportBar, counted
from infra.ops.irc.rooms import ChannelLogs
from tests.client import visiting
from tests.infra.ops.irc.importing import count, filled, heads, imported, lines_of
from tests.parts import Parts
from tests.servers import installation, serving

LOGS = Path(__file__).parent / "irc_logs"
#: What was said while six programs listened: who, type, text.
SAID = [
    ("bob[x]", "text", "hello there"), ("ada", "text", "hi bob[x], red and both colours"),
    ("ada", "action", "pours tea"),
    ("bob_away", "action", "is now known as a fool"), ("bob_away", "text", "a notice to all"),
    ("cyd", "text", "café or tea?"), ("cyd", "text", "with a voice"), ("bob_away", "text", "   indented  text"),
    ("bob_away", "text", "<ada> a quotation"), ("ada", "text", "alone again"),
]  # fmt: skip
#: Program -> form; the last was written by hand.
PROGRAMS = {
    "irssi": "irssi", "weechat": "WeeChat", "znc": "ZNC, energymech, mIRC to version 5", "hexchat": "XChat, HexChat",
    "eggdrop": "Eggdrop", "supybot": "date and time (Supybot, irclog2html)", "mirc": "mIRC",
}  # fmt: skip
#: Those who only listened.
LISTENERS = {"irssilog", "weelog", "znclog", "hexlog", "egglog", "logbot"}


def _plan(program: str) -> tuple[ImportPlan, list[tuple[str, str, str]]]:
    found = rooms.sort([LOGS / program]).rooms
    assert list(found) == ["#tea"]
    plan, pieces = filled("#tea", *found["#tea"])
    posted = [order for piece in pieces for order in piece.room if order.command == "PostMessage"]
    said = [(order.actor[3:], order.fields["type"], order.fields["content"]["text"]) for order in posted]
    return plan, said


@pytest.mark.parametrize("program", list(PROGRAMS)[:-1])
def test_what_was_said_is_the_same_in_the_logs_of_all_programs(program: str) -> None:
    plan, said = _plan(program)
    assert said == SAID
    assert set(plan.people) - LISTENERS == {"ada", "bob[x]", "bob_away", "cyd"}
    # Kicked once, left twice, quit; and the one whom nobody saw coming in the logs of each.
    assert plan.counts["of them put out"] == 1 and plan.counts["changes of nick"] == 1
    assert (plan.counts["roles given"], plan.counts["roles taken"], plan.counts["topics"]) == (2, 1, 3)
    assert not [reason for reason in plan.skipped if "known" in reason or "read" in reason], plan.skipped


@pytest.mark.parametrize("program", PROGRAMS)
def test_times_ascend_and_the_form_is_found(program: str) -> None:
    (room,) = rooms.sort([LOGS / program]).rooms.values()
    assert PROGRAMS[program] in [log.form.name for log in room]
    for log in room:
        times = [line.time for line in lines_of(log)]
        assert times == sorted(times) and len(set(times)) == len(times)


def test_what_was_written_by_hand() -> None:
    plan, said = _plan("mirc")
    assert said[:3] == [("ada", "text", "hello bob"), ("bob", "action", "waves"), ("ada", "text", SAID[1][2])]
    assert sorted(plan.people) == ["ada", "bob", "bob[x]", "bob_away", "cyd"]
    # What a bouncer sent again when bob came back has the time of then, and moves nothing that follows to another day.
    (room,) = rooms.sort([LOGS / "mirc"]).rooms.values()
    times = {
        clean(line.what.text): line.time for log in room for line in lines_of(log) if isinstance(line.what, Spoken)
    }
    assert times["said while you were away"] == "2020-11-30T09:41:00.000Z"
    assert times["and here you are"] == "2020-11-30T15:50:00.000Z"
    assert plan.changed["of an earlier time than the line above: got the time of that"] == 0
    # Five who left, and the two old nicks of those who changed theirs.
    assert plan.counts["leavings"] == 7


def test_private_conversations_beside_them_are_left_out() -> None:
    left = [rooms.sort([LOGS / program], "#tea").left_out for program in ("irssi", "weechat", "znc")]
    assert [path.name for found in left for paths in found.values() for path in paths] == [
        "ada.log", "irc.example.ada.weechatlog", "2020-11-29.log",
    ]  # fmt: skip


@pytest.fixture
def channels(tmp_path: Path) -> Path:
    """The logs, each program's of a channel of its own: ``#tea-irssi`` ..."""
    copytree(LOGS, tmp_path / "logs")
    for program in PROGRAMS:
        for file in [path for path in (tmp_path / "logs" / program).rglob("*") if path.is_file()]:
            file.write_bytes(file.read_bytes().replace(b"#tea", f"#tea-{program}".encode()))
            file.rename(file.with_name(file.name.replace("#tea", f"#tea-{program}")))
        for folder in (tmp_path / "logs" / program).rglob("#tea"):
            folder.rename(folder.with_name(f"#tea-{program}"))
    return tmp_path / "logs"


async def _planned(*arguments: str | Path) -> tuple[int | None, str]:
    """``klatsch import irc --plan``, on no installation at all."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "infra.ops.cli", "import", "irc", "--plan", *map(str, arguments), "--data",
        "no-such-folder",
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    output, _ = await process.communicate()
    return process.returncode, output.decode()


async def test_the_plan_shows_people_and_counts_and_asks_nobody(channels: Path) -> None:
    code, said = await _planned(channels / "znc", channels / "README.md", "--channel", "#tea-znc")
    assert code == 1 and "of no known kind" in said
    code, said = await _planned(channels / "znc", channels / "irssi")
    assert code == 0
    assert "#tea-znc: 1 file, 36 lines, 7 people" in said and "#tea-irssi: 1 file, 39 lines, 7 people" in said
    assert "who says most    bob_away (4), ada (3), cyd (2), bob[x] (1)" in said
    assert "who says nothing 3: znclog, irssilog, egglog" in said
    assert "form             irssi (1)" in said and "private conversation" in said


async def test_each_programs_logs_become_a_room(parts: Parts, channels: Path) -> None:
    async with installation(parts) as settings, serving(settings) as url, visiting(url) as world:
        said = await imported(settings, channels)
        assert all(f"#tea-{program}: " in said for program in PROGRAMS)
        assert await count(settings, "select count(*) from rooms") == len(PROGRAMS)
        assert await count(settings, "select count(*) from parked") == 0
        for program in list(PROGRAMS)[:-1]:
            page = await world.call("messages.read", {"room": f"irc-tea-{program}"}, token=_owner(settings, program))
            found = [(message["type"], message["content"]["text"]) for message in page["messages"]]
            assert found == [(type, text) for _, type, text in SAID], program
            first = "2020-11-29T11:44" if program == "supybot" else "2020-11-29T02:48"
            assert page["messages"][0]["created"].startswith(first), program
        await _check_again(settings, channels)


async def _check_again(settings: Settings, channels: Path) -> None:
    """A second import adds nothing; nor does one of a part, whatever folder it names."""
    ends = await heads(settings)
    assert "0 messages, 0 people" in await imported(settings, channels)
    await imported(settings, channels / "znc/example/#tea-znc")
    assert await heads(settings) == ends


def _owner(settings: Settings, program: str) -> str:
    """A token of the account that owns a channel's room, and is in it whoever has left."""
    return operator_token.token(settings, user=user_id(settings.secret, f"channel #tea-{program}"), role="service")


async def test_a_file_that_has_grown_goes_on(parts: Parts, tmp_path: Path) -> None:
    """A program goes on writing into one file: what it has written since comes with the next import."""
    content = (LOGS / "hexchat/example/#tea.log").read_text().splitlines(keepends=True)
    file = tmp_path / "#tea.log"
    file.write_text("".join(content[:20]))
    async with installation(parts) as settings, serving(settings):
        await imported(settings, file)
        assert await count(settings, "select count(*) from messages") == 7
        file.write_text("".join(content))
        assert "3 messages" in await imported(settings, file)
        assert await count(settings, "select count(*) from messages") == 10
        ends = await heads(settings)
        await imported(settings, file)
        assert await heads(settings) == ends


def test_the_samples_are_of_all_forms_but_ubuntus() -> None:
    found = {log.form.name for program in PROGRAMS for log in rooms.sort([LOGS / program]).rooms["#tea"]}
    assert found == {form.name for form in FORMS} - {"Ubuntu"}
    assert ChannelLogs("#tea", [], logs.latest()).plan(str)[0].lines == 0


def test_progress_is_told_once_and_one_is_no_plural() -> None:
    output = io.StringIO()
    with ImportBar(Console(file=output, width=200)) as bar:
        bar.stage("lines", 3, "lines")
        for count in (0, 2, 1, 0):
            bar.advance(count)
        bar.stage("people", 0, "people")
        bar.advance(0)
    assert output.getvalue().count("of 3 lines") == 1 and "of 0" not in output.getvalue()
    assert [counted(number, "changes of nick") for number in (0, 1, 1_000)] == [
        "0 changes of nick", "1 change of nick", "1,000 changes of nick",
    ]  # fmt: skip
