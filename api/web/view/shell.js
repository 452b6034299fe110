// The three panes and which of them is in front: chats and people, the conversation, the history. The address says it.

import { chatPane } from "./chat.js";
import { h, set } from "./dom.js";
import { findMessages } from "./finder.js";
import { historyPane } from "./history.js";
import { sidePane } from "./side.js";
import { unreadTitle } from "./names.js";

/** Below this width the panes are pages. The same number stands in css/base.css. */
const NARROW = matchMedia("(max-width: 760px)");
/** Below this width the history is a page, in the place of the conversation. The same number stands in css/base.css. */
const PAGED = matchMedia("(max-width: 1100px)");
const HISTORY = "klatsch.history";
/** What shows that somebody sits in front of the page. */
const SIGNS_OF_LIFE = ["pointerdown", "pointermove", "keydown", "wheel", "touchstart", "focus"];

export function shell(app) {
  app.route = read();
  app.open = (room) => go(`#/rooms/${room}`);
  app.toggleHistory = toggleHistory;
  app.announce = (words) => (live.textContent = words);
  let shown = null;
  const side = sidePane(app);
  const chat = chatPane(app);
  const history = historyPane(app);
  const live = h("div", { class: "unseen", role: "log", "aria-live": "polite" });
  const skip = h("a", { class: "skip", href: "#", onclick: skipToMessage }, "Skip to the message box");
  const element = h("div", { class: "shell" }, side.element, chat.element, history.element, live);
  side.element.prepend(skip);
  element.dataset.history = localStorage.getItem(HISTORY) ?? "on";

  function go(hash) {
    if (location.hash === hash) navigated();
    else location.hash = hash;
  }

  function navigated() {
    app.route = read();
    update();
    if (NARROW.matches && app.route.page === "list") side.focus();
    if (app.route.page === "room") chat.focus();
    if (PAGED.matches && app.route.page === "history") history.focus();
  }

  function toggleHistory() {
    if (PAGED.matches) {
      const room = app.route.room ? `#/rooms/${app.route.room}` : "#/";
      return go(app.route.page === "history" ? room : `${room.replace(/\/$/, "")}/history`);
    }
    side.element.prepend(skip);
    element.dataset.history = element.dataset.history === "on" ? "off" : "on";
    localStorage.setItem(HISTORY, element.dataset.history);
    update();
  }

  function skipToMessage(event) {
    event.preventDefault();
    chat.focus();
  }

  function update() {
    const { room } = app.route;
    const known = Boolean(app.rooms.mine(room));
    if (room && !known && shown === room) return go("#/");
    shown = known ? room : null;
    // An address of a conversation that is not, or no longer, mine.
    element.dataset.page = room && !known ? "list" : app.route.page;
    // What stands in the place of the conversation is what the page is about.
    const page = element.dataset.page;
    const past = PAGED.matches && page === "history";
    set(side.element, "role", NARROW.matches && page === "list" ? "main" : "navigation");
    set(history.element, "role", past ? "main" : "complementary");
    set(history.title, "aria-level", past ? 1 : null);
    side.update();
    chat.update();
    history.update();
    document.title = unreadTitle(app.called, app.rooms.unread());
  }

  function keys(event) {
    if ((event.ctrlKey || event.metaKey) && event.key === "k") {
      event.preventDefault();
      if (NARROW.matches) go("#/");
      side.search();
    }
    if ((event.ctrlKey || event.metaKey) && event.shiftKey && event.key.toLowerCase() === "f") {
      event.preventDefault();
      if (!document.querySelector("dialog[open]")) findMessages(app, { room: app.rooms.mine(app.route.room)?.room.id });
    }
    if (
      event.key === "Escape" &&
      !event.defaultPrevented &&
      PAGED.matches &&
      !document.querySelector("dialog[open], .popover")
    ) {
      if (app.route.page === "history" || (NARROW.matches && app.route.page === "room"))
        go(app.route.page === "history" && app.route.room ? `#/rooms/${app.route.room}` : "#/");
    }
  }

  const unwatch = app.store.watch(update);
  const used = () => app.signals.used();
  addEventListener("hashchange", navigated);
  addEventListener("keydown", keys);
  for (const sign of SIGNS_OF_LIFE) addEventListener(sign, used, { passive: true, capture: true });
  const stop = () => {
    unwatch();
    history.stop();
    chat.stop();
    removeEventListener("hashchange", navigated);
    removeEventListener("keydown", keys);
    for (const sign of SIGNS_OF_LIFE) removeEventListener(sign, used, { capture: true });
  };
  return { element, start: navigated, stop };
}

/** `#/`, `#/history`, `#/rooms/<id>`, `#/rooms/<id>/history`. */
function read() {
  const [, room = null, history] = /^#\/(?:rooms\/([A-Za-z0-9_-]+))?\/?(history)?$/.exec(location.hash) ?? [];
  return { room, page: history ? "history" : room ? "room" : "list" };
}
