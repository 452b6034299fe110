"""The forms of IRC logs: which one a file has, what its lines say, and which are refused."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.ops.irc.forms import FORMS, REFUSED, eggdrop, irssi, iso, mirc, recognise, ubuntu, weechat, xchat
from infra.ops.irc.forms.form import Form
from infra.ops.irc.lines import (
    MODE,
    NICK,
    OWN,
    UNKNOWN,
    Came,
    LogTarget,
    MonthDay,
    Ops,
    Renamed,
    Skipped,
    Spoken,
    Topic,
    Went,
    What,
)
from tests.infra.ops.irc.importing import filled, log

#: What another project's converter for such a channel calls the trap: the client's own lines look like actions.
MIRC = """[16:07] * Now talking in #tea
[16:07] * Topic is 'all about tea'
[16:07] * Set by foo!foo@bar on Tue Oct 25 10:19:06 2016
[16:08] <ada> hello
[16:09] * linus (~l@198.51.100.9) has joined #tea
[16:10] * ada sets mode: +o linus
[16:11] * linus waves
[16:12] * linus is now known as linus_afk
[16:13] * linus_afk (~l@198.51.100.9) Quit (Ping timeout)
[18:33] * Disconnected
"""


def test_the_clients_own_lines_are_nobodys(tmp_path: Path) -> None:
    plan, _ = filled("#tea", log(tmp_path, "2017-01-02.log", MIRC))
    assert list(plan.people) == ["ada", "linus", "linus_afk"]
    assert plan.counts["messages"] == 2 and plan.counts["of them actions"] == 1
    assert plan.counts["leavings"] == 2 and plan.counts["changes of nick"] == 1 and plan.counts["roles given"] == 2
    assert plan.skipped == {OWN.reason: 4}


LINES: list[tuple[Form, str, What]] = [
    (mirc.MIRC, "Session Ident: #Tea", LogTarget("#Tea")),
    (mirc.MIRC, "Session Ident: linus", LogTarget("linus")),
    (mirc.MIRC, "Session Close (#tea): Sat Nov 15 18:46:08 2003", LogTarget("#tea")),
    (mirc.MIRC, "\x0303[16:07] * Now talking in #tea", LogTarget("#tea")),
    (mirc.MIRC, "03[16:07] * Rejoined channel #tea", OWN),
    (mirc.MIRC, "[16:07:12] <@ada> hi", Spoken("ada", "text", "hi")),
    (mirc.MIRC, "\x0301,00[16:07] <\x0303@ada\x0f> \x0312hi", Spoken("ada", "text", "\x0312hi")),
    (mirc.MIRC, "\x0302[16:07] * Quits: @linus (~l@h\x0f) (Ping timeout: 121 seconds\x0f)", Went("linus")),
    (mirc.MIRC, "* linus waves", Spoken("linus", "action", "waves")),
    (mirc.MIRC, "[16:07] * linus is now known as a fool", Spoken("linus", "action", "is now known as a fool")),
    (mirc.MIRC, "[16:07] * linus has quit smoking", Spoken("linus", "action", "has quit smoking")),
    (mirc.MIRC, "[16:07] * linus was kicked by a horse", Spoken("linus", "action", "was kicked by a horse")),
    (mirc.MIRC, "[16:07] * linus has left the building", Spoken("linus", "action", "has left the building")),
    (mirc.MIRC, "[16:07] * linus (~l@h) has left #tea (bye)", Went("linus", "#tea")),
    (mirc.MIRC, "[16:07] * Joins: linus (~l@h)", Came("linus")),
    (mirc.MIRC, "[16:07] * linus was kicked by ada (too loud)", Went("linus", None, kicked=True)),
    (mirc.MIRC, "[16:07] * ada changes topic to 'it's \x02tea\x02'", Topic(None, "it's \x02tea\x02", "ada")),
    (mirc.MIRC, "[16:07] * ada sets mode: +b *!*@h", MODE),
    (mirc.MIRC, "[16:07] *** linus has joined #tea", UNKNOWN),
    (mirc.MIRC, "any text", UNKNOWN),
    (mirc.CLASSIC, "[16:07:12] *** Joins: linus (~l@h)", Came("linus")),
    (mirc.CLASSIC, "[16:07:12] *** Parts: linus (~l@h) (bye)", Went("linus")),
    (mirc.CLASSIC, '[16:07:12] *** Quits: linus (~l@h) ("bye")', Went("linus")),
    (mirc.CLASSIC, "[16:07] *** linus (~l@h) has joined #tea", Came("linus", "#tea")),
    (mirc.CLASSIC, "[16:07] Joins: linus (~l@h)", Came("linus")),
    (mirc.CLASSIC, "[16:07] *** ada sets mode: +o-v linus bob ", Ops(None, (("linus", True),))),
    (mirc.CLASSIC, "[16:07] *** ada changes topic to ''", Topic(None, "", "ada")),
    (mirc.CLASSIC, "[16:07] * linus is now known as bob", Spoken("linus", "action", "is now known as bob")),
    (mirc.CLASSIC, "[16:07] -linus- a notice", Spoken("linus", "text", "a notice")),
    (mirc.CLASSIC, "[16:07] *** Disconnected", OWN),
    (xchat.FORM, "Jan 13 04:39:42 <ada>\thello", Spoken("ada", "text", "hello")),
    (xchat.FORM, "Jan 13 04:39:42 *\tada waves", Spoken("ada", "action", "waves")),
    (xchat.FORM, "Jan 13 04:39:42 *\tNow talking on #tea", LogTarget("#tea")),
    (xchat.FORM, "Jan 13 04:39:42 --> You are now talking on #tea", LogTarget("#tea")),
    (xchat.FORM, "Jan 13 04:39:42 -->\tlinus (~l@h) has joined #tea", Came("linus", "#tea")),
    (xchat.FORM, "Jan 13 04:39:42 *\tlinus (~l@h) has left (off to lunch)", Went("linus")),
    (xchat.FORM, "Jan 13 04:39:42 <--\tlinus has quit (Quit: bye)", Went("linus")),
    (xchat.FORM, "Jan 13 04:39:42 *\tada has kicked linus from #tea (loud)", Went("linus", "#tea", kicked=True)),
    (xchat.FORM, "Jan 13 04:39:42 *\tada gives channel operator status to a b", Ops(None, (("a", True), ("b", True)))),
    (xchat.FORM, "Jan 13 04:39:42 *\tada removes channel operator status from a", Ops(None, (("a", False),))),
    (xchat.FORM, "Jan 13 04:39:42 *\tada sets mode +m on #tea", MODE),
    (xchat.FORM, "Jan 13 04:39:42 *\tada gives voice to linus", MODE),
    (xchat.FORM, "Jan 13 04:39:42 *\tada has changed the topic to: ", Topic(None, "", "ada")),
    (xchat.FORM, "Jan 13 04:39:42 ---\tTopic for #tea is: all about", Topic("#tea", "all about", None)),
    (xchat.FORM, "Jan 13 04:39:42 *\tTopic for #tea set by ada (Mon Jan 1 2001)", OWN),
    (xchat.FORM, "Jan 13 04:39:42 *\tYou are now known as linus", OWN),
    (xchat.FORM, "Jan 13 04:39:42 -bob/#tea-\ta notice", Spoken("bob", "text", "a notice")),
    (irssi.FORM, "02:41 <@ada> hi", Spoken("ada", "text", "hi")),
    (irssi.FORM, "02:41:07 < bob[x]> hi", Spoken("bob[x]", "text", "hi")),
    (irssi.FORM, "02:41  * bob is now known as bob2", Spoken("bob", "action", "is now known as bob2")),
    (irssi.FORM, "02:41 -!- linus [~l@h] has joined #tea", Came("linus", "#tea")),
    (irssi.FORM, "02:41 -!- linus [~l@h] has left #tea []", Went("linus", "#tea")),
    (irssi.FORM, '02:41 -!- linus [~l@h] has quit ["bye"]', Went("linus")),
    (irssi.FORM, "02:41 -!- cyd was kicked from #tea by ada [loud]", Went("cyd", "#tea", kicked=True)),
    (irssi.FORM, "02:41 -!- a is now known as b", Renamed("a", "b")),
    (irssi.FORM, "02:41 -!- mode/#tea [+o bob[x]] by ada", Ops("#tea", (("bob[x]", True),))),
    (irssi.FORM, "02:41 -!- ServerMode/#tea [+o bob ] by irc.example", Ops("#tea", (("bob", True),))),
    (irssi.FORM, "02:41 -!- ada changed the topic of #tea to: all", Topic("#tea", "all", "ada")),
    (irssi.FORM, "02:41 -!- Topic unset by ada on #tea", Topic("#tea", "", "ada")),
    (irssi.FORM, "02:41 -!- Netsplit a.example <-> b.example quits: x, y", Skipped("split of the network")),
    (irssi.FORM, "02:41 -!- Irssi: #tea: Total of 3 nicks [1 ops]", OWN),
    (irssi.FORM, "02:41 -bob:#tea- a notice", Spoken("bob", "text", "a notice")),
    (weechat.FORM, "2020-11-29 02:43:52\t@ada\thi", Spoken("ada", "text", "hi")),
    (weechat.FORM, "2024-11-29T02:43:52.123456Z\tada\thi\tthere", Spoken("ada", "text", "hi\tthere")),
    (weechat.FORM, "2020-11-29 02:43:52\t *\tada pours tea", Spoken("ada", "action", "pours tea")),
    (weechat.FORM, "2020-11-29 02:43:52\t-->\tcyd [acc] (Cyd D) (~c@h) has joined #tea", Came("cyd", "#tea")),
    (weechat.FORM, "2020-11-29 02:43:52\t<--\tcyd (~c@h) has left #tea", Went("cyd", "#tea")),
    (weechat.FORM, "2020-11-29 02:43:52\t<--\tada has kicked cyd (loud)", Went("cyd", None, kicked=True)),
    (weechat.FORM, "2020-11-29 02:43:52\t--\tMode #tea [-o+v b b] by ada", Ops("#tea", (("b", False),))),
    (weechat.FORM, '2020-11-29 02:43:52\t--\ta has changed topic for #tea from "x" to "y"', Topic("#tea", "y", "a")),
    (weechat.FORM, '2020-11-29 02:43:52\t--\ta has unset topic for #tea (old topic: "y")', Topic("#tea", "", "a")),
    (weechat.FORM, "2020-11-29 02:43:52\t--\tNotice(bob) -> #tea: a notice", Spoken("bob", "text", "a notice")),
    (weechat.FORM, "2020-11-29 02:43:52\t--\tChannel #tea: 2 nicks (1 op)", OWN),
    (weechat.FORM, "2020-11-29 02:43:52\t\tsomething of a script", OWN),
    (eggdrop.FORM, "[00:03] linus (~l@h) joined #tea.", Came("linus", "#tea")),
    (eggdrop.FORM, "[00:03] bot joined #tea.", Came("bot", "#tea")),
    (eggdrop.FORM, "[00:03] linus (~l@h) left #tea (bye).", Went("linus", "#tea")),
    (eggdrop.FORM, '[00:03] linus (~l@h) left irc: "bye"', Went("linus")),
    (eggdrop.FORM, "[00:03] cyd kicked from #tea by ada: loud", Went("cyd", "#tea", kicked=True)),
    (eggdrop.FORM, "[00:03] Nick change: a -> b", Renamed("a", "b")),
    (eggdrop.FORM, "[00:03] #tea: mode change '+o b' by a!~a@h", Ops("#tea", (("b", True),))),
    (eggdrop.FORM, "[00:03] Topic changed on #tea by a!~a@h: all", Topic("#tea", "all", "a")),
    (eggdrop.FORM, "[00:03] Action: a waves", Spoken("a", "action", "waves")),
    (eggdrop.FORM, "[00:03] @#tea (+nt) [m/2]", OWN),
    (iso.FORM, "2005-01-08T23:33:54  *** bot <~b@h> has joined #pov", Came("bot", "#pov")),
    (iso.FORM, "2005-01-08T23:33:54  *** bot <~b@h> has quit IRC", Went("bot")),
    (iso.FORM, "2005-01-08T23:34:46  <ada> let's see", Spoken("ada", "text", "let's see")),
    (iso.FORM, "2005-01-08T23:34:46  * ada waves", Spoken("ada", "action", "waves")),
    (iso.FORM, '2005-01-08T23:34:46  *** ada changes topic to "all"', Topic(None, "all", "ada")),
]


@pytest.mark.parametrize(("form", "line", "what"), LINES)
def test_what_a_line_says(form: Form, line: str, what: What) -> None:
    assert form.parse(line).what == what


def test_times_and_days_of_lines() -> None:
    def at(form: Form, line: str) -> tuple[int | None, object, int]:
        parsed = form.parse(line)
        return parsed.second, parsed.day, parsed.whole

    assert at(mirc.MIRC, "[16:07] * a b") == (58_020, None, 60) and at(mirc.MIRC, "[16:07:09] <a> b") == (
        58_029,
        None,
        1,
    )
    assert at(mirc.MIRC, "Session Start: Mon Jan 02 16:07:49 2017") == (58_020, date(2017, 1, 2), 60)
    assert at(xchat.FORM, "Feb  3 00:00:01 <a> b") == (1, MonthDay(2, 3), 1)
    assert at(xchat.FORM, "**** BEGIN LOGGING AT Tue Feb  3 00:01:05 2009") == (60, date(2009, 2, 3), 60)
    assert at(irssi.FORM, "--- Day changed Mon Nov 30 2020") == (None, date(2020, 11, 30), 60)
    assert at(weechat.FORM, "2020-11-29 02:43:52\ta\tb") == (9832, date(2020, 11, 29), 1)
    assert at(eggdrop.FORM, "[00:00] --- Tue Jan  2 2001") == (0, date(2001, 1, 2), 60)
    # Months of other languages are counted, not guessed.
    assert irssi.FORM.parse("--- Day changed Mi Okt 10 2012").what == Skipped(
        "date that cannot be read (English months are known)"
    )
    assert irssi.FORM.parse("25:00 <a> b").what == UNKNOWN == mirc.MIRC.parse("[25:00] <a> b").what


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_a_forms_own_example_is_of_it(form: Form) -> None:
    example = form.example.replace(" (tab) ", "\t")
    assert recognise([example]).form is form


def test_lines_of_messages_only_are_of_the_first_form() -> None:
    assert recognise(["[12:18] <a> hello", "", "[12:19] <b> hi"]).form is ubuntu.FORM
    # Who writes as mIRC 6 does what the server tells: no person by the name of Joins.
    assert recognise(["[12:18] <a> hello", "[12:18] *** Joins: b (b@h)"]).form is mirc.CLASSIC


def test_half_of_the_lines_must_be_known() -> None:
    found = recognise(["[12:18] <a> hello", "no", "[12:19] <b> hi", "such"])
    assert found.form is ubuntu.FORM and (found.lines, found.unknown, found.first) == (4, 2, "no")
    assert recognise(["[12:18] <a> hello", "no", "such", "line"]).form is None
    assert recognise([]).form is recognise(["", "  "]).form is None


@given(st.lists(st.text()), st.sampled_from([line for _, line, _ in LINES]), st.text(), st.integers(0, 80))
def test_no_line_is_too_odd(texts: list[str], line: str, odd: str, place: int) -> None:
    """Whatever stands in a file: every form says something of it, and nobody's name is one that the API refuses."""
    broken = line[:place] + odd + line[place:]
    assert recognise([*texts, broken]).lines <= len(texts) + 1
    for form in FORMS:
        what = form.parse(broken).what
        assert not isinstance(what, Spoken | Came | Went) or (0 < len(what.nick) <= NICK and not what.nick.isspace())


REFUSED_LINES = {
    "KVIrc": ["[17:25:36] linus [anonymous@host.example] has joined #tea", "[17:25:47] <ada> yop"],
    "HydraIRC": ["[2003-02-22 16:49:18] *** linus changed topic to wibble"],
    "dircproxy": ["<linus!l@host.example> [12:30] hello"],
    "psyBNC": ["2001-08-19-23-14-06:#tea::linus!l@host.example PRIVMSG #tea :hi!"],
    "Pidgin": ["(12:34:56) ada: hello"],
    "HexChat's memory of a window (scrollback)": ["T 1795920489 19*\tNow talking on #tea"],
    "IRC's own protocol": [":linus!l@host.example PRIVMSG #tea :hi"],
    "HTML": ["<!DOCTYPE html>", "<html><body>", "<table>"],
    "JSON": ['[{"nick": "ada"}]'],
}


@pytest.mark.parametrize("name", [name for name, _ in REFUSED])
def test_known_forms_that_are_not_imported_are_named(name: str) -> None:
    found = recognise(REFUSED_LINES[name])
    assert (found.form, found.refused) == (None, name)
