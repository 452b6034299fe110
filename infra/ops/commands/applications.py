"""``klatsch apps``: applications, made and changed by the installation's own operations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from infra.base.settings import Settings
from infra.ops.commands.asking import ask
from infra.ops.commands.errors import CannotDo
from infra.ops.irc import url_of

Say = Callable[[str], None]


async def create(settings: Settings, name: str, *, json: bool, url: str, say: Say) -> None:
    """Makes an application; says its id, key and secret. Raises CannotDo."""
    answer = await ask(settings, url or url_of(settings), "POST", "/v1/apps", body={"name": name})
    _say_secret(answer, json, say)


async def roll(settings: Settings, app: str, *, grace: int, json: bool, url: str, say: Say) -> None:
    """Gives an application a new key; says it and its secret. Raises CannotDo."""
    url = url or url_of(settings)
    path, body = f"{await path_of(settings, url, app)}/keys", {"grace_seconds": grace}
    _say_secret(await ask(settings, url, "POST", path, body=body), json, say)


def _say_secret(answer: dict[str, Any], json: bool, say: Say) -> None:
    app, key = answer["app"], answer["key"]
    if json:
        say(msgspec.json.encode({"app": app["id"], "key": key, "secret": answer["secret"]}).decode())
        return
    say(f"app:    {app['id']} ({app['name']})\nkey:    {key}\nsecret: {answer['secret']}")
    say("The secret is shown only now: keep it where the application's server finds it.")
    for one in app["keys"]:
        if one["until"] is not None:
            say(f"{one['key']} is valid until {one['until']}.")


async def listing(settings: Settings, *, json: bool, url: str, say: Say) -> None:
    """Says all applications, the default one first. Raises CannotDo."""
    apps = await _all(settings, url or url_of(settings))
    if json:
        say(msgspec.json.format(msgspec.json.encode({"apps": apps})).decode())
        return
    for app in apps:
        keys = " ".join(one["key"] for one in app["keys"]) or "no key"
        say(f"{app['id']:<36}  {app['state']:<9}  {app['name']}  {keys}")


async def suspend(settings: Settings, app: str, *, reason: str, url: str, say: Say) -> None:
    """Serves an application no longer. Raises CannotDo."""
    await _change(settings, app, "suspend", {"reason": reason} if reason else {}, url, say)


async def resume(settings: Settings, app: str, *, url: str, say: Say) -> None:
    """Serves it again. Raises CannotDo."""
    await _change(settings, app, "resume", {}, url, say)


async def _change(settings: Settings, app: str, what: str, body: dict[str, Any], url: str, say: Say) -> None:
    url = url or url_of(settings)
    path = await path_of(settings, url, app)
    found = (await ask(settings, url, "POST", f"{path}/{what}", body=body))["app"]
    say(f"{found['name']} ({found['id']}) is {found['state']}.")


async def _all(settings: Settings, url: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    query = {"limit": "200"}
    while True:
        page = await ask(settings, url, "GET", "/v1/apps", query=query)
        found += page["apps"]
        if page["next"] is None:
            return found
        query["cursor"] = page["next"]


async def path_of(settings: Settings, url: str, called: str) -> str:
    """The path of the application with this id, or else this name. Raises CannotDo for none, or several."""
    apps = await _all(settings, url)
    found = [app["id"] for app in apps if app["id"] == called] or [app["id"] for app in apps if app["name"] == called]
    if not found:
        raise CannotDo(f"expected the id or name of an application, found none called {called!r}")
    if len(found) > 1:
        raise CannotDo(f"expected one application called {called!r}, found {len(found)}: {', '.join(found)}")
    return f"/v1/apps/{found[0]}"
