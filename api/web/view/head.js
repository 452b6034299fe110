// The head of the conversation: whom one talks with, about what, who is there, and the ways to its details, search and history.

import { h, iconButton, set, text } from "./dom.js";
import { findMessages } from "./finder.js";
import { count } from "./format.js";
import { at, drawRoom, roomName, userName } from "./names.js";
import { openPerson, relation } from "./people.js";
import { presenceWords } from "./presence.js";
import { openRoom } from "./room.js";

export function chatHead(app) {
  let shown = null;
  const title = h("h1", {});
  const topicLine = h("span", { class: "topic-line" });
  const about = h("small", {});
  const picture = h("span", { class: "chat-picture" });
  const details = () => {
    if (shown.type !== "direct") return openRoom(app, shown.id);
    const peer = app.lookups.peer(shown.id);
    if (peer) openPerson(app, peer.id);
  };
  const who = h(
    "button",
    { type: "button", class: "chat-who", onclick: details },
    picture,
    h("span", {}, title, topicLine, about),
  );
  const back = iconButton("back", "Back to the list", () => (location.hash = "#/"), { class: "icon-button back" });
  const find = iconButton("search", "Search the messages", () => findMessages(app, { room: shown.id }));
  const history = iconButton("history", "Show or hide the history", app.toggleHistory);
  const element = h("header", { class: "chat-head" }, back, who, find, history);

  function update({ room }) {
    shown = room;
    text(title, roomName(app, room));
    text(topicLine, room.topic_line ?? "");
    topicLine.hidden = !room.topic_line;
    drawRoom(app, picture, room);
    const words = room.type === "direct" ? ofPerson(room) : ofRoom(room);
    text(about, words.filter(Boolean).join(" · "));
    const looking = app.signals.watching(room.id)?.users.map((user) => userName(app, user)) ?? [];
    set(who, "title", looking.length ? `Looking at it: ${looking.join(", ")}` : null);
  }

  function ofPerson(room) {
    const peer = app.lookups.peer(room.id);
    return peer ? [presenceWords(app, peer.id), at(peer), relation(app, peer.id)] : [];
  }

  function ofRoom(room) {
    const online = app.signals.online(room, app.lookups.members(room.id));
    const looking = app.signals.watching(room.id);
    return [
      room.state === "archived" ? "archived" : "",
      count(room.members, "member"),
      online === null ? "" : `${online} online`,
      looking && looking.count > 1 ? `${looking.count} looking` : "",
      room.description,
    ];
  }

  return { element, update };
}
