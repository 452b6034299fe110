"""``docs/reference/glossary.md``: the words of ``generate/glossary`` as tables."""

from __future__ import annotations

from collections.abc import Iterable

from infra.ops.generate.glossary import anchor, inner, shown
from infra.ops.generate.glossary.entry import GlossaryEntry
from infra.ops.generate.reference.markdown import code, page, table

_INTRO = (
    "The words of the inside: first those that the [console](../howto/console.md) and `./klatsch status` use, then "
    "those that only the code has. Each in plain words, with the place where it lives (`module:name`), and what the "
    "literature or a well-known system calls it."
)


def page_text() -> str:
    """``docs/reference/glossary.md``."""
    return page("Glossary", _INTRO, f"{_table(shown.TERMS)}\n\n## Words of the code\n\n{_table(inner.TERMS)}")


def _table(terms: Iterable[GlossaryEntry]) -> str:
    rows = (
        (
            f'<a id="{anchor(term.word)}"></a>{term.word}', term.plain, term.sentence, code(term.lives),
            term.literature,
        )
        for term in sorted(terms, key=lambda term: term.word)
    )  # fmt: skip
    return table(("word", "in plain words", "what it is", "where", "in the literature"), rows)
