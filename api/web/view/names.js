// What rooms and people are called and look like on screen.

import { h } from "./dom.js";
import { face, modelOf } from "./face.js";

export const SOMEBODY = "Somebody";

export function userName(app, id) {
  if (id === "system") return "Klatsch";
  return app.lookups.user(id)?.name ?? SOMEBODY;
}

/** The face of a user by id; a stand-in while the user is fetched. */
export function userFace(app, id, emotion = null, label = null) {
  const user = app.lookups.user(id);
  return face(modelOf(user, app.lookups.visual(user)), emotion, label);
}

/** What `userFace` would draw, as text: redraw when it changes. */
export function faceKey(app, id, emotion = null) {
  const user = app.lookups.user(id);
  return JSON.stringify([modelOf(user, app.lookups.visual(user)), emotion]);
}

export function roomName(app, room) {
  if (room.type === "group") return room.name;
  return app.lookups.peer(room.id)?.name ?? "Private chat";
}

/** A room's picture: the other's face, or for a group its initial on a tile of its own colour. */
export function roomPicture(app, room) {
  if (room.type === "direct") {
    const peer = app.lookups.peer(room.id);
    return h("span", { class: "picture" }, face(modelOf(peer, app.lookups.visual(peer))));
  }
  const hue = [...room.id].reduce((sum, character) => (sum * 31 + character.codePointAt(0)) % 360, 7);
  const tile = h("span", { class: "picture tile", "aria-hidden": "true" }, [...room.name][0]?.toUpperCase() ?? "#");
  tile.style.setProperty("--hue", hue);
  return tile;
}

export function pictureKey(app, room) {
  if (room.type === "group") return `tile ${[...room.name][0]}`;
  const peer = app.lookups.peer(room.id);
  return JSON.stringify(modelOf(peer, app.lookups.visual(peer)));
}

export const unreadTitle = (count) => (count ? `(${count}) Klatsch` : "Klatsch");
