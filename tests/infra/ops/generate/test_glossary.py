"""The glossary: each word lives in the code, is said once, and is the one that the console explains."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from infra.ops.generate import glossary
from infra.ops.generate.glossary.entry import GlossaryEntry

CONSOLE = Path(__file__).resolve().parents[4] / "api" / "web" / "console"


def test_each_word_lives_where_it_is_said_to() -> None:
    assert glossary.homeless() == []


def test_a_word_that_is_nowhere_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    gone = GlossaryEntry("gone", "nothing", "Nothing.", "producers.engine.shard:Nowhere", "none")
    monkeypatch.setattr(glossary, "TERMS", (gone,))
    assert glossary.homeless() == ["gone: producers.engine.shard:Nowhere"]


def test_words_are_explained_once_and_in_one_sentence() -> None:
    words = [term.word for term in glossary.TERMS]
    assert len(set(words)) == len(words)
    assert all(term.sentence.endswith(".") and len(term.sentence) <= 160 for term in glossary.TERMS)


def test_the_console_explains_only_words_of_the_glossary() -> None:
    words = {term.word for term in glossary.TERMS}
    used = {
        word
        for file in CONSOLE.glob("*.js")
        for word in re.findall(r"""\b(?:explain|termed)\("([^"]+)\"""", file.read_text())
    }
    assert len(used) >= 8 and used <= words
