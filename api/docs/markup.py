"""HTML in small pieces: texts with the little Markdown that descriptions use, and tables."""

from __future__ import annotations

import re
from html import escape
from typing import NamedTuple


class MemberRow(NamedTuple):
    """A member of a body, an answer or a view; all three are HTML."""

    name: str
    type: str
    about: str


def inline(text: str) -> str:
    """Code, bold, and links within the page."""
    safe = re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text, quote=False))
    safe = re.sub(r"\[([^\]]+)\]\((#[\w.-]+)\)", r'<a href="\2">\1</a>', safe)
    return re.sub(r"\*\*([^*]+)\*\*", r"<b>\1</b>", safe)


def table(title: str, rows: list[MemberRow]) -> str:
    """A table under a heading; nothing without rows."""
    if not rows:
        return ""
    lines = "".join(f"<tr><th scope=row>{name}</th><td>{type_}</td><td>{text}</td></tr>" for name, type_, text in rows)
    head = f"<h4>{escape(title)}</h4>" if title else ""
    return f"{head}<table>{lines}</table>"


def samples(key: str, codes: list[tuple[str, str, str]]) -> str:
    """Code in several languages: id, title and text of each. ``key`` is unique in the page; scripts make tabs of it."""
    panels = "".join(
        f'<div id="{escape(key)}-{language}" data-language="{language}"><p class="language">{escape(title)}</p>'
        f"<pre><code>{escape(text)}</code></pre></div>"
        for language, title, text in codes
    )
    return f'<div class="samples">{panels}</div>'
