"""What the server of one application is told of what another has: what it is told of nothing, in the same words. Every
operation by it, for itself and for users. Tests ``api/registry.py``, ``api/core/auth.py`` and ``api/teams.py``."""

from __future__ import annotations

import secrets
from typing import Any, NamedTuple
from uuid import uuid4

import pytest

from events.core.clock import uuid7
from events.core.positions import encode_vector
from tests.api.applications import made, person, team_of
from tests.api.test_blocks_walk import NAMED, Fields, answer
from tests.client import OPERATIONS, Answer, Person, World

PAST = "2001-02-03T04:05:06.000Z"
APP = {"app": "APP"}
#: Whom another application has: in use, deactivated, erased.
USERS: list[Fields] = [{"user": word} for word in ("USER", "IDLE", "ERASED")]
#: Its teams: with a user, without one, removed.
TEAMS: list[Fields] = [{"team": word} for word in ("TEAM", "EMPTY", "REMOVED")]
NEW = {"external_id": "FRESH", "name": "N"}
#: What each operation of servers names of another application. OWN_USER and OWN_TEAM are the caller's.
NAMES: dict[str, list[Fields]] = {
    "users.upsert": [{"users": [NEW | one]} for one in TEAMS],
    "users.query": [{"external_ids": "EXTERNAL"}, {"external_ids": "USER"}, {"custom": "NOTE"}],
    "users.deactivate": [one | more for one in USERS for more in ({}, {"reason": "x"})],
    "users.reactivate": USERS,
    "users.revoke_tokens": [one | more for one in USERS for more in ({}, {"before": PAST})],
    "users.erase": [one | {"messages": way} for one in USERS for way in ("keep", "hide")],
    "users.erasure": USERS,
    "users.set_team": [*({"user": "OWN_USER"} | one for one in TEAMS), *(one | {"team": None} for one in USERS),
                       *(one | {"team": team} for one in USERS for team in ("TEAM", "OWN_TEAM"))],
    "apps.revoke_tokens": [APP, APP | {"before": PAST}],
    "apps.limits": [APP],
    "usage.query": [APP, APP | {"window": "hour", "since": PAST}, APP | {"metrics": "messages"}],
    "teams.create": [APP | NEW],
    "teams.list": [APP, APP | {"limit": 1}],
    "teams.get": TEAMS,
    "teams.change": [one | more for one in TEAMS for more in ({"name": "x"}, {"custom": {"a": 1}}, {})],
    "teams.remove": TEAMS,
}  # fmt: skip
#: Those that answer of each user by themselves; all others know of nothing.
ANSWERS = {"users.upsert", "users.query"}
#: What changes something and takes a key, as whoever may do it does it; ``users.upsert`` has keys of its own.
KEYED: list[tuple[str, Fields]] = [
    ("users.set_team", {"user": "USER", "team": None}), ("users.revoke_tokens", {"user": "USER", "before": PAST}),
    ("users.deactivate", {"user": "USER"}), ("users.reactivate", {"user": "USER"}),
    ("users.erase", {"user": "IDLE", "messages": "hide"}), ("teams.change", {"team": "TEAM", "name": "Else"}),
    ("teams.remove", {"team": "EMPTY"}), ("apps.revoke_tokens", APP | {"before": PAST}), ("teams.create", APP | NEW),
]  # fmt: skip
#: What stands in paths of operators and services.
PATHS = {"app": "APP", "user": "USER", "room": "ROOM", "message": "MESSAGE", "plan": "PLAN"}


class Headed(World):
    """A client that sends some headers with each request, and knows what another has done so far."""

    def __init__(self, world: World, **headers: str) -> None:
        super().__init__(world.url, world.http)
        self.position = world.position
        self._headers = {name.replace("_", "-"): value for name, value in headers.items()}

    async def request(self, method: str, path: str, **given: Any) -> Answer:
        given["headers"] = {**(given.get("headers") or {}), **self._headers}
        return await super().request(method, path, **given)


def acting(world: World, token: str, user: str) -> Person:
    """An application's server, for a user."""
    return called(Headed(world, Klatsch_User=user), token)


def called(world: World, token: str) -> Person:
    """Whoever calls over HTTP with a token."""
    return Person(world, {"user": {"id": "", "username": ""}, "token": token}, "http")


class Servers(NamedTuple):
    """Whoever may do all in an application, a user of it, the server of another one, and the ids for the words."""

    owner: Person
    user: Person
    caller: Person
    there: dict[str, str]
    unknown: dict[str, str]

    async def holdings(self) -> list[Any]:
        """What the first application has."""
        return [
            await self.owner.do("teams.list", app=self.there["APP"], limit=200),
            await self.user.do("users.me"),
            await self.user.do("rooms.get", room=self.there["ROOM"]),
            (await self.owner.do("users.erasure", user=self.there["ERASED"]))["erasure"]["messages"],
        ]


async def servers(world: World, operator: str, whose: str = "application") -> Servers:
    """``whose``: whether the first one is the default one."""
    app = await made(world, operator) if whose == "application" else None
    owner = called(world, operator if app is None else app.server)
    people = [await (world.person(name) if app is None else person(world, app, name, "http"))
              for name in ("user", "idle", "erased", "inside")]  # fmt: skip
    user, idle, erased, inside = people
    teams = []
    for name in ("crew", "empty", "removed"):
        external = f"{name}-{secrets.token_hex(4)}"
        teams.append((await owner.do("teams.create", external_id=external, name=name))["team"]["id"])
    await owner.do("users.set_team", user=inside.id, team=teams[0])
    await owner.do("users.deactivate", user=idle.id)
    await owner.do("users.erase", user=erased.id, messages="keep")
    await owner.do("teams.remove", team=teams[2])
    await user.do("users.change", custom={"note": user.username})
    room = await user.group(type="public")
    message = (await user.say(room))["id"]
    visual = (await user.do("visuals.choose", model_data={}))["user"]["visual"]
    there = {
        "APP": "default" if app is None else app.id, "USER": user.id, "IDLE": idle.id, "ERASED": erased.id,
        "TEAM": teams[0], "EMPTY": teams[1], "REMOVED": teams[2], "ROOM": room, "MESSAGE": message, "VISUAL": visual,
        "EXTERNAL": user.username, "NOTE": f'{{"note":"{user.username}"}}',
    }  # fmt: skip
    own = await made(world, operator)
    mine = {
        "OWN_USER": (await person(world, own, "own", "http")).id, "OWN_TEAM": await team_of(world, own, "own"),
        "FRESH": secrets.token_hex(8),
    }  # fmt: skip
    unknown = {word: uuid7() if word in _TIMED else str(uuid4()) for word in there} | {"NOTE": '{"note":"nobody"}'}
    return Servers(owner, user, called(world, own.server), there | mine, unknown | mine)


_TIMED = ("APP", "ROOM", "MESSAGE", "VISUAL")


def cases(place: str) -> list[tuple[str, Fields]]:
    """What servers name, also as of a place and a time."""
    found = [(name, fields) for name, listed in NAMES.items() for fields in listed]
    past = [(name, fields) for name, fields in found if OPERATIONS[name].has_past]
    return found + [(name, {**fields, "as_of": moment}) for name, fields in past for moment in (place, PAST)]


def test_the_walk_names_every_operation_of_servers() -> None:
    assert NAMES.keys() == {name for name, row in OPERATIONS.items() if row.permission in ("server", "app")}
    changing = {name for name in NAMES if OPERATIONS[name].method != "GET"}
    assert {name for name, _ in KEYED} == changing - {"users.upsert"}


@pytest.mark.parametrize("whose", ["application", "default"])
async def test_a_server_is_told_of_another_application_as_of_none(world: World, operator: str, whose: str) -> None:
    found = await servers(world, operator, whose)
    before, wrong = await found.holdings(), list[Any]()
    for name, fields in cases(encode_vector(world.position)):
        expected = 200 if name in ANSWERS else 404
        said = await answer(found.caller, name, fields, found.there)
        if said != (twin := await answer(found.caller, name, fields, found.unknown)) or said[0] != expected:
            wrong.append((name, fields, said, twin))
    assert not wrong, "\n".join(map(str, wrong))
    assert await found.holdings() == before


@pytest.mark.parametrize("whose", ["application", "default"])
async def test_a_key_of_another_server_is_one_that_nobody_has_used(world: World, operator: str, whose: str) -> None:
    found = await servers(world, operator, whose)
    wrong: list[Any] = []
    for name, fields in KEYED:
        key = secrets.token_hex(8)
        assert (await answer(found.owner, name, fields, found.there, key))[0] == OPERATIONS[name].status, name
        await answer(found.owner, name, fields, found.there, key)
        assert world.repeated, name
        said = await answer(found.caller, name, fields, found.there, key)
        twin = await answer(found.caller, name, fields, found.unknown, secrets.token_hex(8))
        if said != twin or said[0] != 404:
            wrong.append((name, fields, said, twin))
    assert not wrong, "\n".join(map(str, wrong))
    # The same request of each is about a team of its own.
    key, external, teams = secrets.token_hex(8), secrets.token_hex(8), set()
    for who in (found.owner, found.caller):
        teams.add((await who.do("teams.create", key=key, external_id=external, name="Tea"))["team"]["id"])
        assert not world.repeated
    assert len(teams) == 2


async def test_what_is_for_operators_and_services_is_refused_whatever_is_named(world: World, operator: str) -> None:
    found = await servers(world, operator)
    plan = (await world.call("plans.define", {"name": "Pro", "tier": "pro"}, token=operator))["plan"]["id"]
    for name, row in OPERATIONS.items():
        if row.permission not in ("operator", "service"):
            continue
        fields: Fields = {part: PATHS[part] for part in row.path_parameters}
        said = await answer(found.caller, name, fields, found.there | {"PLAN": plan})
        assert said[0] == 403, (name, said)
        assert said == await answer(found.caller, name, fields, found.unknown | {"PLAN": uuid7()})


async def test_a_service_issues_sessions_for_nobody_of_another_application(world: World, operator: str) -> None:
    found = await servers(world, operator)
    fields = {"username": f"svc-{secrets.token_hex(5)}", "scopes": ["sessions:issue", "channels:serve"]}
    service = called(world, (await world.call("services.register", fields, token=operator))["token"])
    for word in ("USER", "IDLE", "ERASED"):
        said = await answer(service, "sessions.issue", {"user": word}, found.there)
        assert said == await answer(service, "sessions.issue", {"user": word}, found.unknown) and said[0] == 404
    # Nor is anybody in a live channel by the name that they have elsewhere.
    ada = await world.person("ada")
    channel = (await ada.do("channels.create", name="Raid", limit=5))["channel"]["id"]
    inside = [{"id": found.user.username}, {"id": ada.username}]
    metric = {"addr": "127.0.0.1:8420", "name": "Chat"}
    await service.do("channels.report", metric=metric, channels=[{"id": channel, "users": inside}])
    shown = (await ada.do("channels.get", channel=channel))["channel"]["users"]
    assert [one["id"] for one in shown] == [ada.username]


async def test_a_server_acts_for_nobody_of_another_application(world: World, operator: str) -> None:
    """Whatever it asks for: nothing of the request is looked at."""
    found = await servers(world, operator)
    wrong: list[Any] = []
    for word in ("USER", "IDLE", "ERASED", "EXTERNAL"):
        one, none = [acting(world, found.caller.token, words[word]) for words in (found.there, found.unknown)]
        for name, row in OPERATIONS.items():
            if row.only_rpc:
                continue
            fields: Fields = {part: part.upper() for part in row.path_parameters}
            said = await answer(one, name, fields, found.there)
            if said != (twin := await answer(none, name, fields, found.unknown)) or said[0] != 404:
                wrong.append((name, word, said, twin))
    assert not wrong, "\n".join(map(str, wrong))


@pytest.mark.parametrize("whose", ["application", "default"])
async def test_who_a_server_acts_for_is_told_of_another_application_as_of_none(
    world: World, operator: str, whose: str
) -> None:
    found = await servers(world, operator, whose)
    for_own = acting(world, found.caller.token, found.there["OWN_USER"])
    own = {"OWN": await for_own.group()}
    place, before, wrong = encode_vector(world.position), await found.holdings(), list[Any]()
    named = [(name, fields) for name, listed in NAMED.items() for fields in listed if not OPERATIONS[name].only_rpc]
    named += [(name, {**fields, "as_of": place}) for name, fields in named if OPERATIONS[name].has_past]
    for name, fields in named:
        said = await answer(for_own, name, fields, found.there | own)
        if said != (twin := await answer(for_own, name, fields, found.unknown | own)):
            wrong.append((name, fields, said, twin))
    assert not wrong, "\n".join(map(str, wrong))
    assert await found.holdings() == before
