"""The page for people, made from the OpenAPI document: plain HTML with a style and scripts of its own."""

from __future__ import annotations

import base64
import hashlib
from html import escape
from pathlib import Path

from api.docs.markup import inline, table
from api.docs.operation import article, common, words
from api.docs.requests import Document, operations
from api.docs.schemas import rows
from api.docs.start import start

_ASSETS = Path(__file__).resolve().parent / "assets"
_WEB = Path(__file__).resolve().parent.parent / "web"
#: Colours, letters and rules of the demo and the console come first.
_STYLES = (
    *(_WEB / "css" / name for name in ("tokens.css", "common.css")),
    *(_ASSETS / name for name in ("page.css", "operations.css", "samples.css", "forms.css")),
)
_SCRIPTS = ("filter.js", "languages.js", "token.js", "trying.js")

_STYLE = "".join(path.read_text(encoding="utf-8") for path in _STYLES)
_SCRIPT = '"use strict";\n' + "".join((_ASSETS / name).read_text(encoding="utf-8") for name in _SCRIPTS)


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


#: Nothing but what stands in the page itself, the product's mark, and calls of this installation.
CONTENT_POLICY = (
    f"default-src 'none'; style-src {_digest(_STYLE)}; script-src {_digest(_SCRIPT)}; connect-src 'self'; "
    "img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)

#: The icon, drawn in the page and so in its colours: those of the night too.
_MARK = (_WEB / "icon.svg").read_text(encoding="utf-8").replace("<svg ", '<svg class="mark" aria-hidden="true" ')

_PAGES = (
    ("/", "Demo", ""),
    ("/voice/", "Voice", ""),
    ("/docs", "API", ' aria-current="page"'),
    ("/console/", "Console", ""),
    ("/openapi.json", "openapi.json", ""),
)

_ASKS = """\
<dialog id="sure" aria-labelledby="sure-title"><h2 id="sure-title">Really?</h2><p id="sure-what"></p>
<p class="acts"><button type="button" class="quiet" value="no">Cancel</button>
<button type="button" class="primary danger" value="yes">Send it</button></p></dialog>"""


def render(document: Document) -> str:
    """The whole page."""
    info = document["info"]
    title = escape(info["title"])
    found = list(operations(document))
    sections = "".join(_section(document, tag, found) for tag in document["tags"])
    schemas = "".join(_component(name, schema) for name, schema in document["components"]["schemas"].items())
    pages = "".join(f'<a href="{at}"{current}>{name}</a>' for at, name, current in _PAGES)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="color-scheme" content="light dark">
<meta name="theme-color" content="#e9f0f0" media="(prefers-color-scheme: light)">
<meta name="theme-color" content="#0d1517" media="(prefers-color-scheme: dark)">
<title>{title} API</title>
<link rel="icon" href="/icon.svg" type="image/svg+xml">
<style>{_STYLE}</style>
</head>
<body>
<a class="skip" href="#content">Skip to the content</a>
<header class="top">
<a class="wordmark" href="/" aria-label="{title}, the demo">{_MARK}{title}</a>
<nav aria-label="Pages">{pages}</nav>
<a id="who" href="#token" hidden>Log in</a>
<button id="menu-button" class="quiet" aria-expanded="false" aria-controls="menu" hidden>Operations</button>
</header>
<nav id="menu" class="menu" aria-label="Operations">
<input id="filter" type="search" placeholder="Filter  ( / )" aria-label="Filter operations" autocomplete="off">
{_menu(document, found)}
</nav>
<main id="content">
<div id="intro">
<h1>{title} API <small>{escape(info["version"])}</small></h1>
<p class="lead">{escape(info["summary"])}</p>
{start()}
<section id="common" aria-labelledby="common-title"><h2 id="common-title">What holds for all</h2>
{_prose(info["description"])}
<p>For programs: <a href="/openapi.json">openapi.json</a> (OpenAPI {escape(document["openapi"])}).</p>
<h3>What many operations take</h3>{common(document)}</section>
</div>
{sections}
<section id="views" aria-labelledby="views-title"><h2 id="views-title">Views</h2>
<p>What operations answer, and what deltas carry.</p>{schemas}</section>
<p id="nothing" role="status" hidden>No operation has these words.</p>
</main>
{_ASKS}
<p id="announced" class="unseen" role="status"></p>
<script>{_SCRIPT}</script>
</body>
</html>
"""


def _menu(document: Document, found: list[tuple[str, str, Document]]) -> str:
    groups = ['<div class="group"><ul><li><a href="#start">How to authenticate</a></li>'
              '<li><a href="#common">What holds for all</a></li></ul></div>']  # fmt: skip
    for tag in document["tags"]:
        links = "".join(
            f'<li data-find="{escape(words(method, path, one))}"><a href="#{escape(one["operationId"])}">'
            f'<b class="verb {method.lower()}">{method}</b> {escape(one["operationId"])}</a></li>'
            for method, path, one in found
            if tag["name"] in one["tags"]
        )
        groups.append(f'<div class="group"><h2>{escape(tag["name"])}</h2><ul>{links}</ul></div>')
    groups.append('<div class="group"><ul><li><a href="#views">Views</a></li></ul></div>')
    # Where the header has no place for them.
    pages = "".join(f'<li><a href="{at}">{name}</a></li>' for at, name, _ in _PAGES)
    return "".join(groups) + f'<div class="group pages"><h2>Pages</h2><ul>{pages}</ul></div>'


def _section(document: Document, tag: Document, found: list[tuple[str, str, Document]]) -> str:
    own = "".join(article(document, *one) for one in found if tag["name"] in one[2]["tags"])
    name = escape(tag["name"])
    return (
        f'<section id="tag-{name}" aria-labelledby="tag-{name}-title"><h2 id="tag-{name}-title">{name}</h2>'
        f"<p>{escape(tag['description'])}</p>{own}</section>"
    )


def _component(name: str, schema: Document) -> str:
    head = f"<h3>{escape(name)}</h3><p>{inline(schema.get('description', ''))}</p>"
    return f'<article id="view-{escape(name)}">{head}{table("", rows(schema))}</article>'


def _prose(text: str) -> str:
    return "".join(f"<p>{inline(part)}</p>" for part in text.strip().split("\n\n"))
