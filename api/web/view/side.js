// The left pane: connection, search, the lists of chats and people, and oneself.

import { API_KEY } from "../klatsch/application.js";
import { editAccount } from "./account.js";
import { discoverList } from "./discover.js";
import { h, icon, iconButton, set, text } from "./dom.js";
import { editCharacter } from "./editor.js";
import { at, faceKey, userFace } from "./names.js";
import { mark } from "./mark.js";
import { newRoom } from "./newroom.js";
import { peopleList } from "./people.js";
import { roomList } from "./rooms.js";
import { searchResults } from "./search.js";
import { tried } from "./toasts.js";

const STATES = {
  online: "Online",
  connecting: "Connecting…",
  lost: "Reconnecting…",
  behind: "Catching up…",
  ended: "Disconnected",
};

/** There are live channels in the default application only. */
const voiceLink = () =>
  h("a", { class: "icon-button", href: "/voice/", "aria-label": "Live channels", title: "Live channels" }, icon("voice"));

export function sidePane(app) {
  let tab = "chats";
  const state = h("span", { class: "state", role: "status" });
  const input = h("input", {
    type: "search",
    placeholder: "Find people and rooms",
    "aria-label": "Find people and rooms",
    autocomplete: "off",
    spellcheck: "false",
    maxlength: 100,
  });
  const wipe = iconButton("close", "Clear the search", () => (app.clearSearch(), input.focus()));
  const rooms = roomList(app, { find: () => input.focus(), discover: () => choose("discover") });
  const discover = discoverList(app);
  const people = peopleList(app);
  const results = searchResults(app, input);
  const tabs = {
    chats: tabButton("Chats", "chats"),
    people: tabButton("People", "people"),
    discover: tabButton("Discover", "discover"),
  };
  const bar = h("div", { class: "segments", role: "group", "aria-label": "What to list" }, Object.values(tabs));
  const room = iconButton("plus", "New room", () => newRoom(app), { class: "icon-button new-room" });
  const portrait = h("button", {
    type: "button",
    class: "portrait",
    "aria-label": "Edit your character",
    title: "Edit your character",
    onclick: () => editCharacter(app),
  });
  const name = h("strong", {});
  const handle = h("small", {});
  const called = h("span", {});
  const title = h("span", { class: "wordmark" }, mark(), called);
  const element = h(
    "div",
    { class: "side", role: "navigation", "aria-label": "Chats and people" },
    h("div", { class: "side-head" }, title, state),
    h("div", { class: "search", role: "search" }, icon("search"), input, wipe),
    results.element,
    h(
      "div",
      { class: "side-lists" },
      h("div", { class: "side-bar" }, bar, room),
      rooms.element,
      people.element,
      discover.element,
    ),
    h(
      "div",
      { class: "side-foot" },
      portrait,
      h("span", { class: "who" }, name, handle),
      API_KEY === null && voiceLink(),
      iconButton("gear", "Your account", () => editAccount(app)),
      iconButton("leave", "Log out", logOut),
    ),
  );
  const lists = element.querySelector(".side-lists");

  function tabButton(label, value) {
    return h("button", { type: "button", onclick: () => choose(value) }, label);
  }

  function choose(value) {
    tab = value;
    if (value === "discover") discover.open();
    update();
  }

  async function logOut() {
    await tried(() => app.api.do("DELETE", "/v1/sessions/current"));
    app.leave("");
  }

  function update() {
    const { me } = app.store.state;
    // A page has a title: the room's name, or this one.
    set(title, "role", app.route.page === "room" ? null : "heading");
    set(title, "aria-level", app.route.page === "room" ? null : 1);
    text(called, app.called);
    text(state, STATES[app.connection.state]);
    state.dataset.state = app.connection.state;
    for (const [value, button] of Object.entries(tabs)) set(button, "aria-pressed", String(tab === value));
    rooms.element.hidden = tab !== "chats";
    people.element.hidden = tab !== "people";
    discover.element.hidden = tab !== "discover";
    results.update();
    lists.hidden = results.active();
    wipe.hidden = !results.active();
    rooms.update();
    people.update();
    if (tab === "discover") discover.update();
    text(name, me.name);
    text(handle, at(me));
    const key = faceKey(app, me.id);
    if (portrait.dataset.key !== key) portrait.replaceChildren(userFace(app, me.id));
    portrait.dataset.key = key;
  }

  const focus = () =>
    (lists.querySelector(".row[aria-current]") ?? lists.querySelector(".row") ?? input).focus({ preventScroll: true });
  return { element, update, focus, search: () => input.select() };
}
