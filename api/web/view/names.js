// What rooms and people are called and look like on screen.

import { h, icon, set } from "./dom.js";
import { face, modelOf } from "./face.js";
import { dot, drawDot } from "./presence.js";

export const SOMEBODY = "Somebody";

/** A username as people write it; empty where there is none. */
export const at = (user) => (user?.username ? `@${user.username}` : "");

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
  if (room.type !== "direct") return room.name;
  return app.lookups.peer(room.id)?.name ?? "Private chat";
}

const ID = /\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g;

/** A text of the server with the names of those whose ids are in it, as far as they are known here. */
export function inNames(app, words) {
  const { me, users, rooms } = app.store.state;
  const name = (id) => {
    if (id === me?.id) return "you";
    return users[id]?.name ?? (rooms[id] ? roomName(app, rooms[id].room) : id);
  };
  return words.replace(ID, name);
}

/** A person's face with the dot of their presence, in a holder; drawn anew only when it looks different. */
export function drawPortrait(app, holder, id) {
  const key = faceKey(app, id);
  if (holder.dataset.key !== key) holder.replaceChildren(h("span", { class: "picture" }, userFace(app, id)), dot());
  holder.dataset.key = key;
  drawDot(app, holder.lastChild, id);
}

/** A room's picture: the other's face, or the room's initial on a tile of its own colour with what kind of room it is. */
export function drawRoom(app, holder, room) {
  const peer = room.type === "direct" ? app.lookups.peer(room.id) : null;
  if (peer) return drawPortrait(app, holder, peer.id);
  const key = `tile ${room.id} ${room.type} ${initial(room.name)}`;
  if (holder.dataset.key !== key) holder.replaceChildren(tile(room), room.type === "direct" ? "" : kind(room));
  holder.dataset.key = key;
}

const signs = new Intl.Segmenter();

/** What stands first in a name, as people see it: a family or a flag is one sign, of several characters. */
function initial(name) {
  return [...signs.segment(name)][0]?.segment ?? "?";
}

function tile(room) {
  const hue = [...room.id].reduce((sum, character) => (sum * 31 + character.codePointAt(0)) % 360, 7);
  const tile = h("span", { class: "picture tile", "aria-hidden": "true" }, initial(room.name).toUpperCase());
  tile.style.setProperty("--hue", hue);
  return tile;
}

function kind({ type }) {
  const label = `${type} room`;
  const mark = h("span", { class: "kind", role: "img", "aria-label": label, title: label }, icon(ROOM_ICONS[type]));
  set(mark, "data-type", type);
  return mark;
}

/** The signs of public and private rooms. */
export const ROOM_ICONS = { public: "hash", private: "lock" };

/** The title of the page: what the application is called, and how many messages wait. */
export const unreadTitle = (called, count) => (count ? `(${count}) ${called}` : called);
