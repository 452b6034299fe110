"""Users: registration, search, profiles."""

from __future__ import annotations

import asyncio
import secrets
from typing import Any

import msgspec
import pytest

from producers.limits import Username
from tests.client import Person, Refusal, World


async def found(asking: Person, name: str, **more: Any) -> list[str]:
    """Ids of the users that a search finds, page by page."""
    answer = await asking.do("users.find", name=name, **more)
    ids = [user["id"] for user in answer["users"]]
    while answer["next"] is not None:
        answer = await asking.do("users.find", name=name, cursor=answer["next"], **more)
        ids += [user["id"] for user in answer["users"]]
    return ids


async def test_register_gives_a_user_and_a_token_that_works(world: World, ada: Person) -> None:
    name = f"grace-{secrets.token_hex(4)}"
    welcome = await ada.do("users.register", username=name, name="Grace", data={"city": "Arlington"})
    user = welcome["user"]
    assert (user["username"], user["name"], user["role"], user["visual"]) == (name, "Grace", "person", None)
    assert user["data"]["city"] == "Arlington" and "credential" not in user
    grace = Person(world, welcome, ada.via)
    me = (await grace.do("users.me"))["user"]
    assert me == user
    # As others see it: without when she was last here.
    shown = (await ada.do("users.get", user=grace.id))["user"]
    assert shown["data"] == {"city": "Arlington"} and "updated" not in shown


async def test_the_shown_name_is_the_username_unless_given(ada: Person) -> None:
    name = f"plain-{secrets.token_hex(4)}"
    assert (await ada.do("users.register", username=name))["user"]["name"] == name


@pytest.mark.parametrize(
    "username", ["ab", "a" * 51, "a b c", "ünïcode", "a.b.c", "abc\n", "abc\x00", "", "a/b/c", 123]
)
async def test_usernames_are_3_to_50_of_letters_digits_underscore_and_dash(ada: Person, username: object) -> None:
    assert await ada.refused("users.register", username=username) == "invalid"


@pytest.mark.parametrize(
    ("username", "fits"),
    [("ab", False), ("abc", True), ("-_-", True), ("0" * 50, True), ("0" * 51, False), ("abc\u00e9", False),
     ("\uff41bc", False), ("a\u0301bc", False)],
)  # fmt: skip
def test_the_bounds_of_usernames(username: str, fits: bool) -> None:
    if fits:
        assert msgspec.convert(username, Username) == username
        return
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(username, Username)


@pytest.mark.parametrize("username", ["{0}ab", "A-{0}_Z", "0" * 42 + "{0}"])
async def test_allowed_usernames(ada: Person, username: str) -> None:
    name = username.format(secrets.token_hex(4))[-50:]
    assert (await ada.do("users.register", username=name))["user"]["username"] == name


async def test_a_taken_username_is_refused_in_any_case(ada: Person) -> None:
    assert await ada.refused("users.register", username=ada.username) == "taken"
    assert await ada.refused("users.register", username=ada.username.upper()) == "taken"


async def test_many_concurrent_registrations_of_one_name_give_one_user(world: World, ada: Person) -> None:
    name = f"race-{secrets.token_hex(4)}"
    # Half of them in another case: it is the same name.
    names = [name if n % 2 else name.upper() for n in range(24)]
    answers = await asyncio.gather(*(ada.do("users.register", username=one) for one in names), return_exceptions=True)
    won = [answer for answer in answers if isinstance(answer, dict)]
    lost = [answer for answer in answers if isinstance(answer, Refusal)]
    assert len(won) == 1 and len(lost) == 23 and {refusal.code for refusal in lost} == {"taken"}
    assert [user["id"] for user in (await ada.do("users.find", name=name))["users"]] == [won[0]["user"]["id"]]


@pytest.mark.parametrize("password", ["short77", "x" * 513, "", "with\x00nul-in-it", 12345678])
async def test_passwords_have_8_to_512_characters(ada: Person, password: object) -> None:
    name = f"pw-{secrets.token_hex(4)}"
    assert await ada.refused("users.register", username=name, password=password) == "invalid"


async def test_search_finds_prefixes_before_substrings_without_case_and_accents(ada: Person) -> None:
    tag = secrets.token_hex(4)
    inside = await ada.world.person("s", name=f"Señor Zo{tag}ë")
    first = await ada.world.person("s", name=f"Zo{tag}É Sáldaña")
    by_login = await ada.world.person(f"zo{tag}E", name="Somebody")
    for query in (f"zo{tag}e", f"ZO{tag.upper()}E", f"Zö{tag}é", f"  zo{tag}e  "):
        ids = await found(ada, query)
        assert set(ids) == {first.id, inside.id, by_login.id}, query
        assert ids[-1] == inside.id, "prefixes come first"
    assert await found(ada, f"{tag}e sald") == [first.id]
    assert await found(ada, f"{tag}x") == []
    # The wildcards of SQL are ordinary characters.
    assert await found(ada, f"zo{tag}%") == [] and await found(ada, f"zo{tag}_") == []


async def test_the_name_that_is_asked_for_comes_first(ada: Person) -> None:
    tag = f"ex{secrets.token_hex(4)}"
    longer = await ada.world.person("x", name=f"{tag}a")
    namesake = await ada.world.person("x", name=tag.upper())
    more = [await ada.world.person(f"{tag}{n}", name=f"A {n}") for n in range(2)]
    answer = await ada.do("users.register", username=tag, name="Zoe", password="correct horse")
    ids = await found(ada, tag, limit=2)
    assert ids[:2] == [answer["user"]["id"], namesake.id]
    assert len(ids) == 5 and set(ids[2:]) == {longer.id, *(one.id for one in more)}
    assert (await found(ada, f"{tag}A"))[0] == longer.id


async def test_search_is_paginated_without_gaps_or_repeats(ada: Person) -> None:
    tag = f"pg{secrets.token_hex(4)}"
    made = await asyncio.gather(*(ada.world.person(f"{tag}{n}", name=f"{tag} {n % 3}") for n in range(7)))
    ids = await found(ada, tag, limit=2)
    assert len(ids) == 7 and set(ids) == {one.id for one in made}


async def test_blocked_pairs_do_not_find_each_other(ada: Person, bob: Person, eve: Person) -> None:
    await ada.do("relationships.set", user=bob.id, type="block")
    assert bob.id not in await found(ada, bob.username) and ada.id not in await found(bob, ada.username)
    assert ada.id in await found(eve, ada.username) and bob.id in await found(eve, bob.username)
    assert await bob.refused("users.get", user=ada.id) == "not_found"
    assert (await bob.do("users.find", ids=f"{ada.id},{eve.id}"))["users"][0]["id"] == eve.id
    await ada.do("relationships.remove", user=bob.id)
    assert bob.id in await found(ada, bob.username) and ada.id in await found(bob, ada.username)


async def test_several_users_by_id(ada: Person, bob: Person) -> None:
    answer = await ada.do("users.find", ids=f"{ada.id},{bob.id},nobody")
    assert {user["id"] for user in answer["users"]} == {ada.id, bob.id}
    assert await ada.refused("users.find") == "invalid"
    assert await ada.refused("users.find", ids=ada.id, name="x") == "invalid"
    assert await ada.refused("users.get", user="nobody") == "not_found"


@pytest.mark.parametrize("fields", [{"name": ""}, {"name": " "}, {"name": "x" * 101}, {"name": "x", "limit": 0},
                                    {"name": "x", "limit": 201}, {"name": "x\x00"}, {"name": "\u0301"}])  # fmt: skip
async def test_searches_that_are_refused(ada: Person, fields: dict[str, Any]) -> None:
    assert await ada.refused("users.find", **fields) == "invalid"


async def test_data_is_changed_by_merge_patch(ada: Person) -> None:
    await ada.do("users.change", data={"city": "London", "tea": "yes"})
    changed = (await ada.do("users.change", data={"tea": None, "work": "engine", "gone": None}, name="Countess"))[
        "user"
    ]
    assert changed["name"] == "Countess"
    assert {key: changed["data"].get(key) for key in ("city", "tea", "work", "gone")} == {
        "city": "London", "tea": None, "work": "engine", "gone": None,
    }  # fmt: skip
    assert (await ada.do("users.me"))["user"] == changed
    # What changes nothing makes no event.
    assert (await ada.do("users.change", data={"work": "engine"}, name="Countess"))["user"] == changed


@pytest.mark.parametrize(
    "change",
    [
        {"data": {"": "x"}}, {"data": {"k" * 65: "x"}}, {"data": {"k": "x" * 1025}}, {"data": {"k": 1}},
        {"data": {"k": "\x00"}}, {"data": {"k\x00": "x"}}, {"data": []}, {"data": {str(n): "x" for n in range(66)}},
        {"name": ""}, {"name": "x" * 101}, {"name": "a\tb"}, {"name": "Ada\n"}, {"name": 1},
        {"unknown": 1}, {"role": "service"},
    ],
)  # fmt: skip
async def test_changes_that_are_refused_change_nothing(ada: Person, change: dict[str, Any]) -> None:
    before = (await ada.do("users.me"))["user"]
    assert await ada.refused("users.change", **change) == "invalid"
    assert (await ada.do("users.me"))["user"] == before


async def test_data_has_at_most_64_entries_however_they_come_together(ada: Person) -> None:
    await ada.do("users.change", data={f"a{n}": "x" for n in range(60)})
    assert await ada.refused("users.change", data={f"b{n}": "x" for n in range(10)}) == "too_large"
    assert await ada.do("users.change", data={"a0": "changed"})


async def test_who_filled_the_data_map_can_still_change_it(world: World, ada: Person) -> None:
    full = await world.person("full", via=ada.via, data={f"k{n}": "x" for n in range(64)})
    assert (await full.do("users.change", data={"k0": "y"}))["user"]["data"]["k0"] == "y"
