"""Markdown in small pieces: tables, anchors, and the line that says where a page comes from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

NOTICE = "<!-- Made by ./klatsch schemas from the code. Change the code, not this file. -->\n\n"


def page(title: str, *parts: str) -> str:
    """A generated page."""
    return NOTICE + f"# {title}\n\n" + "\n\n".join(part.strip("\n") for part in parts if part) + "\n"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; cells are made safe. Empty without rows."""
    lines = ["| " + " | ".join(map(_cell, row)) + " |" for row in rows]
    if not lines:
        return ""
    return "\n".join(["| " + " | ".join(head) + " |", "|" + " --- |" * len(head), *lines])


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def code(text: str) -> str:
    return f"`{text}`" if text else ""


def codes(names: Iterable[str]) -> str:
    return ", ".join(map(code, names))
