// The head of the conversation: whom one talks with, and the ways back and to the history.

import { fill, h, iconButton, text } from "./dom.js";
import { count } from "./format.js";
import { openGroup } from "./group.js";
import { pictureKey, roomName, roomPicture } from "./names.js";
import { openPerson, relation } from "./people.js";

export function chatHead(app) {
  let shown = null;
  const title = h("h1", {});
  const about = h("small", {});
  const picture = h("span", {});
  const details = () => {
    if (shown.type === "group") return openGroup(app, shown.id);
    const peer = app.lookups.peer(shown.id);
    if (peer) openPerson(app, peer.id);
  };
  const who = h(
    "button",
    { type: "button", class: "chat-who", onclick: details },
    picture,
    h("span", {}, title, about),
  );
  const back = iconButton("back", "Back to the list", () => (location.hash = "#/"), { class: "icon-button back" });
  const history = iconButton("history", "Show or hide the history", app.toggleHistory);
  const element = h("header", { class: "chat-head" }, back, who, history);

  function update({ room }) {
    shown = room;
    text(title, roomName(app, room));
    const peer = room.type === "direct" ? app.lookups.peer(room.id) : null;
    const group = `${count(room.members, "member")} · ${room.visibility} group`;
    text(
      about,
      room.type === "group"
        ? group
        : [peer ? `@${peer.username}` : "", relation(app, peer?.id)].filter(Boolean).join(" · "),
    );
    const key = pictureKey(app, room) + room.id;
    if (picture.dataset.key !== key) fill(picture, roomPicture(app, room));
    picture.dataset.key = key;
  }

  return { element, update };
}
