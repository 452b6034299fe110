// Choosing people: checkboxes of those one knows, and a search for the others.

import { h, keyed } from "./dom.js";
import { at } from "./names.js";
import { tried } from "./toasts.js";

/** Checkboxes of people, who can be searched for; `without(user)`: who is not offered. */
export function peoplePicker(app, legend, without = () => false) {
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
      ({ id }) => `${id} ${declined(id)}`,
      (user) => {
        const toggle = () => {
          if (box.checked) picked.add(user.id);
          else picked.delete(user.id);
          app.store.changed();
        };
        const no = declined(user.id);
        const box = h("input", { type: "checkbox", disabled: no, onchange: toggle });
        const more = no ? " has declined an invitation of yours" : "";
        return h("label", { class: "check" }, box, h("span", {}, user.name, " ", h("small", {}, `${at(user)}${more}`)));
      },
      (label, { id }) => (label.querySelector("input").checked = picked.has(id)),
    );
  }

  /** Who has declined comes by themselves, or befriends one first. */
  const declined = (user) => app.declined.has(user) && app.store.state.friendOf[user]?.type !== "friend";

  /** Takes whom a command was refused for out of the choice. */
  function refused({ code, detail }) {
    if (code !== "declined") return;
    for (const user of picked) if (detail.includes(user)) app.declined.add(user);
    for (const user of app.declined) picked.delete(user);
    app.store.changed();
  }

  const chosen = () => [...picked].filter((user) => !without(user));
  const clear = () => (picked.clear(), app.store.changed());
  const stop = app.store.watch(update);
  update();
  return { element, update, chosen, clear, refused, stop, focus: () => search.focus() };
}
