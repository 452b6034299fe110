"""``klatsch apps``: applications, made and changed by the installation's own operations."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from events.core.clock import now
from infra.base.settings import Settings
from infra.ops.commands.asking import ask, called, pages, warn_of_namesakes
from infra.ops.commands.errors import CannotDo
from infra.ops.irc import url_of

Say = Callable[[str], None]
#: Asks the operator for an application's name, by its name and id; None: nobody is there to ask.
Confirmed = Callable[[str, str], str | None]
#: Seconds between two looks at whether the rows of an erased application are gone.
_LOOK_SECONDS = 0.5


async def create(settings: Settings, name: str, *, json: bool, url: str, say: Say, warn: Say) -> None:
    """Makes an application; says its id, key and secret, and aside, if another is called so. Raises CannotDo."""
    url = url or url_of(settings)
    # Looked for before: what goes wrong after the secret was made would hide it.
    apps = await pages(settings, url, "apps")
    answer = await ask(settings, url, "POST", "/v1/apps", body={"name": name})
    _say_secret(answer, json, say)
    if not json:
        say(f"demo:   {url}/?app={answer['key']}")
    warn_of_namesakes(apps, answer["app"], warn)


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
    apps = await pages(settings, url or url_of(settings), "apps")
    if json:
        say(msgspec.json.format(msgspec.json.encode({"apps": apps})).decode())
        return
    plans = await _plans(settings, url or url_of(settings), apps)
    moment = now()
    for app in apps:
        keys = " ".join(_key(one, moment) for one in app["keys"]) or "no key"
        plan = f"  plan {plans.get(app['plan'], app['plan'])}" if app["plan"] else ""
        say(f"{app['id']:<36}  {app['state']:<9}  {app['name']}  {keys}{plan}")


async def _plans(settings: Settings, url: str, apps: Sequence[dict[str, Any]]) -> dict[str, str]:
    """Names of the plans that applications have, by id."""
    if not any(app["plan"] for app in apps):
        return {}
    return {plan["id"]: plan["name"] for plan in await pages(settings, url, "plans")}


def _key(key: dict[str, Any], moment: str) -> str:
    return f"{key['key']} (ended)" if key["until"] is not None and key["until"] <= moment else str(key["key"])


async def change(
    settings: Settings, app: str, *, name: str, changed: dict[str, Any], url: str, say: Say
) -> None:  # fmt: skip
    """Renames an application, or changes its settings; says what holds now. Raises CannotDo."""
    url = url or url_of(settings)
    body = {**({"name": name} if name else {}), **({"settings": changed} if changed else {})}
    if not body:
        raise CannotDo("expected something to change: --name, --registration or --session-hours")
    found = (await ask(settings, url, "PATCH", await path_of(settings, url, app), body=body))["app"]
    hours = found["settings"]["session_hours"]
    length = f"{hours} h after the last use" if hours else "with their tokens"
    registration = "anybody may register" if found["settings"]["registration"] else "its server registers"
    say(f"{found['name']} ({found['id']}): {registration}, log-ins end {length}.")


async def suspend(settings: Settings, app: str, *, reason: str, url: str, say: Say) -> None:
    """Serves an application no longer. Raises CannotDo."""
    url = url or url_of(settings)
    before = await _app(settings, url, app)
    body = {"reason": reason} if reason else {}
    found = (await ask(settings, url, "POST", f"/v1/apps/{before['id']}/suspend", body=body))["app"]
    if before["state"] == "suspended" and reason and found["reason"] != reason:
        stays = "none was given" if found["reason"] is None else found["reason"]
        say(f"{found['name']} ({found['id']}) was suspended already; the reason stays: {stays}")
        return
    _say_state(found, say)


async def resume(settings: Settings, app: str, *, url: str, say: Say) -> None:
    """Serves it again. Raises CannotDo."""
    url = url or url_of(settings)
    path = await path_of(settings, url, app)
    _say_state((await ask(settings, url, "POST", f"{path}/resume", body={}))["app"], say)


async def erase(
    settings: Settings, app: str, *, reason: str, confirmed: Confirmed, json: bool, url: str, say: Say
) -> None:
    """Closes an application for good, and says the receipt once its rows are gone. Raises CannotDo."""
    url = url or url_of(settings)
    found = await _app(settings, url, app)
    name, id = found["name"], found["id"]
    path = f"/v1/apps/{id}"
    confirm = confirmed(name, id)
    if confirm not in (name, id):
        got = "nobody to ask; --yes erases without" if confirm is None else repr(confirm)
        raise CannotDo(f"expected {name!r} once more, got {got}; nothing was changed")
    await ask(settings, url, "POST", f"{path}/erase", body={"confirm": id, **({"reason": reason} if reason else {})})
    while True:
        told = await _receipt(settings, url, path)
        if told["cleared"] is not None:
            break
        await asyncio.sleep(_LOOK_SECONDS)
    _say_receipt(told, json, say)


async def receipt(settings: Settings, app: str, *, json: bool, url: str, say: Say) -> None:
    """Says what was removed of an erased application, and what is left. Raises CannotDo."""
    url = url or url_of(settings)
    _say_receipt(await _receipt(settings, url, await path_of(settings, url, app)), json, say)


async def _receipt(settings: Settings, url: str, path: str) -> dict[str, Any]:
    found: dict[str, Any] = (await ask(settings, url, "GET", f"{path}/receipt"))["receipt"]
    return found


def _say_receipt(told: dict[str, Any], json: bool, say: Say) -> None:
    if json:
        say(msgspec.json.format(msgspec.json.encode(told)).decode())
        return
    reason = f": {told['reason']}" if told["reason"] else ""
    say(f"{told['name']} ({told['app']}) was erased at {told['erased']} by {told['by']}{reason}")
    say(f"rows gone at {told['cleared']}:" if told["cleared"] else "rows are being removed, so far:")
    for table, rows in told["rows"].items():
        say(f"  {table:<14}{rows:>10}")
    say("left in the log:")
    for one in told["log"]:
        events = "not counted" if one["events"] is None else f"{one['events']} events"
        until = f"until {one['until']}" if one["until"] else "until the topic is deleted"
        if one["topic"] == "feed" and not one["until"]:
            until = "until some time after the rows are gone"
        say(f"  {one['topic']:<14}{events:>14}, {until}")
    say("Copies that you have made of Kafka or Postgres, and months that you have taken away, are yours to delete.")


def _say_state(found: dict[str, Any], say: Say) -> None:
    say(f"{found['name']} ({found['id']}) is {found['state']}.")


async def _app(settings: Settings, url: str, app: str) -> dict[str, Any]:
    """The application with this id, or else this name. Raises CannotDo for none, or several."""
    return called(await pages(settings, url, "apps"), app, "an application")


async def path_of(settings: Settings, url: str, app: str) -> str:
    """Its path. Raises CannotDo for none, or several."""
    return f"/v1/apps/{(await _app(settings, url, app))['id']}"
