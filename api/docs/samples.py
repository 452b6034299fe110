"""Requests as code that one can copy: for a shell, for JavaScript (browsers, Node 18) and for Python (requests).

The names that they share are given once, by the steps of ``api.docs.opening``: where the server is, and the token.
Samples print the status and the answer, and nothing else.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, NamedTuple

from api.docs.requests import SampleRequest

#: Characters to which a value stays on one line.
_WIDTH = 72
_NAME = re.compile(r"[A-Za-z_]\w*")


class Language(NamedTuple):
    """A language of the samples. ``fence``: its name for code blocks in Markdown."""

    id: str
    title: str
    fence: str
    write: Callable[[SampleRequest], str]


def curl(request: SampleRequest) -> str:
    """The request as a command of a POSIX shell."""
    words = ["curl -N" if request.streams else "curl"]
    if request.method != ("GET" if request.body is None else "POST"):
        words[0] += f" -X {request.method}"
    words[0] += f' "$KLATSCH{request.target}"'
    if request.needs_token:
        words.append('-H "Authorization: Bearer $TOKEN"')
    if request.body is not None:
        words.append("-d '" + compact_json(request.body).replace("'", "'\\''") + "'")
    return " \\\n  ".join(words)


def javascript(request: SampleRequest) -> str:
    """The request with ``fetch``, in a module."""
    options = [] if request.method == "GET" else [f'method: "{request.method}"']
    headers = ["Authorization: `Bearer ${token}`"] if request.needs_token else []
    if request.body is not None:
        headers.append('"Content-Type": "application/json"')
    if headers:
        options.append(f"headers: {{ {', '.join(headers)} }}")
    if request.body is not None:
        options.append(f"body: JSON.stringify({_deeper(_literal(request.body, _SCRIPT), _SCRIPT)})")
    given = "".join(f"  {option},\n" for option in options)
    call = f"const response = await fetch(`${{klatsch}}{request.target}`"
    call += f", {{\n{given}}});" if given else ");"
    if request.streams:
        return f"""{call}
console.log(response.status);
const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
const {{ value }} = await reader.read(); // and so on: the stream does not end
console.log(value);
await reader.cancel();"""
    shown = "response.status, await response.json()" if request.answers else "response.status"
    return f"{call}\nconsole.log({shown});"


def python(request: SampleRequest) -> str:
    """The request with the package ``requests``."""
    given = [f'f"{{klatsch}}{request.target}"']
    if request.needs_token:
        given.append('headers={"Authorization": f"Bearer {token}"}')
    if request.body is not None:
        given.append(f"json={_deeper(_literal(request.body, _PYTHON), _PYTHON)}")
    if request.streams:
        given.append("stream=True")
    inside = "".join(f"    {one},\n" for one in given)
    call = f"response = requests.{request.method.lower()}(\n{inside})"
    if request.streams:
        return f"""with requests.{request.method.lower()}(
{inside}) as response:
    print(response.status_code)
    for line in response.iter_lines(decode_unicode=True):
        print(line)
        break  # or go on: the stream does not end"""
    shown = "response.status_code, response.json()" if request.answers else "response.status_code"
    return f"{call}\nprint({shown})"


LANGUAGES = (
    Language("curl", "curl", "sh", curl),
    Language("javascript", "JavaScript", "js", javascript),
    Language("python", "Python", "python", python),
)


class _Words(NamedTuple):
    """How a language writes what JSON has. ``bare``: whether a name of a member needs no quotes."""

    step: str
    names: dict[bool | None, str]
    bare: bool
    #: Between braces and what stands in them.
    space: str
    #: After the last member of several lines.
    comma: str


_JSON = _Words("  ", {True: "true", False: "false", None: "null"}, False, "", "")
_SCRIPT = _JSON._replace(bare=True, space=" ", comma=",")
_PYTHON = _Words("    ", {True: "True", False: "False", None: "None"}, False, "", ",")


def compact_json(value: Any) -> str:
    """A value as JSON, on as few lines as people can read."""
    return _literal(value, _JSON)


def _literal(value: Any, words: _Words) -> str:
    """A value as the source of a language, on one line where it fits."""
    if value is None or isinstance(value, bool):
        return words.names[value]
    if not isinstance(value, (dict, list)):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, dict):
        parts = [f"{_member(name, words)}: {_literal(one, words)}" for name, one in value.items()]
        opened, closed, space = "{", "}", words.space
    else:
        parts = [_literal(one, words) for one in value]
        opened, closed, space = "[", "]", ""
    line = f"{opened}{space}{', '.join(parts)}{space}{closed}" if parts else opened + closed
    if len(line) <= _WIDTH and "\n" not in line:
        return line
    inside = ",\n".join(f"{words.step}{_deeper(part, words)}" for part in parts)
    return f"{opened}\n{inside}{words.comma}\n{closed}"


def _member(name: str, words: _Words) -> str:
    return name if words.bare and _NAME.fullmatch(name) else json.dumps(name, ensure_ascii=False)


def _deeper(text: str, words: _Words) -> str:
    """The text a step deeper, but for its first line, which continues one. No value has a line break of its own."""
    return text.replace("\n", f"\n{words.step}")
