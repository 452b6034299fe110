"""Visual characters: made, changed by their owner, linked by anyone."""

from __future__ import annotations

from typing import Any

import pytest

from events.core.clock import now
from tests.client import Person

FOX: dict[str, Any] = {"model_data": {"shape": "fox", "size": 1.5, "parts": [1, {"ear": None}]},
                       "emotion_data": {"joy": True, "anger": False, "fear": {"eyes": "wide"}}}  # fmt: skip


async def test_make_read_change(ada: Person, bob: Person) -> None:
    made = (await ada.do("visuals.create", **FOX))["visual"]
    assert {name: made[name] for name in FOX} == FOX and made["owner"] == ada.id
    assert (await bob.do("visuals.get", visual=made["id"]))["visual"] == made
    changed = (await ada.do("visuals.change", visual=made["id"], emotion_data={"joy": False}))["visual"]
    assert changed["emotion_data"] == {"joy": False} and changed["model_data"] == FOX["model_data"]
    assert (await ada.do("visuals.get", visual=made["id"]))["visual"] == changed
    assert (await ada.do("visuals.change", visual=made["id"], emotion_data={"joy": False}))["visual"] == changed


async def test_only_its_owner_changes_it(ada: Person, bob: Person) -> None:
    made = (await ada.do("visuals.create", **FOX))["visual"]
    assert await bob.refused("visuals.change", visual=made["id"], model_data={}) == "not_found"
    assert (await ada.do("visuals.get", visual=made["id"]))["visual"] == made


async def test_link_one_that_exists_or_make_one_in_the_same_step_or_none(ada: Person, bob: Person) -> None:
    fox = (await bob.do("visuals.create", **FOX))["visual"]["id"]
    assert (await ada.do("users.me"))["user"]["visual"] is None
    assert (await ada.do("visuals.choose", visual_id=fox))["user"]["visual"] == fox
    own = (await ada.do("visuals.choose", **FOX))["user"]["visual"]
    assert own not in (None, fox)
    assert (await ada.do("visuals.get", visual=own))["visual"]["owner"] == ada.id
    assert (await bob.do("users.get", user=ada.id))["user"]["visual"] == own
    assert (await ada.do("visuals.choose", visual_id=None))["user"]["visual"] is None
    assert (await ada.do("users.me"))["user"]["visual"] is None


async def test_own_ones_are_listed_page_by_page(ada: Person, bob: Person) -> None:
    made = [(await ada.do("visuals.create", model_data={"n": n}))["visual"]["id"] for n in range(3)]
    await bob.do("visuals.create", model_data={})
    first = await ada.do("visuals.list", limit=2)
    rest = await ada.do("visuals.list", limit=2, cursor=first["next"])
    assert [visual["id"] for visual in first["visuals"] + rest["visuals"]] == made and rest["next"] is None


async def test_several_are_read_at_once(ada: Person, bob: Person, eve: Person) -> None:
    made = [(await one.do("visuals.create", model_data={"n": n}))["visual"] for n, one in enumerate((bob, eve, ada))]
    ids = [visual["id"] for visual in made]
    asked = ",".join([*reversed(ids), "nothing", ids[0], ""])
    found = await ada.do("visuals.list", ids=asked)
    assert found == {"visuals": made[::-1], "next": None}
    # The same as one by one: of whom the caller blocks nothing, of who blocks them as it was before.
    before = now()
    await ada.do("relationships.set", user=bob.id, type="block")
    await eve.do("relationships.set", user=ada.id, type="block")
    await eve.do("visuals.change", visual=ids[1], model_data={"n": "later"})
    for more in ({}, {"as_of": before}):
        found = await ada.do("visuals.list", ids=asked, **more)
        assert [one["model_data"] for one in found["visuals"]] == [{"n": 2}, {"n": 1}], more
    assert await ada.refused("visuals.get", visual=ids[0]) == "not_found"
    # As it was when some were not there, and changed since.
    assert (await bob.do("visuals.list", ids=asked, as_of=made[0]["created"]))["visuals"] == [made[0]]
    most = ",".join(str(n) for n in range(100))
    assert (await ada.do("visuals.list", ids=most))["visuals"] == []


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({}, "invalid"), ({"model_data": []}, "invalid"), ({"model_data": None}, "invalid"),
        ({"model_data": {}, "emotion_data": {"joy": "yes"}}, "invalid"),
        ({"model_data": {}, "emotion_data": {"joy": None}}, "invalid"),
        ({"model_data": {"x": "y" * 32 * 1024}}, "too_large"),
        ({"model_data": {}, "emotion_data": {"joy": {"x": "y" * 16 * 1024}}}, "too_large"),
        ({"model_data": {"x\x00": 1}}, "invalid"),
    ],
)  # fmt: skip
async def test_what_is_no_visual_is_refused(ada: Person, fields: dict[str, Any], code: str) -> None:
    assert await ada.refused("visuals.create", **fields) == code
    if fields.get("model_data") is not None:
        assert await ada.refused("visuals.choose", **fields) == code
    assert (await ada.do("visuals.list"))["visuals"] == [] and (await ada.do("users.me"))["user"]["visual"] is None


async def test_links_that_are_refused(ada: Person) -> None:
    assert await ada.refused("visuals.choose", visual_id="nothing") == "not_found"
    assert await ada.refused("visuals.choose", visual_id="x", model_data={}) == "invalid"
    assert await ada.refused("visuals.choose", emotion_data={}) == "invalid"
    # A body that was forgotten takes nothing away.
    chosen = (await ada.do("visuals.choose", model_data={}))["user"]["visual"]
    assert await ada.refused("visuals.choose") == "invalid"
    assert (await ada.do("users.me"))["user"]["visual"] == chosen
    assert await ada.refused("visuals.get", visual="nothing") == "not_found"
