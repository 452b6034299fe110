// Who has read how far: small faces at the edge of the last message that each has read.

import { fill, h, set } from "./dom.js";
import { ago } from "./format.js";
import { faceKey, userFace, userName } from "./names.js";
import { popover } from "./popover.js";

/** Faces that fit beside a message; the others are a number. */
const FACES = 3;

/** The faces' place; `drawSeen` fills it. It takes no height, so nothing moves when somebody reads. */
export function seenBy(app) {
  const button = h("button", { type: "button", class: "seen", tabindex: "-1", hidden: true, onclick: show });
  function show() {
    const members = app.store.state.members[button.dataset.room] ?? {};
    const rows = button.dataset.users.split(" ").map((user) => {
      const when = members[user]?.read_at;
      return h(
        "li",
        {},
        h("span", { class: "seen-face" }, userFace(app, user)),
        h("span", {}, userName(app, user)),
        h("small", {}, when ? ago(when) : ""),
      );
    });
    popover(button, { class: "note", role: "dialog", "aria-label": "Read up to here", tabindex: "-1" }, [
      h("h2", {}, "Read up to here"),
      h("ul", { class: "seers" }, rows),
    ]).box.focus();
  }
  return button;
}

export function drawSeen(app, button, { message, readers = [] }) {
  button.hidden = !readers.length;
  const users = readers.join(" ");
  const key = `${users} ${readers.map((user) => faceKey(app, user) + userName(app, user)).join(" ")}`;
  if (button.dataset.key === key) return;
  Object.assign(button.dataset, { key, users, room: message.room });
  const names = readers.map((user) => userName(app, user)).join(", ");
  set(button, "aria-label", readers.length ? `Read by ${names}` : null);
  set(button, "title", readers.length ? `Read by ${names}` : null);
  const rest = readers.length - FACES;
  fill(
    button,
    readers.slice(0, FACES).map((user) => h("span", { class: "seen-face" }, userFace(app, user))),
    rest > 0 ? h("small", {}, `+${rest}`) : null,
  );
}
