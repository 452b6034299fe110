"""The words of the inside, in plain ones: rows of the glossary, and what the page of the console explains."""

from __future__ import annotations

import importlib
import json
import re

from infra.ops.generate.glossary import inner, shown
from infra.ops.generate.glossary.entry import GlossaryEntry

TERMS: tuple[GlossaryEntry, ...] = (*shown.TERMS, *inner.TERMS)


def homeless() -> list[str]:
    """Terms whose name stands nowhere in the module that they name."""
    found = []
    for term in TERMS:
        path, _, name = term.lives.partition(":")
        module = importlib.import_module(path)
        if not hasattr(module, name) and not re.search(rf"\b{re.escape(name)}\b", _text(module.__file__)):
            found.append(f"{term.word}: {term.lives}")
    return found


def _text(file: str | None) -> str:
    if file is None:
        return ""
    with open(file, encoding="utf-8") as source:
        return source.read()


def anchor(word: str) -> str:
    return word.replace(" ", "-")


def script() -> str:
    """``api/web/console/terms.js``: the same for the console's page, which asks no other server."""
    rows = {
        term.word: {"plain": term.plain, "sentence": term.sentence.replace("`", "")}
        for term in sorted(shown.TERMS, key=lambda term: term.word)
    }
    text = json.dumps(rows, indent=2, ensure_ascii=False)
    return (
        "// Made by ./klatsch schemas from infra/ops/generate/glossary/shown.py. Change that, not this file.\n\n"
        f"export const TERMS = {text};\n"
    )
