"""The forms of IRC logs: which there are, and which a file has. Pure; a form is a file here and a row in ``FORMS``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from infra.ops.irc.forms import eggdrop, irssi, iso, mirc, ubuntu, weechat, xchat
from infra.ops.irc.forms.form import Form
from infra.ops.irc.lines import UNKNOWN, Spoken, What

__all__ = ["FORMS", "HEAD", "REFUSED", "Form", "FormFound", "recognise"]

#: Where a file fits several forms equally well, the first of them is taken: lines of messages only are alike in many.
FORMS: tuple[Form, ...] = (
    ubuntu.FORM, mirc.CLASSIC, mirc.MIRC, xchat.FORM, irssi.FORM, weechat.FORM, eggdrop.FORM, iso.FORM,
)  # fmt: skip

#: Forms that are known but not imported: name, and what their lines look like.
REFUSED: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("KVIrc", re.compile(r"^(?:### Log session |\[\d\d:\d\d:\d\d\] \S+ \[\S+@\S+\] has (?:joined|left|quit))")),
    ("HydraIRC", re.compile(r"^\[\d{4}(?:-\d\d){2} [\d:]{8}\] \*\*\* \S+ (?:sets channel |changed (?:topic|nick) )")),
    ("HexChat's memory of a window (scrollback)", re.compile(r"^T \d{9,} ")),
    ("dircproxy", re.compile(r"^<\S+!\S+@\S+> \[\d\d:\d\d\] |^\d{10} <\S+!\S+@\S+> ")),
    ("psyBNC", re.compile(r"^\d{4}(?:-\d\d){5}:#\S*:?:?\S*!\S+@\S+ [A-Z]+ ")),
    ("Pidgin", re.compile(r"^(?:\(\d\d:\d\d:\d\d(?: [AP]M)?\) |Conversation with \S+ at )")),
    ("IRC's own protocol", re.compile(r"^(?:\S+ )?:\S+!\S+@\S+ (?:PRIVMSG|JOIN|PART|QUIT|NICK|MODE|TOPIC|NOTICE) ")),
    ("HTML", re.compile(r"(?i)^\s*<(?:!DOCTYPE|/?(?:html|head|body|table|tr|td|div|p|span|br|pre|title|meta))\b")),
    ("JSON", re.compile(r"^\s*[\[{]\s*(?:$|[\"{])")),
)  # fmt: skip

#: Lines of a file's beginning by which its form is told.
HEAD = 200
#: What a line counts for a form: one of members, modes or the program itself looks alike in few, messages in many.
_TELLING, _PLAIN = 3, 1


class FormFound(NamedTuple):
    """What the beginning of a file looks like.

    ``form``: None when it has none of ``FORMS``; ``refused``: then the name of one that is known, but not imported.
    ``lines``: how many lines that are not blank were looked at; ``unknown``: how many of them are of no known kind in
    the form that fits best; ``first``: the first such line.
    """

    form: Form | None
    refused: str
    lines: int
    unknown: int
    first: str


def recognise(head: Sequence[str]) -> FormFound:
    """The form of a file that begins with these lines: the one that says most of them, if it says half at least."""
    lines = [line for line in head if line.strip()]
    said = {form: [form.parse(line).what for line in lines] for form in FORMS}
    form = max(FORMS, key=lambda form: sum(map(_weight, said[form])))
    unknown = [line for line, what in zip(lines, said[form], strict=True) if what == UNKNOWN]
    refused = _refused(lines, sum(_weight(what) == _TELLING for what in said[form]))
    fits = bool(lines) and 2 * len(unknown) <= len(lines) and not refused
    return FormFound(form if fits else None, refused, len(lines), len(unknown), unknown[0] if unknown else "")


def _weight(what: What) -> int:
    if what == UNKNOWN:
        return 0
    return _PLAIN if isinstance(what, Spoken) else _TELLING


def _refused(lines: Sequence[str], telling: int) -> str:
    """The form that is not imported, where more lines are of it than lines that tell of the form which fits best."""
    for name, pattern in REFUSED:
        found = sum(pattern.match(line) is not None for line in lines)
        if found > telling or found * 3 > len(lines):
            return name
    return ""
