"""Code samples in the reference: those of ``/docs`` (``api.docs.samples``), folded but for the shell's."""

from __future__ import annotations

import re
from functools import cache

from api.docs.opening import NOTES, STEPS
from api.docs.requests import SampleRequest, operations, request
from api.docs.samples import LANGUAGES
from api.registry import all_operations
from infra.ops.generate import openapi
from infra.ops.generate.reference.events import anchor

_STEPS = tuple(enumerate(STEPS, 1))


def opening() -> str:
    """How to get a token and use it, and what one has to know besides."""
    steps = (f"**{number}. {step.title}.** {_linked(step.about)}\n\n{_blocks(step.code)}" for number, step in _STEPS)
    notes = "\n".join(f"- **{title}.** {text}" for title, text in NOTES)
    return "\n\n".join(
        (
            "## How to authenticate",
            "The samples of this page continue from these steps: they know the server and the token. Their ids are "
            "from one example: replace them with yours. Python needs the package `requests`; JavaScript is that of "
            "browsers, and of Node 18 or newer.",
            *steps,
            notes,
        )
    )


def of(name: str) -> str:
    """The samples of an operation; nothing for one that HTTP does not have."""
    found = _requests().get(name)
    return "" if found is None else _blocks({language.id: language.write(found) for language in LANGUAGES})


@cache
def _requests() -> dict[str, SampleRequest]:
    document = openapi.document(all_operations())
    return {one[2]["operationId"]: request(document, *one) for one in operations(document)}


def _blocks(code: dict[str, str]) -> str:
    first, *others = [f"```{language.fence}\n{code[language.id]}\n```" for language in LANGUAGES]
    titles = " and ".join(language.title for language in LANGUAGES[1:])
    return "\n\n".join([first, f"<details><summary>{titles}</summary>", *others, "</details>"])


def _linked(text: str) -> str:
    """Links as headings of Markdown have them."""
    return re.sub(r"\(#([\w.]+)\)", lambda found: f"(#{anchor(found[1])})", text)
