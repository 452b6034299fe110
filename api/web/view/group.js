// Groups: making one, and the dialog in which members look after one.

import { dialog } from "./dialog.js";
import { h, icon, iconButton, keyed, text } from "./dom.js";
import { count } from "./format.js";
import { drawPerson, enterRoom, personRow } from "./people.js";
import { tried } from "./toasts.js";

export function newGroup(app) {
  const picker = peoplePicker(app, "People");
  const box = dialog("New group", (close) => {
    const name = h("input", {
      id: "group-name",
      type: "text",
      autofocus: true,
      required: true,
      maxlength: 100,
      autocomplete: "off",
    });
    const hidden = h("input", { id: "group-private", type: "checkbox" });
    const submit = async (event) => {
      event.preventDefault();
      await tried(async () => {
        const { room } = await app.api.do("POST", "/v1/rooms", {
          type: "group",
          name: name.value.trim(),
          visibility: hidden.checked ? "private" : "public",
          members: picker.chosen(),
        });
        await enterRoom(app, room.id);
        close();
      });
    };
    return h(
      "form",
      { onsubmit: submit },
      h("div", { class: "field" }, h("label", { for: "group-name" }, "Name"), name),
      picker.element,
      h("label", { class: "check", for: "group-private" }, hidden, "Private: only members see it and let others in"),
      h("div", { class: "actions" }, h("button", { class: "primary", type: "submit" }, "Make the group")),
    );
  });
  box.addEventListener("close", picker.stop);
}

export function openGroup(app, id) {
  const rename = h("input", { id: "group-rename", type: "text", required: true, maxlength: 100, autocomplete: "off" });
  const form = h(
    "form",
    { class: "inline", onsubmit: save },
    h("label", { for: "group-rename" }, "Name"),
    rename,
    h("button", { class: "quiet", type: "submit" }, "Rename"),
  );
  const members = h("ul", { class: "rows", "aria-label": "Members" });
  const heading = h("h3", {});
  const adding = peoplePicker(app, "Add people", (user) => app.store.state.members[id]?.[user]);
  const add = h("button", { type: "button", class: "quiet", onclick: addThem }, icon("plus"), "Add to the group");
  const more = h(
    "button",
    { type: "button", class: "quiet", onclick: () => app.lookups.moreMembers(id) },
    "More members",
  );
  const box = dialog("Group", (close) => [
    form,
    heading,
    members,
    more,
    adding.element,
    add,
    h(
      "div",
      { class: "actions end" },
      h(
        "button",
        { type: "button", class: "quiet danger", onclick: () => leave(close) },
        icon("leave"),
        "Leave the group",
      ),
    ),
  ]);
  rename.value = app.store.state.rooms[id].room.name;

  async function save(event) {
    event.preventDefault();
    await tried(async () =>
      app.store.learn(await app.api.do("PATCH", `/v1/rooms/${id}`, { name: rename.value.trim() })),
    );
  }

  async function addThem() {
    await tried(async () => {
      for (const user of adding.chosen()) app.store.learn(await app.api.do("PUT", `/v1/rooms/${id}/members/${user}`));
      adding.clear();
    });
  }

  const leave = (close) =>
    tried(async () => {
      await app.api.do("DELETE", `/v1/rooms/${id}/members/me`);
      close();
    });

  function row() {
    const item = personRow(app);
    const person = item.firstChild.dataset;
    const out = iconButton("close", "Put out of the group", () =>
      tried(() => app.api.do("DELETE", `/v1/rooms/${id}/members/${person.user}`)),
    );
    item.append(out);
    return item;
  }

  function update() {
    const entry = app.store.state.rooms[id];
    if (!entry) return box.close();
    const owns = entry.room.owner === app.user;
    const all = Object.values(app.lookups.members(id) ?? {}).sort((a, b) => (a.joined < b.joined ? -1 : 1));
    text(box.querySelector("h2"), entry.room.name);
    text(heading, count(entry.room.members, "member"));
    form.hidden = !owns;
    add.hidden = !adding.chosen().length;
    more.hidden = !app.lookups.hasMoreMembers(id);
    keyed(
      members,
      all,
      (member) => member.user,
      row,
      (item, member) => {
        drawPerson(app, item, app.lookups.user(member.user), member.user);
        if (member.role === "owner") item.querySelector(".row-last").append(" · owner");
        item.lastChild.hidden = !owns || member.user === app.user;
      },
    );
  }

  const unwatch = app.store.watch(update);
  box.addEventListener("close", () => (unwatch(), adding.stop()));
  update();
}

/** Checkboxes of people, who can be searched for; `without(user)`: who is not offered. */
function peoplePicker(app, legend, without = () => false) {
  const picked = new Set();
  const list = h("div", { class: "picks" });
  const search = h("input", {
    type: "text",
    placeholder: "Find by name",
    "aria-label": "Find people by name",
    autocomplete: "off",
    maxlength: 100,
    oninput: find,
  });
  const element = h("fieldset", { class: "field" }, h("legend", {}, legend), search, list);

  async function find() {
    const name = search.value.trim();
    update();
    if (name) await tried(async () => app.store.learn(await app.api.get("/v1/users", { name, limit: 20 })));
  }

  function update() {
    const { users, relationships } = app.store.state;
    const words = search.value.trim().toLowerCase();
    const known = Object.values(users)
      .filter((user) => user.role === "person" && relationships[user.id]?.type !== "block" && !without(user.id))
      .filter((user) => picked.has(user.id) || `${user.name} ${user.username}`.toLowerCase().includes(words))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
    keyed(
      list,
      known,
      (user) => user.id,
      (user) => {
        const toggle = () => {
          if (box.checked) picked.add(user.id);
          else picked.delete(user.id);
          app.store.changed();
        };
        const box = h("input", { type: "checkbox", onchange: toggle });
        return h("label", { class: "check" }, box, h("span", {}, user.name, " ", h("small", {}, `@${user.username}`)));
      },
    );
  }

  const chosen = () => [...picked].filter((user) => !without(user));
  const clear = () => (picked.clear(), app.store.changed());
  const stop = app.store.watch(update);
  update();
  return { element, update, chosen, clear, stop };
}
