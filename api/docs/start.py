"""How the page begins: the way to a token, what one has to know besides, and the token that the forms send."""

from __future__ import annotations

from html import escape

from api.docs.markup import inline, samples
from api.docs.opening import NOTES, PACKAGES, STEPS
from api.docs.samples import LANGUAGES

_TOKEN = """\
<section id="token" class="panel" aria-labelledby="token-title" hidden>
<h3 id="token-title">The token of this page</h3>
<p>The forms below call this installation, and send it. It stays in this tab until you close the tab or empty the
field.</p>
<form id="log-in" aria-label="Log in">
<div><label><span>Username</span><input name="username" autocomplete="username" spellcheck="false"
autocapitalize="none" aria-describedby="username-wrong" required></label>
<p id="username-wrong" class="wrong" role="alert"></p></div>
<div><label><span>Password</span><input name="password" type="password" autocomplete="current-password"
aria-describedby="password-wrong" required></label><p id="password-wrong" class="wrong" role="alert"></p></div>
<p class="acts"><button class="primary" value="/v1/sessions">Log in</button>
<button class="quiet" value="/v1/users">Create account</button></p>
</form>
<p id="token-said" role="status"></p>
<label><span>Token</span><input id="token-field" autocomplete="off" spellcheck="false"
placeholder="or paste one: yours, a service account's, an operator's"></label>
</section>"""


def start() -> str:
    """The sections before the operations."""
    steps = "".join(
        f"<li><h3>{escape(step.title)}</h3><p>{inline(step.about)}</p>{_samples(f'step-{number}', step.code)}</li>"
        for number, step in enumerate(STEPS, 1)
    )
    packages = "; ".join(f"{_title(one)} needs the package <code>{name}</code>" for one, name in PACKAGES.items())
    notes = "".join(f"<div><h3>{escape(title)}</h3><p>{inline(text)}</p></div>" for title, text in NOTES)
    return f"""<section id="start" aria-labelledby="start-title">
<h2 id="start-title">How to authenticate</h2>
<p>The samples of this page continue from these steps: they know the server and the token. Their ids are those of one
example: replace them with yours. {packages}; JavaScript is that of browsers, and of Node 18 or newer.</p>
<ol class="steps">{steps}</ol>
{_TOKEN}
<div class="notes">{notes}</div>
</section>"""


def _samples(key: str, code: dict[str, str]) -> str:
    return samples(key, [(language.id, language.title, code[language.id]) for language in LANGUAGES])


def _title(id_: str) -> str:
    return next(language.title for language in LANGUAGES if language.id == id_)
